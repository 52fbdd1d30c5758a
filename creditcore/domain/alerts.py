"""Something an operator must know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from creditcore.domain.jobs import Job


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to look at.

    Attributes:
        key: Names the cause; raising the same key again changes nothing.
    """

    key: str
    severity: Severity
    subject: str
    message: str
    at: datetime


def dead_jobs(dead: Job, *, at: datetime) -> Alert:
    """Tell that jobs of a kind are given up.

    One alert for a kind: a server that was away for a day kills many jobs for one reason.
    """
    return Alert(
        key=f"dead_jobs:{dead.kind}",
        severity=Severity.CRITICAL,
        subject=f"Jobs were given up: {dead.kind}",
        message=(
            f"{dead.name} failed {dead.lease.attempts} times, last with: {dead.last_error} "
            "'jobs list --state dead' names them all; 'jobs retry' or 'jobs discard' each."
        ),
        at=at,
    )
