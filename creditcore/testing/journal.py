"""A journal in memory, for tests: it dies with its process, as no journal should."""

from __future__ import annotations

from dataclasses import dataclass, field

from creditcore.domain.settlements import Settlement


@dataclass
class MemoryJournal:
    """Keeps the last note of each call until the ledger has it.

    Attributes:
        noted: What the ledger does not have yet, by reference.
        history: Every note, in order.
        fault: What it says is wrong with it.
    """

    noted: dict[str, Settlement] = field(default_factory=dict)
    history: list[Settlement] = field(default_factory=list)
    fault: str | None = None

    def note(self, settlement: Settlement) -> None:
        self.noted[settlement.reference] = settlement
        self.history.append(settlement)

    def forget(self, reference: str) -> None:
        self.noted.pop(reference, None)

    def close(self) -> None:
        """Do nothing: what is noted stays."""
