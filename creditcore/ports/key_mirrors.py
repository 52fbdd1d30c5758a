"""How far the model server's copies of our keys are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from creditcore.domain.keys import ApiKey
from creditcore.domain.mirrors import KeyMirror, SyncStatus


class KeyMirrors(Protocol):
    """One mirror for each key. Adding or saving a key makes its mirror pending, and due at once."""

    def lock_due(self, *, now: datetime) -> tuple[KeyMirror, ApiKey] | None:
        """Return the mirror that has been due longest and its key, locked until the end.

        Mirrors that another transaction has locked are passed over.
        """

    def save(self, mirror: KeyMirror) -> bool:
        """Write a mirror; return False, and change nothing, where its key changed meanwhile."""

    def find(self, key_ids: Collection[str]) -> Mapping[str, KeyMirror]:
        """Return the mirrors of keys, by key."""

    def renew(self, key_ids: Collection[str], *, at: datetime) -> int:
        """Make mirrors pending and due, as a change of their keys would; return how many."""

    def renew_funded(self, *, since: datetime, at: datetime) -> int:
        """Make the mirrors pending of keys that work and whose wallet was funded, or lost funds.

        Every transfer of a wallet since then counts, but for the charges of calls.
        """

    def renew_stale(self, *, synced_before: datetime, at: datetime, limit: int) -> int:
        """Make some mirrors pending that were not compared since then; return how many.

        The model server may have lost what it had.
        """

    def after(self, key_id: str, *, limit: int) -> list[KeyMirror]:
        """Return mirrors in the order of their keys, those behind a key."""

    def behind_since(self) -> datetime | None:
        """Return since when the mirror waits that has waited longest; None if none does.

        One that was never compared waits since its key was made, and so does one whose key was
        changed a moment ago. Among many, the oldest may be missed.
        """

    def counts(self) -> Mapping[SyncStatus, int]:
        """Return how many mirrors are in each state."""
