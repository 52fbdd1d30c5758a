"""What the stored books themselves say about the invariants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Breach:
    """One row that contradicts an invariant.

    Attributes:
        invariant: ``I1`` to ``I12``.
        row: What to look up: the table and the key of the row.
        detail: What is stored, and what should be, in microcredits.
    """

    invariant: str
    row: str
    detail: str


class AuditQueries(Protocol):
    """Looks for contradictions among everything stored, as of one instant."""

    def breaches(self, invariant: str, *, limit: int) -> Sequence[Breach]:
        """Return rows that break an invariant, at most ``limit``."""

    def counts(self) -> dict[str, int]:
        """Return how many wallets, transfers, holds and purchases were looked at."""
