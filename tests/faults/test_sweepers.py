"""Two sweepers and a late settlement meet at one hold: it ends once, and the books stay clean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from creditcore import AuditBooks, ChargeUsage, Credits, GroupCommit, HoldState, SystemClock
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts import a_wallet
from creditcore.testing.contracts.samples import at_once
from tests.faults.length import TIMES

ROUNDS = 50 * TIMES


def test_sweepers_and_a_settlement_at_once_end_a_hold_once(
    any_store: Transactions, record_property: Callable[[str, object], None]
) -> None:
    a_wallet(any_store, posted=100 * ROUNDS)
    clock = SystemClock()
    charged = 0

    with GroupCommit(transactions=any_store, clock=clock) as commits:
        charge = ChargeUsage(
            commits=commits, transactions=any_store, clock=clock, lifetime=timedelta(0)
        )
        for number in range(ROUNDS):
            name = f"call-{number}"
            hold = charge.authorize("wallet-1", ceiling=Credits(100), reference=name).hold
            meeting = [charge.expire, lambda hold=hold: charge.settle(hold, Credits(30))]
            outcomes = at_once(3, lambda index, meeting=meeting: meeting[index % 2]())

            assert not [each for each in outcomes if isinstance(each, Exception)]
            with any_store.begin() as tx:
                ended = tx.calls.find(name, wallet_id="wallet-1")
            # Who came first decides; a cost that comes after an expiry is the operator's.
            paid, lost = (30, 0) if ended.state is HoldState.SETTLED else (0, 30)
            assert (ended.charged, ended.written_off) == (Credits(paid), Credits(lost))
            charged += paid

    with any_store.begin() as tx:
        wallet = tx.ledger.find_wallet("wallet-1")
    assert (wallet.posted, wallet.held) == (Credits(100 * ROUNDS - charged), Credits(0))
    assert AuditBooks(transactions=any_store).audit().clean
    record_property("tries", ROUNDS)
