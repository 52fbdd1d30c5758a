"""Raise, resolve and acknowledge alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.alerts import Alert
from creditcore.domain.errors import AlertNotFoundError
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasActivity, HasAlerts
from creditcore.ports.transactions import AlertsTransaction, Begins


class KeepAlertsTransaction(AlertsTransaction, HasActivity, Protocol):
    """What acknowledging alerts reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlerts:
    """What an operator does with alerts."""

    transactions: Begins[KeepAlertsTransaction]
    clock: Clock

    def acknowledge(self, key: str, *, actor: Actor = SYSTEM) -> Alert:
        """Note that an operator knows; a repeat changes nothing.

        Raises:
            AlertNotFoundError: It was never raised.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            alert = tx.alerts.lock(key)
            if alert is None:
                raise AlertNotFoundError(key)
            known = alert.acknowledge(at=now, by=actor.id)
            if known is not alert:
                tx.alerts.save(known)
                tx.activity.add(
                    Activity(actor=actor, act=Act.ALERT_ACKNOWLEDGED, target=f"alert:{key}", at=now)
                )
                tx.commit()
        return known


def raise_alert(tx: HasAlerts, alert: Alert) -> bool:
    """Raise the alert of a condition; return whether it is new, or was resolved before.

    One that is raised already stays as it is, also if an operator has acknowledged it.
    """
    earlier = tx.alerts.lock(alert.key)
    if earlier is None:
        tx.alerts.add(alert)
        return True
    if earlier.resolved_at is None:
        return False
    tx.alerts.save(alert)
    return True


def resolve_alert(tx: HasAlerts, key: str, *, at: datetime) -> bool:
    """Note that the condition of an alert is over; return whether it was raised until now."""
    alert = tx.alerts.lock(key)
    if alert is None or alert.resolved_at is not None:
        return False
    tx.alerts.save(alert.resolve(at=at))
    return True
