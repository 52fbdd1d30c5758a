"""Compare our calls with the model server's own log, call by call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from creditcore.domain.holds import Hold
from creditcore.domain.spend import CALL_PREFIX, Difference, Finding, SpendRow, compare, lacks
from creditcore.ports.spend_log import SpendLog
from creditcore.ports.store_ports import HasCalls
from creditcore.ports.transactions import Begins

WINDOW = timedelta(hours=1)
SLACK = timedelta(minutes=10)
"""How far apart the two logs may say that a call was, its own length aside."""

MAX_FINDINGS = 1_000
"""So many are named; all are counted."""

_BATCH = 500


@dataclass(kw_only=True)
class SpendReport:
    """What a comparison found.

    Attributes:
        compared: Calls of ours that the other log has.
        foreign: Rows there that did not come through here.
        ours, theirs: The provider's cost of the compared calls by each log, in 10^-12 USD.
        counts: How many findings there are of each kind.
        findings: The first of them.
    """

    compared: int = 0
    foreign: int = 0
    ours: int = 0
    theirs: int = 0
    counts: Counter[Difference] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether the logs agree."""
        return not self.counts

    def add(self, finding: Finding | None) -> None:
        """Count a finding, and name it as long as there is room."""
        if finding is None:
            return
        self.counts[finding.kind] += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileUsage:
    """Find what one log has and the other has not, or has otherwise. Nothing is changed.

    It takes the memory of an hour of calls, however long the time that is compared.

    Attributes:
        longest_call: The longest that a call may take from its hold to its settlement.
    """

    transactions: Begins[HasCalls]
    log: SpendLog
    longest_call: timedelta

    def reconcile(
        self,
        start: datetime,
        end: datetime,
        *,
        progress: Callable[[datetime], None] = lambda _: None,
    ) -> SpendReport:
        """Compare the calls of a time, which ends a while ago at best: calls that run are left out.

        Args:
            start: From when on.
            end: Until when.
            progress: Told how far the comparison is.

        Raises:
            UpstreamUnavailableError: The other log cannot be read to its end.
            StoreError: Ours cannot.
        """
        report = SpendReport()
        since = start
        while since < end:
            until = min(since + WINDOW, end)
            self._compare(since, until, report)
            progress(until)
            since = until
        return report

    def _compare(self, since: datetime, until: datetime, report: SpendReport) -> None:
        """Compare the rows that began in a window, and look for our calls that closed in it."""
        there: set[str] = set()
        batch: list[SpendRow] = []
        rows = self.log.rows(start=since - self.longest_call - SLACK, end=until + SLACK)
        for row in rows:
            is_ours = row.call_id.startswith(CALL_PREFIX)
            if is_ours:
                there.add(row.call_id)
            if not since <= row.started_at < until:
                continue
            if not is_ours:
                report.foreign += 1
                continue
            batch.append(row)
            if len(batch) >= _BATCH:
                self._look_up(batch, report)
                batch = []
        self._look_up(batch, report)
        for hold in self._closed(since, until):
            if hold.reference not in there:
                report.add(lacks(hold))

    def _look_up(self, rows: list[SpendRow], report: SpendReport) -> None:
        if not rows:
            return
        with self.transactions.begin() as tx:
            holds = tx.calls.find_all([row.call_id for row in rows])
        for row in rows:
            hold = holds.get(row.call_id)
            if hold is not None:
                report.compared += 1
                report.ours += hold.outcome.provider_cost_picodollars
                report.theirs += row.picodollars
            report.add(compare(row, hold))

    def _closed(self, since: datetime, until: datetime) -> Iterator[Hold]:
        after: tuple[datetime, str] = (since, "")
        while True:
            with self.transactions.begin() as tx:
                holds = tx.calls.closed_after(*after, before=until, limit=_BATCH)
            yield from holds
            if len(holds) < _BATCH:
                return
            last = holds[-1]
            after = (last.closed_at or until, last.reference)
