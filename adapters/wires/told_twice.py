"""What a stream tells in pieces, and then as a whole once more."""

from __future__ import annotations

from collections import Counter


class ToldTwice:
    """Knows how much of each text has come, so that its whole counts for the rest of it alone.

    Most servers tell a text twice; some leave the pieces out, others the whole.
    """

    def __init__(self) -> None:
        """Start with nothing told."""
        self._bytes: Counter[str] = Counter()

    def add(self, length: int, *places: str) -> int:
        """Take a piece of a text, and of what that text is a part of; return its length."""
        for place in places:
            self._bytes[place] += length
        return length

    def rest(self, length: int, place: str, *around: str) -> int:
        """Take a whole text; return how much of it had not come, which counts as come now.

        Args:
            length: Of the whole text.
            place: Where it stands.
            around: What it is a part of.
        """
        missing = max(0, length - self._bytes[place])
        return self.add(missing, place, *around)
