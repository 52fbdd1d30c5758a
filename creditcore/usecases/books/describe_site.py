"""Say how the site stands: what it owes, what it earned, what works. For operators."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from creditcore.domain.earnings import CreditWorth, Earnings
from creditcore.domain.ledger import TransferKind
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import Period, Slot
from creditcore.domain.usage_hours import NOTHING_USED, Tally
from creditcore.ports.clock import Clock
from creditcore.ports.oversight import InboxDepth, Takings, WalletTotals
from creditcore.ports.store_ports import HasOversight
from creditcore.ports.transactions import Begins
from creditcore.ports.usage_hours import ErrorCount

KEPT_FOR = timedelta(minutes=1)
"""Sums over all accounts are shown for so long before they are added up again."""

_PERIODS_KEPT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteReport:
    """How the site stands.

    Attributes:
        slots: What was used in each slot of the period, by model.
        before: What was used in the same length of time before it.
        takings: What was paid in the period, by currency.
        credited: What wallets got in the period beside calls, by kind.
        worth: What a spent credit earns.
        failures: Calls that failed, by the number of their slot, their model and error.
        active: How many wallets had a call that ended in the period.
        as_of: When this was true.
    """

    period: Period
    slots: Sequence[tuple[Slot, Mapping[str, Tally]]]
    before: Tally
    takings: Sequence[Takings]
    credited: Mapping[TransferKind, Credits]
    worth: CreditWorth
    totals: WalletTotals
    failures: Sequence[ErrorCount]
    active: int
    inbox: InboxDepth
    as_of: datetime

    @property
    def total(self) -> Tally:
        """All that was used in the period."""
        return sum(self.by_model().values(), NOTHING_USED)

    def by_model(self) -> dict[str, Tally]:
        """Return what was used of each model, the most expensive first."""
        found: defaultdict[str, Tally] = defaultdict(Tally)
        for _, tallies in self.slots:
            for model, tally in tallies.items():
                found[model] += tally
        return dict(
            sorted(found.items(), key=lambda item: (-item[1].charge, -item[1].calls, item[0]))
        )

    def earnings(self, tally: Tally) -> Earnings:
        """Return what calls earned and cost."""
        return Earnings(
            revenue=self.worth.picodollars(tally.charged),
            provider_cost=tally.provider_cost_picodollars,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeSite:
    """Add up all accounts. Reads only; sums are kept for a minute, and say of when they are."""

    transactions: Begins[HasOversight]
    clock: Clock
    _kept: dict[tuple[datetime, datetime, int], SiteReport] = field(default_factory=dict)

    def describe(self, period: Period) -> SiteReport:
        """Return how the site stands, and what happened in a period."""
        name = (period.span.since, period.span.until, len(period.slots))
        kept = self._kept.get(name)
        now = self.clock.now()
        if kept is not None and timedelta() <= now - kept.as_of < KEPT_FOR:
            return kept
        report = self._describe(period, now)
        if len(self._kept) >= _PERIODS_KEPT:
            self._kept.clear()
        self._kept[name] = report
        return report

    def _describe(self, period: Period, now: datetime) -> SiteReport:
        with self.transactions.begin() as tx:
            reads = tx.oversight
            before, *during = reads.usage([period.before, *(slot.span for slot in period.slots)])
            taken_cents = sum(each.value_cents - each.refunded_cents for each in reads.takings())
            return SiteReport(
                period=period,
                slots=list(zip(period.slots, during, strict=True)),
                before=sum(before.values(), NOTHING_USED),
                takings=reads.takings(period.span),
                credited=reads.credits_in(period.span),
                worth=CreditWorth(
                    taken_cents=taken_cents, credited=sum(reads.credits_in().values(), ZERO)
                ),
                totals=reads.totals(),
                failures=reads.failures([slot.span for slot in period.slots]),
                active=reads.active_wallets(period.span),
                inbox=reads.inbox(),
                as_of=now,
            )
