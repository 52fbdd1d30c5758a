"""Settlements that survive the process that knew of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from creditcore.domain.settlements import Settlement


class SettlementJournal(Protocol):
    """What this process is about to charge, kept outside of its memory.

    A cost is told before its charge commits, so that no client waits for the database. What
    is noted first survives the death of the process in between.
    """

    @property
    def fault(self) -> str | None:
        """Why the last settlement could not be noted; None where it was.

        Calls go on all the same. A process that dies meanwhile loses the charges that it had told
        and not committed; their holds expire.
        """

    def note(self, settlement: Settlement) -> None:
        """Keep a settlement; a later one of the same call takes its place.

        When it returns, the death of the process loses it no more. It never waits for a disk,
        and raises nothing: a journal that cannot be written is reported, and the call goes on.
        """

    def forget(self, reference: str) -> None:
        """Say that the ledger has the settlement of a call. Unknown references change nothing."""

    def close(self) -> None:
        """Let go of it in an orderly end; what the ledger does not have yet stays."""


class AbandonedJournals(Protocol):
    """The journals of processes that are no more."""

    def abandoned(self) -> Iterable[AbandonedJournal]:
        """Return them, each locked for us alone until it is discarded or closed."""


class AbandonedJournal(Protocol):
    """What one dead process was about to charge."""

    def settlements(self) -> Iterable[Settlement]:
        """Return the last settlement of each call. What was written by half is left out."""

    def discard(self) -> None:
        """Delete it: the ledger has everything in it."""

    def close(self) -> None:
        """Let go of it; another process may try again."""
