"""End the holds that no process works on any more, by what the model server knows of their calls.

A process that dies, or a report that gets lost, leaves a hold behind. Its call may have run all the
same: where the model server keeps a log, the call is looked up there by its id and charged what
it did cost, once. What is not in the log is given back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from creditcore.domain.endings import INTERRUPTED
from creditcore.domain.errors import SpendLogMissingError, UpstreamUnavailableError
from creditcore.domain.holds import Basis, Call, Hold, Outcome
from creditcore.domain.money import MAX_INT64, Credits
from creditcore.domain.pricing import Tariff, Usage
from creditcore.domain.reported_cost import price_units_of
from creditcore.domain.spend import CALL_PREFIX, SpendRow
from creditcore.ports.clock import Clock
from creditcore.ports.spend_log import SpendLog
from creditcore.ports.store_ports import HasLedger
from creditcore.ports.transactions import Begins
from creditcore.usecases.calls.charge_usage import ChargeUsage

WAITS_FOR_THE_LOG = timedelta(minutes=15)
"""How long after its expiry a hold stays open while a log that there is cannot be read."""

SLACK = timedelta(minutes=10)
"""How far apart the two clocks may be."""

_BATCH = 200
_GATEWAY_TIMEOUT = 504

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireHolds:
    """Settle or expire overdue holds. Any number of workers may, at once: each ends once."""

    transactions: Begins[HasLedger]
    clock: Clock
    charge: ChargeUsage
    log: SpendLog

    def expire(self) -> int:
        """End what is overdue; return how many holds ended.

        Raises:
            StoreError: The rest is left for the next time.
        """
        ended = 0
        while True:
            with self.transactions.begin() as tx:
                overdue = tx.ledger.expired_holds(now=self.clock.now(), limit=_BATCH)
            evidence = self._evidence(overdue)
            now_ended = sum(self._end(hold, evidence) for hold in overdue)
            ended += now_ended
            if len(overdue) < _BATCH or now_ended < len(overdue):
                return ended

    def _end(self, hold: Hold, evidence: Mapping[str, SpendRow] | None) -> bool:
        if evidence is None:
            if self.clock.now() < hold.expires_at + WAITS_FOR_THE_LOG:
                return False
            evidence = {}
        row = evidence.get(hold.reference)
        if row is None or hold.call is None:
            self.charge.expire_hold(hold)
            return True
        cost = _cost(row, hold.call)
        self.charge.settle(hold, cost, outcome=_outcome(row))
        _log.warning("call %s was settled by the model server's log", hold.reference)
        return True

    def _evidence(self, overdue: Sequence[Hold]) -> Mapping[str, SpendRow] | None:
        """Return what the log has of some calls, by id; None where it cannot be read now."""
        wanted = {
            hold.reference
            for hold in overdue
            if hold.call is not None and hold.reference.startswith(CALL_PREFIX)
        }
        if not wanted:
            return {}
        found: dict[str, SpendRow] = {}
        start = min(hold.created_at for hold in overdue) - SLACK
        end = max(hold.expires_at for hold in overdue) + SLACK
        try:
            for row in self.log.rows(start=start, end=end):
                # A row of nothing is that of a refused call, or of an attempt that failed.
                if row.call_id in wanted and row.picodollars:
                    found[row.call_id] = row
                    if len(found) == len(wanted):
                        break
        except SpendLogMissingError:
            return {}
        except UpstreamUnavailableError as error:
            _log.warning("overdue holds wait for the model server's log: %s", error)
            return None
        return found


def _cost(row: SpendRow, call: Call) -> Credits:
    """Return what a call is charged: the provider's cost at the multiplier of its beginning."""
    tariff = Tariff.parse(credits_per_usd=call.multiplier, markup="1")
    return Credits(min(tariff.microcredits(price_units_of(row.picodollars)), MAX_INT64))


def _outcome(row: SpendRow) -> Outcome:
    return Outcome(
        basis=Basis.PROVIDER_USAGE,
        usage=Usage(prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens),
        provider_cost_picodollars=row.picodollars,
        reported_cost_picodollars=row.picodollars,
        status=_GATEWAY_TIMEOUT,
        error=INTERRUPTED,
    )
