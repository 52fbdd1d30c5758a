"""The model server's own log of calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from creditcore.domain.spend import SpendRow


class SpendLog(Protocol):
    """What the model server says that each call cost it. Never asked inside a transaction."""

    def rows(self, *, start: datetime, end: datetime) -> Iterator[SpendRow]:
        """Return the calls that began from ``start`` up to ``end``, in any order, as they come.

        Raises:
            SpendLogMissingError: There is no log.
            UpstreamUnavailableError: The log, or the rest of it, cannot be had now.
        """
