"""Fresh names: the other hidden input."""

from __future__ import annotations

from typing import Protocol


class Ids(Protocol):
    """Makes names that nothing else has."""

    def new(self) -> str:
        """Return a new UUID as text, ordered by time of making."""

    def new_reference(self, prefix: str) -> str:
        """Return a new reference of letters, digits and ``-`` that starts with ``prefix``."""
