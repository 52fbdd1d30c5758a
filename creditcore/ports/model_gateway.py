"""The model server's own desk: its price list and its health."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.pricing import ModelPrice


class ModelGateway(Protocol):
    """What the model server offers. Never called while a database transaction is open."""

    def fetch_prices(self) -> Sequence[ModelPrice]:
        """Return every model that has a usable price.

        Raises:
            UpstreamUnavailableError: No usable price list.
        """

    def is_healthy(self) -> bool:
        """Whether it answers at all."""
