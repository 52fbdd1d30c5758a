"""Claims in a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock


@dataclass
class MemoryClaims:
    """One process's claims; all that is taken is at once true for all threads."""

    taken: dict[str, list[datetime]] = field(default_factory=dict)
    changing: Lock = field(default_factory=Lock)

    def take(self, name: str, *, now: datetime, until: datetime, places: int = 1) -> bool:
        """Take a place, where one is free."""
        with self.changing:
            held = [end for end in self.taken.get(name, []) if end > now]
            if len(held) >= places:
                return False
            self.taken[name] = [*held, until]
            return True

    def release(self, name: str) -> None:
        """Free the places."""
        with self.changing:
            self.taken.pop(name, None)

    def forget(self, *, now: datetime, limit: int) -> int:
        """Delete what is over."""
        with self.changing:
            over = [n for n, ends in self.taken.items() if max(ends) <= now][:limit]
            for name in over:
                del self.taken[name]
            return len(over)
