"""A call that is made elsewhere is held for as a whole, and settled once by what is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from creditcore import AuditBooks, Basis, Credits, HoldState, Usage
from creditcore.domain.direct_calls import CallReport
from creditcore.domain.errors import (
    HoldNotFoundError,
    InsufficientCreditsError,
    InvalidRequestError,
    KeyRefusedError,
    ReferenceConflictError,
)
from creditcore.domain.money import ZERO
from creditcore.domain.pricing import Tariff
from creditcore.usecases.calls.direct_calls import AllowedCall, DirectCalls
from tests.unit.relaying import PEPPER, SECRET, Scene, TinyWire, a_scene

CALL = f"call-direct-{7:032x}"
OTHER = f"call-direct-{8:032x}"
USED = CallReport(succeeded=True, usage=Usage(prompt_tokens=5, completion_tokens=7))


@pytest.fixture
def scene() -> Iterator[Scene]:
    with a_scene() as scene:
        yield scene


@pytest.fixture
def direct(scene: Scene) -> DirectCalls:
    return DirectCalls(
        charge=scene.relay._charge,
        transactions=scene.store,
        prices=scene.relay._prices,
        tariff=Tariff(1, 1, "1"),
        pepper=PEPPER,
        read_usage=lambda _: None,
    )


def ask(direct: DirectCalls, call_id: str = CALL, **fields: object) -> AllowedCall:
    return direct.authorize(TinyWire(), json.dumps(fields).encode(), secret=SECRET, call_id=call_id)


def test_all_that_a_stream_may_cost_is_held_at_once(direct: DirectCalls) -> None:
    allowed = ask(direct, stream=True, limit=None, model="demo")

    # The gateway itself would begin with less, and grow: 200 is the longest answer there is.
    assert allowed.hold.amount == Credits(100 + 10 * 200)
    direct.settle(CALL, CallReport(succeeded=False, status=502))


def test_a_wallet_that_affords_less_lowers_the_limit_that_is_handed_back(
    direct: DirectCalls,
) -> None:
    allowed = ask(direct, model="lengthy", limit=None)

    assert allowed.available < Credits(5)
    assert json.loads(allowed.body)["bound"] == (10_000 - 100) // 5
    direct.settle(CALL, CallReport(succeeded=False, status=502))


def test_a_report_is_charged_once_and_the_first_counts(scene: Scene, direct: DirectCalls) -> None:
    ask(direct)

    first = direct.settle(CALL, USED)
    again = direct.settle(
        CALL, CallReport(succeeded=True, usage=Usage(prompt_tokens=9, completion_tokens=50))
    )

    assert (first.charged, first.outcome.basis) == (Credits(5 + 70), Basis.PROVIDER_USAGE)
    assert again == first
    assert scene.store.committed.wallets["wallet-1"].posted == Credits(10_000 - 75)


def test_asking_again_holds_nothing_more(scene: Scene, direct: DirectCalls) -> None:
    first = ask(direct)
    again = ask(direct)

    assert (again.hold, again.body) == (first.hold, first.body)
    assert scene.store.committed.wallets["wallet-1"].held == first.hold.amount
    direct.settle(CALL, USED)


def test_one_hold_pays_for_no_second_call(direct: DirectCalls) -> None:
    ask(direct)

    with pytest.raises(ReferenceConflictError):
        ask(direct, prompt_bound=101)
    direct.settle(CALL, USED)
    with pytest.raises(ReferenceConflictError):
        ask(direct)


def test_a_failed_call_costs_nothing(scene: Scene, direct: DirectCalls) -> None:
    ask(direct)

    hold = direct.settle(CALL, CallReport(succeeded=False, status=500, error="boom"))

    assert (hold.state, hold.outcome.error) == (HoldState.RELEASED, "boom")
    assert scene.store.committed.wallets["wallet-1"].available == Credits(10_000)


def test_a_success_without_counts_is_not_free(scene: Scene, direct: DirectCalls) -> None:
    hold = ask(direct).hold

    with pytest.raises(InvalidRequestError, match="no token counts"):
        direct.settle(CALL, CallReport(succeeded=True))
    assert scene.store.committed.holds[CALL] == hold
    direct.settle(CALL, USED)


def test_a_report_after_the_expiry_is_written_off(scene: Scene, direct: DirectCalls) -> None:
    ask(direct)
    scene.clock.advance(timedelta(hours=1))
    scene.relay._charge.expire()

    hold = direct.settle(CALL, USED)

    assert (hold.state, hold.charged, hold.written_off) == (HoldState.EXPIRED, ZERO, Credits(75))
    assert direct.settle(CALL, USED) == hold
    assert AuditBooks(transactions=scene.store).audit().clean


def test_a_call_is_charged_at_the_price_of_its_beginning(scene: Scene, direct: DirectCalls) -> None:
    ask(direct)
    [price] = [each for each in scene.relay._prices.all() if each.model == "dear"]
    with scene.store.begin() as tx:
        tx.prices.replace_all([price], at=scene.clock.now())
        tx.commit()
    scene.clock.advance(timedelta(minutes=5))

    assert direct.settle(CALL, USED).charged == Credits(75)


@pytest.mark.parametrize("call_id", ["call-1", "call-direct-1", CALL.upper(), f"{CALL}0"])
def test_calls_of_the_gateway_cannot_be_touched(direct: DirectCalls, call_id: str) -> None:
    with pytest.raises(InvalidRequestError, match="call_id"):
        ask(direct, call_id)
    with pytest.raises(InvalidRequestError, match="call_id"):
        direct.settle(call_id, USED)


def test_what_was_not_allowed_cannot_be_settled(direct: DirectCalls) -> None:
    with pytest.raises(HoldNotFoundError):
        direct.settle(OTHER, USED)


def test_a_key_that_is_no_more_opens_nothing(scene: Scene, direct: DirectCalls) -> None:
    with scene.store.begin() as tx:
        [key] = tx.keys.list_of("owner-of-wallet-1")
        tx.keys.save(key.revoke(at=scene.clock.now()))
        tx.commit()

    with pytest.raises(KeyRefusedError):
        ask(direct)


def test_an_empty_wallet_opens_nothing(direct: DirectCalls) -> None:
    with pytest.raises(InsufficientCreditsError):
        ask(direct, model="dear")


def test_a_model_that_reports_do_not_count_is_not_called_directly(direct: DirectCalls) -> None:
    with pytest.raises(InvalidRequestError, match="sold by the image, which reports"):
        ask(direct, model="pictures")
