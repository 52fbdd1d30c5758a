"""The model server's list, the operator's rules over it, and how prices have changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.catalogue import ListedModel, PastPrice, PriceChange, PriceRule


class Catalogue(Protocol):
    """What prices come from. What is sold is in ``Prices``."""

    def lock(self) -> None:
        """Let no other transaction write prices until this one ends."""

    def listed(self) -> Sequence[ListedModel]:
        """Return the models as the model server listed them last, by name."""

    def listed_at(self) -> datetime | None:
        """Return when the list was kept last; None where it never was."""

    def keep_listed(self, models: Sequence[ListedModel], *, at: datetime) -> None:
        """Make this the list."""

    def rules(self) -> Sequence[PriceRule]:
        """Return every rule, the latest first; those that have ended too."""

    def add_rule(self, rule: PriceRule) -> None:
        """Add a rule.

        Raises:
            ReferenceConflictError: Its id is taken.
        """

    def save_rule(self, rule: PriceRule) -> None:
        """Write when a rule was ended."""

    def note(self, changed: Sequence[PriceChange], *, at: datetime) -> None:
        """Append to the history. The new prices' snapshots are in ``Prices``, or will be."""

    def history(self, model: str, *, limit: int) -> Sequence[PastPrice]:
        """Return how the price of a model has changed, the latest first."""
