"""The activity log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from creditcore.domain.activity import Activity


class ActivityLog(Protocol):
    """Every act, append-only. To be written in the transaction of the act."""

    def add(self, activity: Activity) -> None:
        """Append an act; its number is ignored, and given by the store."""

    def recent(
        self,
        *,
        limit: int,
        before: int | None = None,
        person_id: str | None = None,
        acts: Collection[str] = (),
    ) -> Sequence[Activity]:
        """Return acts, the latest first.

        Args:
            limit: How many.
            before: Only acts with a lower number: the last one of the page before.
            person_id: Only acts that concern this person's account.
            acts: Only these; all where none is named.
        """
