"""Large bodies share a budget; small ones are always taken."""

from __future__ import annotations

from contextlib import ExitStack
from io import BytesIO

import pytest

from adapters.flask_web.inference.body_budget import (
    ALWAYS_TAKEN_BYTES,
    MAX_BODIES_BYTES,
    OWNERS,
    BodyBudget,
)
from adapters.flask_web.inference.form_reader import MAX_UPLOAD_BYTES, MAX_UPLOADS_BYTES
from adapters.flask_web.inference.proxy import MAX_BODY_BYTES
from adapters.flask_web.inference.request_body import read_body
from creditcore.domain.errors import OverloadedError

LARGE = 300_000
MOST = 500_000


def request_with(body: bytes) -> dict[str, object]:
    return {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}


def test_a_large_body_beyond_the_budget_is_refused() -> None:
    budget = BodyBudget(MOST)
    with budget.share(None) as first, budget.share(None) as second:
        read_body(request_with(b"x" * LARGE), most=LARGE, share=first)

        with pytest.raises(OverloadedError):
            read_body(request_with(b"x" * LARGE), most=LARGE, share=second)


def test_a_body_counts_until_its_answer_begins_and_no_longer() -> None:
    budget = BodyBudget(MOST)
    for _ in range(10):
        with budget.share(None) as share:
            assert len(read_body(request_with(b"x" * LARGE), most=LARGE, share=share)) == LARGE


def test_a_refused_upload_gives_back_what_it_had_taken() -> None:
    budget = BodyBudget(MOST)
    for _ in range(10):
        with pytest.raises(OverloadedError), budget.share(None) as share:
            read_body(request_with(b"x" * 2 * MOST), most=2 * MOST, share=share)
    with budget.share(None) as share:
        share.take(LARGE)


def test_large_bodies_do_not_keep_small_ones_out() -> None:
    budget = BodyBudget(MOST)
    with budget.share(None) as large, budget.share(None) as small:
        large.take(MOST)

        small.take(ALWAYS_TAKEN_BYTES)

        with pytest.raises(OverloadedError):
            small.take(1)


def test_a_body_that_has_gone_upstream_makes_room_at_once() -> None:
    budget = BodyBudget(MOST)
    with budget.share(None) as waiting, budget.share(None) as next_one:
        waiting.take(LARGE)
        waiting.release()
        waiting.release()

        next_one.take(MOST)
    with budget.share(None) as last:
        last.take(MOST)


def test_one_owner_leaves_room_for_the_large_bodies_of_others() -> None:
    budget = BodyBudget(MOST)
    with budget.share("one") as first, budget.share("one") as second, budget.share("two") as other:
        first.take(MOST // OWNERS)

        with pytest.raises(OverloadedError) as refused:
            second.take(LARGE)

        assert "of yours" in str(refused.value)
        other.take(MOST // OWNERS)


def test_owners_together_have_no_more_than_the_budget() -> None:
    budget = BodyBudget(MOST)
    with budget.share("one") as one, budget.share("two") as two, budget.share("three") as three:
        one.take(MOST // OWNERS)
        two.take(MOST // OWNERS)

        with pytest.raises(OverloadedError):
            three.take(ALWAYS_TAKEN_BYTES + 1)


def test_small_bodies_of_one_owner_leave_room_too() -> None:
    budget = BodyBudget(MOST)
    with ExitStack() as opened:
        for _ in range(2 * MOST // ALWAYS_TAKEN_BYTES):
            opened.enter_context(budget.share("one")).take(ALWAYS_TAKEN_BYTES)

        opened.enter_context(budget.share("two")).take(MOST // OWNERS)
    with budget.share("one") as last:
        last.take(MOST // OWNERS)


def test_a_body_is_counted_for_its_account_once_that_is_known() -> None:
    budget = BodyBudget(MOST)
    with budget.share("192.0.2.1") as first, budget.share("192.0.2.1") as second:
        first.assign("one")
        first.take(MOST // OWNERS)

        second.take(MOST // OWNERS)


def test_the_largest_call_fits_into_the_part_of_one_account() -> None:
    assert MAX_BODY_BYTES <= MAX_BODIES_BYTES // OWNERS
    assert MAX_UPLOAD_BYTES <= MAX_UPLOADS_BYTES // OWNERS
