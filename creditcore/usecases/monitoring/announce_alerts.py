"""Tell operators about alerts: by mail and by a signed webhook, once each, never in a storm.

What is new leaves as one message. Then there is quiet for a while, in which news gathers for the
next one: a thousand alerts of an hour are a handful of messages, and a trouble that was over
before it was told of is never told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.alerts import Alert
from creditcore.domain.errors import AlertsUndeliveredError
from creditcore.domain.jobs import Job, every
from creditcore.ports.alert_webhook import AlertWebhook
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasClaims
from creditcore.ports.transactions import AlertsTransaction, Begins, MailTransaction
from creditcore.usecases.jobs.send_mail import SendMail

ANNOUNCE = "announce_alerts"
"""The kind of the job that looks for news."""

SEND_ALERTS = "send_alerts"
"""The kind of the jobs that hand a message to the webhook."""

EVERY_MINUTE = every(ANNOUNCE, timedelta(minutes=1))
TOLD_FOR = timedelta(days=2)
"""Alerts that are older, and were never told, are not news; claims are kept as long."""

MAX_NAMED = 25
_LOOKED_AT = 1_000
_TEMPLATE = "alerts"


class AnnounceAlertsTransaction(AlertsTransaction, HasClaims, MailTransaction, Protocol):
    """What announcing alerts reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What there is to tell.

    Attributes:
        raised: New alerts, newest first.
        resolved: Alerts that were told before, and whose cause is over.
    """

    raised: Sequence[Alert] = ()
    resolved: Sequence[Alert] = ()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.raised or self.resolved)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceAlerts:
    """Send what is new to those who want to know.

    Attributes:
        addresses: Who gets mails.
        webhook: What gets signed messages; None for nothing.
        quiet: How long nothing more is sent after a message.
    """

    transactions: Begins[AnnounceAlertsTransaction]
    clock: Clock
    mails: SendMail
    addresses: Sequence[str] = ()
    webhook: AlertWebhook | None = None
    quiet: timedelta = timedelta(minutes=15)

    def announce(self, job: Job) -> None:
        """Enqueue a message about what is new, unless it is quiet; in one transaction."""
        if not self.addresses and self.webhook is None:
            return
        now = self.clock.now()
        with self.transactions.begin() as tx:
            if not tx.claims.take("alerts:quiet", now=now, until=now + self.quiet):
                return
            news = self._news(tx, now)
            if not news:
                # Nothing was said: the quiet has not begun, and the claim is forgotten.
                return
            event = _event(news, at=now)
            if self.webhook is not None:
                tx.jobs.enqueue(SEND_ALERTS, job.business_key, event, run_at=now)
            for address in self.addresses:
                self.mails.enqueue(
                    tx, _TEMPLATE, to=address, event=f"{job.business_key}:{address}", values=event
                )
            tx.commit()

    def send(self, job: Job) -> None:
        """Hand the message of a job to the webhook.

        Raises:
            AlertsUndeliveredError: It was not taken.
        """
        if self.webhook is not None:
            self.webhook.send(f"msg_{_digest(job.name)}", job.payload)

    def send_test(self) -> list[str]:
        """Send a test message each way, now; return where it went.

        Raises:
            AlertsUndeliveredError: There is nowhere to send it, or the webhook did not take it.
            MailError: A mail did not leave.
        """
        now = self.clock.now()
        if not self.addresses and self.webhook is None:
            raise AlertsUndeliveredError("Neither ALERT_EMAIL nor ALERT_WEBHOOK_URL is set.")
        told = []
        if self.webhook is not None:
            event = {"type": "alerts.test", "timestamp": now.isoformat(), "data": {}}
            self.webhook.send(f"msg_{_digest(f'test:{now.isoformat()}')}", event)
            told.append("webhook")
        for address in self.addresses:
            self.mails.send_test(address)
            told.append(address)
        return told

    def _news(self, tx: AnnounceAlertsTransaction, now: datetime) -> News:
        """Claim what was not told yet: the process that claims it tells it, and no other."""
        since = now - TOLD_FOR
        latest = tx.alerts.recent(limit=_LOOKED_AT)
        until = now + TOLD_FOR

        def is_news(what: str, alert: Alert, at: datetime) -> bool:
            name = f"alerts:{what}:{_digest(f'{alert.key}@{at.isoformat()}')}"
            return at > since and tx.claims.take(name, now=now, until=until)

        raised = [alert for alert in latest if alert.is_open and is_news("raised", alert, alert.at)]
        resolved = [
            alert
            for alert in latest
            if alert.resolved_at is not None
            and alert.at > since
            # Told of being raised: that claim is taken.
            and not tx.claims.take(
                f"alerts:raised:{_digest(f'{alert.key}@{alert.at.isoformat()}')}",
                now=now,
                until=until,
            )
            and is_news("resolved", alert, alert.resolved_at)
        ]
        return News(raised=raised, resolved=resolved)


def _event(news: News, *, at: datetime) -> dict[str, object]:
    """Return what a message says, as JSON has it."""
    return {
        "type": "alerts",
        "timestamp": at.isoformat(),
        "data": {
            "raised": [_facts(alert) for alert in news.raised[:MAX_NAMED]],
            "resolved": [_facts(alert) for alert in news.resolved[:MAX_NAMED]],
            "raised_count": len(news.raised),
            "resolved_count": len(news.resolved),
        },
    }


def _facts(alert: Alert) -> dict[str, object]:
    return {
        "key": alert.key,
        "severity": str(alert.severity),
        "subject": alert.subject,
        "message": alert.message,
        "raised_at": alert.at.isoformat(),
        "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
