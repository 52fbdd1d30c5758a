"""The price list, stored so that it outlives the model server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.pricing import ModelPrice


class Prices(Protocol):
    """What each model costs."""

    def all(self) -> Sequence[ModelPrice]:
        """Return every price, by model name."""

    def replace_all(self, prices: Sequence[ModelPrice], *, at: datetime) -> None:
        """Make this the list: models that are missing from it are no longer offered.

        Every price that was ever in the list can still be found by its snapshot.
        """

    def find_snapshot(self, snapshot: str) -> ModelPrice | None:
        """Return a price as it was when it was in the list. Its limits may be left out."""
