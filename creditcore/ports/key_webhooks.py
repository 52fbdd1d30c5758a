"""Addresses of others that are told what happened to their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class KeyWebhooks(Protocol):
    """Programs that people name, and none that they should not reach from here."""

    def check(self, url: str) -> None:
        """See whether something could be sent there; nothing is.

        Raises:
            InvalidRequestError: It is no web address, or none that may be used here.
        """

    def send(self, url: str, secret: str, message_id: str, event: Mapping[str, object]) -> None:
        """Deliver a signed message. Never called while a transaction is open.

        Args:
            url: Where to.
            secret: ``whsec_`` and Base64, known to the receiver.
            message_id: The same for each attempt, so that a repeat can be told from news.
            event: What has happened, as JSON has it.

        Raises:
            WebhookUndeliveredError: It was not taken; try again later.
        """
