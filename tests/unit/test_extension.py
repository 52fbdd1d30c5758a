"""A hold grows while its call goes on: never beyond its wallet, never back, never once closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from creditcore import AuditBooks, ChargeUsage, Credits, GroupCommit, Hold, HoldState, Wallet
from creditcore.domain.books import Books
from creditcore.domain.decisions import extend
from creditcore.domain.money import ZERO
from creditcore.domain.pricing import Ceiling
from creditcore.testing import contracts
from creditcore.testing.memory import FixedClock, MemoryTransactions

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
# 10 for the prompt and 3 for each token, of which the first five are held.
CEILING = Ceiling(10, 3, 1, 1000, fixed_output=False, opening=5)
HOLD = Hold(
    reference="call-1",
    wallet_id="wallet-1",
    amount=Credits(25),
    created_at=NOON,
    expires_at=NOON + timedelta(minutes=1),
)


def a_wallet(posted: int, held: int = 25) -> Wallet:
    return Wallet(id="wallet-1", owner_id="o", posted=Credits(posted), held=Credits(held))


def test_a_hold_grows_by_what_more_output_costs() -> None:
    wallet, extension = extend(a_wallet(100), HOLD, CEILING, output_bound=10)

    assert (extension.hold.amount, extension.paid_output) == (Credits(40), 10)
    assert wallet == a_wallet(100, held=40)
    assert extension.available == Credits(60)


def test_a_hold_grows_as_far_as_its_wallet_affords() -> None:
    wallet, extension = extend(a_wallet(42), HOLD, CEILING, output_bound=1000)

    # One more token would be 43.
    assert (extension.hold.amount, extension.paid_output) == (Credits(40), 10)
    assert wallet == a_wallet(42, held=40)


def test_a_wallet_that_does_not_cover_a_known_cost_gives_all_it_has() -> None:
    wallet, extension = extend(a_wallet(60), HOLD, Ceiling.of(Credits(90)), output_bound=0)

    assert extension.hold.amount == Credits(60)
    assert wallet == a_wallet(60, held=60)


@pytest.mark.parametrize("output_bound", [0, 1, 5])
def test_a_hold_that_pays_for_it_already_stays_as_it_is(output_bound: int) -> None:
    wallet = a_wallet(100)

    after, extension = extend(wallet, HOLD, CEILING, output_bound=output_bound)

    assert after is wallet
    assert extension.hold is HOLD
    assert extension.paid_output == output_bound


@pytest.mark.parametrize("state", [HoldState.SETTLED, HoldState.RELEASED, HoldState.EXPIRED])
def test_a_closed_hold_pays_for_nothing_more(state: HoldState) -> None:
    wallet, closed = a_wallet(100, held=0), HOLD.close(state, at=NOON)

    after, extension = extend(wallet, closed, CEILING, output_bound=10)

    assert after is wallet
    assert extension.hold is closed
    assert extension.paid_output == 0


def test_a_hold_that_changes_twice_is_written_over_what_was_read() -> None:
    books = Books(wallets={"wallet-1": a_wallet(100)}, holds={"call-1": HOLD})

    books.extend("call-1", CEILING, output_bound=10)
    books.extend("call-1", CEILING, output_bound=20)
    closed = books.settle("call-1", Credits(70), at=NOON)

    assert closed.amount == Credits(70)
    assert books.changed_holds == {"call-1": (HOLD, closed)}
    assert books.changed_wallets == {"wallet-1": a_wallet(30, held=0)}


def test_an_extension_that_changes_nothing_writes_nothing() -> None:
    books = Books(wallets={"wallet-1": a_wallet(100)}, holds={"call-1": HOLD})

    books.extend("call-1", CEILING, output_bound=5)

    assert books == Books(wallets={"wallet-1": a_wallet(100)}, holds={"call-1": HOLD})


@pytest.mark.parametrize(
    ("cost", "charged", "written_off"), [(40, 40, 0), (60, 60, 0), (70, 70, 0), (90, 70, 20)]
)
def test_a_cost_beyond_the_hold_is_charged_as_far_as_it_may_grow(
    cost: int, charged: int, written_off: int
) -> None:
    store, clock = MemoryTransactions(), FixedClock()
    contracts.a_wallet(store, posted=100)
    with GroupCommit(transactions=store, clock=clock) as commits:
        charge = ChargeUsage(commits=commits, transactions=store, clock=clock)
        hold = charge.authorize("wallet-1", ceiling=Credits(50), reference="call-1").hold

        charge.settle_later(hold, Credits(cost), most=Credits(70))

    closed = store.committed.holds["call-1"]
    assert (closed.charged, closed.written_off) == (Credits(charged), Credits(written_off))
    wallet = store.committed.wallets["wallet-1"]
    assert (wallet.posted, wallet.held) == (Credits(100 - charged), ZERO)
    assert AuditBooks(transactions=store).audit().clean
