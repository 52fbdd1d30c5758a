"""Something an operator must know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from creditcore.domain.jobs import Job
from creditcore.domain.money import Credits


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


def welcome_credits_used_up(cap: Credits, *, at: datetime) -> Alert:
    """Tell that newcomers get no welcome credits any more today."""
    return Alert(
        key=f"welcome_credits:{at:%Y-%m-%d}",
        severity=Severity.WARNING,
        subject="Today's welcome credits are used up",
        message=(
            f"SIGNUP_CREDITS_PER_DAY gives away {cap} credits a day, in UTC. Newcomers get theirs "
            "when they sign in on another day. If nobody told many people of this site today, "
            "somebody may be making accounts by the dozen."
        ),
        at=at,
    )


def address_belongs_to_another(person_id: str, *, at: datetime) -> Alert:
    """Tell that somebody's new address is another account's here."""
    return Alert(
        key=f"address_taken:{person_id}",
        severity=Severity.WARNING,
        subject="An address belongs to two accounts",
        message=(
            f"{person_id} has another address at the identity provider now, which is somebody "
            "else's here. They keep the address of before in these books."
        ),
        at=at,
    )
