"""Large bodies share a budget; small ones are always taken."""

from __future__ import annotations

from io import BytesIO

import pytest

from adapters.flask_web.inference.body_budget import ALWAYS_TAKEN_BYTES, BodyBudget
from adapters.flask_web.inference.request_body import read_body
from creditcore.domain.errors import OverloadedError

LARGE = 300_000
MOST = 500_000


def request_with(body: bytes) -> dict[str, object]:
    return {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}


def test_a_large_body_beyond_the_budget_is_refused() -> None:
    budget = BodyBudget(MOST)
    with budget.share() as first, budget.share() as second:
        read_body(request_with(b"x" * LARGE), most=LARGE, share=first)

        with pytest.raises(OverloadedError):
            read_body(request_with(b"x" * LARGE), most=LARGE, share=second)


def test_a_body_counts_until_its_answer_begins_and_no_longer() -> None:
    budget = BodyBudget(MOST)
    for _ in range(10):
        with budget.share() as share:
            assert len(read_body(request_with(b"x" * LARGE), most=LARGE, share=share)) == LARGE


def test_a_refused_upload_gives_back_what_it_had_taken() -> None:
    budget = BodyBudget(MOST)
    for _ in range(10):
        with pytest.raises(OverloadedError), budget.share() as share:
            read_body(request_with(b"x" * 2 * MOST), most=2 * MOST, share=share)
    with budget.share() as share:
        share.take(LARGE)


def test_large_bodies_do_not_keep_small_ones_out() -> None:
    budget = BodyBudget(MOST)
    with budget.share() as large, budget.share() as small:
        large.take(MOST)

        small.take(ALWAYS_TAKEN_BYTES)

        with pytest.raises(OverloadedError):
            small.take(1)


def test_a_body_that_has_gone_upstream_makes_room_at_once() -> None:
    budget = BodyBudget(MOST)
    with budget.share() as waiting, budget.share() as next_one:
        waiting.take(LARGE)
        waiting.release()
        waiting.release()

        next_one.take(MOST)
    with budget.share() as last:
        last.take(MOST)
