"""Sessions of this site, by any identity provider."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.sessions import Session


class Sessions(Protocol):
    """Who is signed in, in which browser."""

    def add(self, session: Session) -> None:
        """Add a session."""

    def find(self, secret_hash: bytes) -> Session | None:
        """Return the session of a cookie."""

    def lock(self, session_id: str, *, person_id: str) -> Session | None:
        """Return a session of this person, locked until the transaction ends."""

    def save(self, session: Session) -> None:
        """Write a changed session that ``lock`` returned."""

    def touch(self, session_id: str, *, at: datetime) -> None:
        """Note that a session was used, unless it was later already."""

    def open_of(self, person_id: str) -> Sequence[Session]:
        """Return the sessions of a person that were not ended, the last used first: 100 at most."""

    def end_all(self, person_id: str, *, at: datetime, but: str = "") -> int:
        """End a person's sessions, but perhaps one; return how many those were."""

    def forget(self, *, unused_since: datetime, limit: int) -> int:
        """Delete sessions that were not used since; return how many."""
