"""Where alerts are sent that machines read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class AlertWebhook(Protocol):
    """A program of the operator's that wants to know. Never called while a transaction is open."""

    def send(self, message_id: str, event: Mapping[str, object]) -> None:
        """Deliver a signed message.

        Args:
            message_id: The same for each attempt, so that a repeat can be told from news.
            event: What has happened, as JSON has it.

        Raises:
            AlertsUndeliveredError: It was not taken; try again later.
        """
