"""Claims in a dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass
class MemoryClaims:
    """For each name, when its places become free."""

    taken: dict[str, tuple[datetime, ...]]

    def take(self, name: str, *, now: datetime, until: datetime, places: int = 1) -> bool:
        held = tuple(end for end in self.taken.get(name, ()) if end > now)
        if len(held) >= places:
            return False
        self.taken[name] = (*held, until)
        return True

    def release(self, name: str) -> None:
        self.taken.pop(name, None)

    def forget(self, *, now: datetime, limit: int) -> int:
        over = 0
        for name, ends in list(self.taken.items()):
            kept = tuple(end for end in ends if end > now or over >= limit)
            over += len(ends) - len(kept)
            self.taken[name] = kept
        return over
