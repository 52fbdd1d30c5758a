"""Charge what processes had told before they died."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from creditcore.domain.errors import HoldNotFoundError
from creditcore.domain.settlements import Settlement
from creditcore.ports.journal import AbandonedJournal, AbandonedJournals
from creditcore.ports.store_ports import HasCalls
from creditcore.ports.transactions import Begins
from creditcore.usecases.calls.charge_usage import ChargeUsage

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverSettlements:
    """Settle what abandoned journals hold. Any number of processes may, any number of times.

    It has to come before the holds expire, so the host of a journal looks for it at the start
    of each of its processes, and now and then.
    """

    journals: AbandonedJournals
    charge: ChargeUsage
    transactions: Begins[HasCalls]

    def recover(self) -> int:
        """Settle every hold that a dead process left open, by its last note; return how many.

        Raises:
            StoreError: The rest is left for the next time.
        """
        return sum(self._recover(journal) for journal in self.journals.abandoned())

    def _recover(self, journal: AbandonedJournal) -> int:
        try:
            settled = sum(self._settle(settlement) for settlement in journal.settlements())
        except BaseException:
            journal.close()
            raise
        journal.discard()
        return settled

    def _settle(self, settlement: Settlement) -> bool:
        try:
            with self.transactions.begin() as tx:
                hold = tx.calls.find(settlement.reference, wallet_id=settlement.wallet_id)
        except HoldNotFoundError:
            _log.error("call %s was noted, but never held", settlement.reference)
            return False
        if not hold.is_open:
            return False
        self.charge.settle(hold, settlement.cost, outcome=settlement.outcome, most=settlement.most)
        _log.warning("call %s was settled for a process that died", settlement.reference)
        return True
