"""Compare yesterday's calls with the model server's log every night, and tell where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.errors import SpendLogMissingError
from creditcore.domain.jobs import Job, every
from creditcore.domain.lease import RetryPolicy
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.calls.reconcile_usage import ReconcileUsage, SpendReport
from creditcore.usecases.monitoring.keep_alerts import raise_alert

RECONCILE_USAGE = "reconcile_usage"
"""The kind of the job."""

_DAY = timedelta(days=1)
EVERY_NIGHT = every(RECONCILE_USAGE, _DAY, offset=timedelta(hours=2))
"""At two o'clock UTC the rows of the day before are written, and its last calls have ended."""

NIGHTLY_POLICY = RetryPolicy(lease=timedelta(hours=2))
"""A page has a hundred rows: a million calls take an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileNightly:
    """What ``reconcile-usage`` does, as a job with an alert."""

    transactions: Begins[AlertsTransaction]
    clock: Clock
    usage: ReconcileUsage

    def run(self, job: Job) -> None:
        """Compare the day (UTC) before the one that the job is of. A repeat compares again.

        A model server without a log has nothing to compare with, which is no fault.

        Raises:
            UpstreamUnavailableError: The log broke off; to be tried again.
        """
        end = job.run_at.replace(hour=0, minute=0, second=0, microsecond=0)
        try:
            report = self.usage.reconcile(end - _DAY, end)
        except SpendLogMissingError:
            return
        if report.clean:
            return
        with self.transactions.begin() as tx:
            raise_alert(tx, _differ(report, end - _DAY, at=self.clock.now()))
            tx.commit()


def _differ(report: SpendReport, day: datetime, *, at: datetime) -> Alert:
    found = ", ".join(
        f"{count} {str(kind).replace('_', ' ')}" for kind, count in sorted(report.counts.items())
    )
    end = day + _DAY
    return Alert(
        key=f"spend_differs:{day:%Y-%m-%d}",
        severity=Severity.WARNING,
        subject="Calls do not agree with the model server's log",
        message=(
            f"On {day:%Y-%m-%d}, of {report.compared} calls: {found}. 'flask --app wsgi "
            f"reconcile-usage --from {day:%Y-%m-%d} --to {end:%Y-%m-%d}' names each."
        ),
        at=at,
    )
