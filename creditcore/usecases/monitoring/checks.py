"""What is looked at."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from creditcore.domain.mirrors import SyncStatus
from creditcore.domain.monitoring import Finding
from creditcore.domain.purchases import PurchaseState
from creditcore.ports.clock import Clock
from creditcore.ports.identity import IdentityOperators
from creditcore.ports.mail import Mailer
from creditcore.ports.model_gateway import ModelGateway
from creditcore.ports.payments import PaymentGateway
from creditcore.ports.store_ports import (
    HasAlerts,
    HasCatalogue,
    HasJobs,
    HasLedger,
    HasMirrors,
    HasOversight,
    HasPrices,
)
from creditcore.ports.transactions import Begins
from creditcore.usecases.monitoring.watch import Check

OLDEST_JOB = timedelta(minutes=10)
"""A job that waits longer has no worker, or what it needs is away."""

OVERDUE_HOLDS = timedelta(minutes=5)
OLDEST_PRICES = timedelta(hours=1)
"""They are fetched every minute."""

WEBHOOKS_COME_WITHIN = timedelta(minutes=30)
"""After a payment that was begun; one that is credited without any tells that they go astray."""

_PROBE = "creditcore-monitor@example.com"
_LATEST_PAYMENTS = 5
MIN_FREE_BYTES = 512 * 1024 * 1024
_MANY = 1000
_MINUTE = timedelta(minutes=1)


class ChecksTransaction(
    HasAlerts, HasCatalogue, HasJobs, HasLedger, HasMirrors, HasOversight, HasPrices, Protocol
):
    """What the checks read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Checks of everything this gateway depends on.

    Attributes:
        mailer: None where no mail is sent; nothing is looked at then.
        mirrors_keys: Whether the model server is to have copies of keys.
        data_dir: The folder whose disk must not run full.
    """

    transactions: Begins[ChecksTransaction]
    clock: Clock
    model_gateway: ModelGateway
    payment_gateway: PaymentGateway
    operators: IdentityOperators
    mirrors_keys: bool
    mailer: Mailer | None
    data_dir: Path

    def all(self) -> Mapping[str, Check]:
        """Return the checks by their names."""
        return {
            "database": self.database,
            "model server": self.models,
            "prices": self.prices,
            "payments": self.payments,
            "webhooks": self.webhooks,
            "identity": self.identity,
            **({"key copies": self.mirrors} if self.mirrors_keys else {}),
            **({"mail": self.mail} if self.mailer else {}),
            "jobs": self.jobs,
            "holds": self.holds,
            "disk": self.disk,
        }

    def database(self) -> Finding:
        """Ask it for something small."""
        with self.transactions.begin() as tx:
            tx.alerts.recent(limit=1)
        return Finding(is_healthy=True, detail="It answers.")

    def models(self) -> Finding:
        """Ask the model server whether it lives."""
        healthy = self.model_gateway.is_healthy()
        return Finding(is_healthy=healthy, detail="It answers." if healthy else "No answer.")

    def prices(self) -> Finding:
        """Count the models that can be sold, and see how old their prices are."""
        with self.transactions.begin() as tx:
            count, listed_at = len(tx.prices.all()), tx.catalogue.listed_at()
        age = timedelta(0) if listed_at is None else self.clock.now() - listed_at
        fetched = "" if listed_at is None else f", fetched {_ago(age)}"
        return Finding(
            is_healthy=count > 0 and age < OLDEST_PRICES,
            detail=f"Models with a price: {count}{fetched}.",
            value=count,
        )

    def webhooks(self) -> Finding:
        """See whether payments are credited without any webhook having come."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            latest = tx.oversight.inbox().latest_received_at
            paid = tx.oversight.purchases(limit=_LATEST_PAYMENTS, state=PurchaseState.PAID)
        untold = [
            purchase.reference
            for purchase in paid
            if purchase.created_at < now - WEBHOOKS_COME_WITHIN
            and (latest is None or latest < purchase.created_at)
        ]
        if not untold:
            return Finding(is_healthy=True, detail="They come.", value=0)
        return Finding(
            is_healthy=False,
            detail=(
                f"Payment {untold[-1]} was credited, and no webhook has come since it began. Enter "
                "BASE_URL/payments/paystack on the provider's dashboard, for this key's mode."
            ),
            value=len(untold),
        )

    def identity(self) -> Finding:
        """Ask the identity provider about a person who cannot exist."""
        self.operators.find(_PROBE)
        return Finding(is_healthy=True, detail="It answers.")

    def mirrors(self) -> Finding:
        """Count the copies of keys that cannot be made."""
        with self.transactions.begin() as tx:
            failed = tx.mirrors.counts().get(SyncStatus.FAILED, 0)
        return Finding(
            is_healthy=not failed, detail=f"Copies of keys that failed: {failed}.", value=failed
        )

    def payments(self) -> Finding:
        """Ask about a payment that cannot exist: any clear answer means that the key works."""
        self.payment_gateway.verify("creditcore-monitor")
        return Finding(is_healthy=True, detail="It answers, and knows our key.")

    def mail(self) -> Finding:
        """Sign in at the mail server."""
        if self.mailer is not None:
            self.mailer.check()
        return Finding(is_healthy=True, detail="It lets us in.")

    def jobs(self) -> Finding:
        """See whether jobs wait for long, or were given up."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            backlog = tx.jobs.backlog()
        dead = sum(each.dead for each in backlog)
        waiting = sum(each.waiting for each in backlog)
        due = [each.oldest_due_at for each in backlog if each.oldest_due_at]
        late = max(now - min(due, default=now), timedelta(0))
        return Finding(
            is_healthy=not dead and late < OLDEST_JOB,
            detail=(
                f"Waiting: {waiting}; given up: {dead}; the oldest is {late.total_seconds():.0f} "
                "seconds late. A worker must run: 'flask --app wsgi worker'."
            ),
            value=int(late.total_seconds()),
        )

    def holds(self) -> Finding:
        """See whether holds are left open after their time."""
        before = self.clock.now() - OVERDUE_HOLDS
        with self.transactions.begin() as tx:
            count = len(tx.ledger.expired_holds(now=before, limit=_MANY))
        return Finding(
            is_healthy=count == 0, detail=f"Holds open after their time: {count}.", value=count
        )

    def disk(self) -> Finding:
        """See whether journals, and the books where they are a file, have room."""
        folder = self.data_dir if self.data_dir.exists() else Path()
        free = shutil.disk_usage(folder).free
        return Finding(
            is_healthy=free >= MIN_FREE_BYTES,
            detail=f"Free: {free // 1024**2:,} MB.",
            value=free,
        )


def _ago(age: timedelta) -> str:
    minutes = age // _MINUTE
    if minutes < 1:
        return "within the last minute"
    return f"{minutes} {'minute' if minutes == 1 else 'minutes'} ago"
