"""Alerts for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.alerts import Alert
from creditcore.ports.calls import Place


class Alerts(Protocol):
    """What an operator must look at."""

    def add(self, alert: Alert) -> None:
        """Raise an alert; a repeat of its key changes nothing."""

    def recent(
        self, *, limit: int, only_open: bool = False, before: Place | None = None
    ) -> Sequence[Alert]:
        """Return the latest alerts, or those that are open, newest first: those before a place.

        A place's reference is the alert's key.
        """

    def lock(self, key: str) -> Alert | None:
        """Return an alert, locked until the transaction ends; None where it was never raised."""

    def save(self, alert: Alert) -> None:
        """Write a changed alert that is locked."""
