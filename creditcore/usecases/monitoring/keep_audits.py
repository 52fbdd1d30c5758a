"""Audit the books once a day, and when an operator asks; keep what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from creditcore.domain.activity import Act, Activity, Actor
from creditcore.domain.alerts import Alert, AlertKind, Severity
from creditcore.domain.jobs import Job, every
from creditcore.domain.lease import RetryPolicy
from creditcore.domain.monitoring import Finding, Reading
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasActivity, HasJobs, HasMonitoring
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.books.audit_books import AuditBooks, Report
from creditcore.usecases.monitoring.keep_alerts import raise_alert, resolve_alert

AUDIT = "audit"
"""The kind of the job, and the name that its readings are kept under."""

EVERY_DAY = every(AUDIT, timedelta(days=1), offset=timedelta(hours=1))
AUDIT_POLICY = RetryPolicy(lease=timedelta(hours=2), max_attempts=3)
"""An audit reads every row: with many millions of them that takes long."""

_SHOWN_BREACHES = 3


class KeepAuditsTransaction(AlertsTransaction, HasActivity, HasJobs, HasMonitoring, Protocol):
    """What keeping audits reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAudits:
    """Run the audit as a job of the worker. A breach is an alert at once, and wakes an operator."""

    transactions: Begins[KeepAuditsTransaction]
    clock: Clock
    audit: AuditBooks

    def order(self, *, actor: Actor) -> bool:
        """Have the books audited now; return whether that is new within this minute."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            is_new = tx.jobs.enqueue(AUDIT, f"ordered:{now:%Y-%m-%dT%H:%M}", {}, run_at=now)
            if is_new:
                tx.activity.add(
                    Activity(actor=actor, act=Act.AUDIT_ORDERED, target="books:all", at=now)
                )
            tx.commit()
        return is_new

    def latest(self) -> Reading | None:
        """Return what the latest audit found; None where there was none lately."""
        with self.transactions.begin() as tx:
            return next(iter(tx.monitoring.recent(AUDIT, limit=1)), None)

    def run(self, _job: Job) -> None:
        """Audit, keep what was found, and raise or resolve the alert. A repeat audits again."""
        self.keep(self.audit.audit())

    def keep(self, report: Report) -> None:
        """Keep what an audit found."""
        now = self.clock.now()
        key = f"{AlertKind.AUDIT}:books"
        reading = Reading(check=AUDIT, finding=_finding(report), at=now)
        with self.transactions.begin() as tx:
            tx.monitoring.add(reading)
            if report.clean:
                resolve_alert(tx, key, at=now)
            else:
                raise_alert(
                    tx,
                    Alert(
                        key=key,
                        severity=Severity.CRITICAL,
                        subject="The books contradict themselves",
                        message=f"{reading.finding.detail} 'flask --app wsgi audit' lists all.",
                        at=now,
                    ),
                )
            tx.commit()


def _finding(report: Report) -> Finding:
    looked_at = ", ".join(f"{count:,} {what}" for what, count in report.counts.items())
    breaches = [breach for some in report.breaches.values() for breach in some]
    if not breaches:
        return Finding(is_healthy=True, detail=f"Clean: {looked_at}.", value=0)
    named = "; ".join(
        f"{breach.invariant} {breach.row}: {breach.detail}" for breach in breaches[:_SHOWN_BREACHES]
    )
    return Finding(
        is_healthy=False,
        detail=f"{len(breaches)} rows break a rule, among them {named}. Looked at: {looked_at}.",
        value=len(breaches),
    )
