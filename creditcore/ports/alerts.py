"""Alerts for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.alerts import Alert


class Alerts(Protocol):
    """What somebody must look at."""

    def add(self, alert: Alert) -> None:
        """Raise an alert; a repeat of its key changes nothing."""

    def recent(self, *, limit: int) -> Sequence[Alert]:
        """Return the latest alerts, newest first."""
