"""Something an operator must know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from creditcore.domain.jobs import Job
from creditcore.domain.money import Credits


class Severity(StrEnum):
    """How soon an operator should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertKind(StrEnum):
    """What an alert is about: the first part of its key."""

    AUDIT = "audit"
    DEAD_JOBS = "dead_jobs"
    EXPIRED_HOLD = "expired"
    MONITOR = "monitor"
    OWED = "owed"
    REFUND_AND_DISPUTE = "refund_and_dispute"
    REFUND_CURRENCY = "refund_currency"
    REFUND_ELSEWHERE = "refund_elsewhere"
    REPORTED_COST = "reported_cost"
    PAYMENT_UNDER_REVIEW = "review"
    RECONCILIATION = "reconcile"
    STUCK_WEBHOOK = "stuck_webhook"
    UNKNOWN_PAYMENT = "unknown_payment"
    UNREADABLE_WEBHOOK = "unreadable_webhook"
    UNUSABLE_USAGE = "unusable_usage"
    WRITE_OFF = "write_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to look at.

    Attributes:
        key: Names the cause, as ``kind:what``; raising the same key again changes nothing.
        at: When it was raised.
        resolved_at: When its cause was found to be over; None where that cannot be told.
        acknowledged_at: When an operator said that they know.
        acknowledged_by: Who that was.
    """

    key: str
    severity: Severity
    subject: str
    message: str
    at: datetime
    resolved_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""

    @property
    def kind(self) -> str:
        """What it is about: an ``AlertKind``, or what a later version calls it."""
        return self.key.partition(":")[0]

    @property
    def is_open(self) -> bool:
        """Whether an operator has still to look: its cause may last, and none said they know."""
        return self.resolved_at is None and self.acknowledged_at is None

    def resolve(self, *, at: datetime) -> Self:
        """Return the alert as over; a repeat keeps the first time."""
        return self if self.resolved_at else replace(self, resolved_at=at)

    def acknowledge(self, *, at: datetime, by: str) -> Self:
        """Return the alert as known to an operator; a repeat keeps the first."""
        if self.acknowledged_at:
            return self
        return replace(self, acknowledged_at=at, acknowledged_by=by)


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
            "when they sign in on another day. If you did not announce this site today, "
            "somebody may be making accounts by the dozen."
        ),
        at=at,
    )


def address_belongs_to_another(person_id: str, *, at: datetime) -> Alert:
    """Tell that a person's new address is another account's here."""
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


def account_not_joined(subject: str, *, at: datetime) -> Alert:
    """Tell that a person signed in whose address has another account here."""
    return Alert(
        key=f"account_not_joined:{subject}",
        severity=Severity.WARNING,
        subject="Somebody cannot sign in to the account of their address",
        message=(
            f"{subject} signed in at the identity provider with an address that has an account "
            "here under another id. Join the two: flask --app wsgi user move-to-supabase."
        ),
        at=at,
    )


def failing_check(check: str, detail: str, *, at: datetime) -> Alert:
    """Tell that something we depend on fails, and keeps failing."""
    return Alert(
        key=f"{AlertKind.MONITOR}:{check}",
        severity=Severity.CRITICAL,
        subject=f"{check} fails",
        message=detail,
        at=at,
    )
