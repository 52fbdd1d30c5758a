"""A hold reserves, leaves the open state once, and never charges more than it holds."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore import Call, Credits, Hold, HoldState, Outcome, PlatformAccount, Wallet
from creditcore.domain.decisions import settle
from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.limits import Counted
from creditcore.domain.money import ZERO

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HUNDRED = Credits(100)

amounts = st.integers(0, 10**12).map(Credits)


def a_wallet(hold: Hold, *, spare: Credits = ZERO) -> Wallet:
    return Wallet(id="wallet-1", owner_id="o", posted=hold.amount + spare, held=hold.amount)


def a_hold(amount: Credits = HUNDRED, **fields: object) -> Hold:
    given_fields = {
        "reference": "call-1",
        "wallet_id": "wallet-1",
        "amount": amount,
        "created_at": NOON,
        "expires_at": NOON + MINUTE,
        "call": Call(model="demo"),
        **fields,
    }
    return Hold(**given_fields)  # type: ignore[arg-type]


@given(amounts, amounts, amounts)
def test_a_charge_never_exceeds_its_hold(amount: Credits, cost: Credits, spare: Credits) -> None:
    hold = a_hold(amount)
    wallet = a_wallet(hold, spare=spare)

    settlement = settle(wallet, hold, cost, at=NOON)

    assert settlement.hold.charged == min(cost, amount)
    assert settlement.hold.charged + settlement.hold.written_off == cost
    assert settlement.wallet.held == ZERO
    assert settlement.wallet.posted == wallet.posted - settlement.hold.charged


def test_closing_a_hold_keeps_all_that_it_does_not_change() -> None:
    counted = Counted(counter_id="counter-1", since=NOON)
    hold = a_hold(outcome=Outcome(error="interrupted"), counted=(counted,))

    closed = hold.close(
        HoldState.SETTLED, at=NOON + MINUTE, charged=Credits(2), written_off=Credits(3)
    )

    assert (closed.state, closed.closed_at) == (HoldState.SETTLED, NOON + MINUTE)
    assert (closed.charged, closed.written_off) == (Credits(2), Credits(3))
    changed = {"state", "charged", "written_off", "closed_at"}
    kept = [field for field in fields(Hold) if field.name not in changed]
    assert all(getattr(hold, field.name) != field.default for field in kept)
    assert all(getattr(closed, field.name) == getattr(hold, field.name) for field in kept)


def test_a_call_keeps_all_else_when_its_key_is_known() -> None:
    call = Call(
        model="demo",
        endpoint="/v1/completions",
        stream=True,
        prompt_bound=7,
        output_bound=9,
        price_snapshot="0123456789abcdef",
        multiplier="2.3",
    )

    known = call.with_key("key-1")

    assert known.key_id == "key-1"
    assert known._replace(key_id=None) == call


@given(amounts, amounts)
def test_what_was_used_is_what_was_transferred(amount: Credits, cost: Credits) -> None:
    hold = a_hold(amount)

    settlement = settle(a_wallet(hold), hold, cost, at=NOON)

    moved = [transfer.amount for transfer in settlement.transfers]
    assert sum((one.microcredits for one in moved), 0) == cost.microcredits
    assert {transfer.to_account for transfer in settlement.transfers} <= {PlatformAccount.USAGE}


@given(amounts, amounts, amounts)
def test_settling_twice_charges_once(amount: Credits, first: Credits, second: Credits) -> None:
    hold = a_hold(amount)
    once = settle(a_wallet(hold), hold, first, at=NOON)

    twice = settle(once.wallet, once.hold, second, at=NOON + MINUTE)

    assert (twice.wallet, twice.hold) == (once.wallet, once.hold)
    assert not twice.transfers
    assert not twice.alerts


def test_cost_beyond_the_hold_is_written_off_with_an_alert() -> None:
    hold = a_hold(Credits(100))

    settlement = settle(a_wallet(hold, spare=Credits(900)), hold, Credits(130), at=NOON)

    charge, write_off = settlement.transfers
    assert (charge.from_account, charge.amount) == ("wallet-1", Credits(100))
    assert (write_off.from_account, write_off.amount) == (PlatformAccount.WRITE_OFF, Credits(30))
    assert [alert.key for alert in settlement.alerts] == ["write_off:call-1"]
    assert settlement.wallet.posted == Credits(900)


@pytest.mark.parametrize("closing", [HoldState.RELEASED, HoldState.EXPIRED])
def test_a_cost_that_comes_after_an_unpaid_end_is_the_operators_once(closing: HoldState) -> None:
    hold = a_hold(Credits(100))
    ended = settle(a_wallet(hold), hold, ZERO, at=NOON, closing=closing)

    late = settle(ended.wallet, ended.hold, Credits(40), at=NOON + MINUTE)
    again = settle(late.wallet, late.hold, Credits(40), at=NOON + MINUTE)

    assert late.wallet == ended.wallet
    assert late.hold.written_off == Credits(40)
    assert late.hold.state is closing
    assert [transfer.from_account for transfer in late.transfers] == [PlatformAccount.WRITE_OFF]
    assert (again.hold, again.transfers) == (late.hold, ())


def test_a_negative_cost_is_a_mistake_and_not_a_gift() -> None:
    hold = a_hold()

    with pytest.raises(ValueError, match="not negative"):
        settle(a_wallet(hold), hold, Credits(-1), at=NOON)


@pytest.mark.parametrize("charged", [Credits(-1), Credits(101)])
def test_no_hold_can_say_it_charged_more_than_it_held(charged: Credits) -> None:
    with pytest.raises(ValueError, match="between zero and its hold"):
        a_hold(Credits(100), charged=charged)


def test_closing_tells_what_came_of_the_call() -> None:
    outcome = Outcome(status=200, latency_ms=7)

    closed = a_hold().close(HoldState.SETTLED, at=NOON, charged=Credits(3), outcome=outcome)

    assert not closed.is_open
    assert (closed.charged, closed.closed_at, closed.outcome) == (Credits(3), NOON, outcome)


def test_a_repeat_of_the_same_call_is_the_same_hold() -> None:
    hold = a_hold()

    assert hold.same_as(wallet_id="wallet-1", model="demo") is hold


@pytest.mark.parametrize(
    ("wallet_id", "model"), [("wallet-2", "demo"), ("wallet-1", "other"), ("wallet-1", None)]
)
def test_a_reference_never_stands_for_two_calls(wallet_id: str, model: str | None) -> None:
    with pytest.raises(ReferenceConflictError):
        a_hold().same_as(wallet_id=wallet_id, model=model)


def test_nothing_ends_before_it_began_whatever_the_clock_does() -> None:
    hold = a_hold()

    closed = hold.close(HoldState.SETTLED, at=NOON - MINUTE)

    assert closed.closed_at == hold.created_at
