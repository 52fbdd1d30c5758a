"""What one answer used, as reported, and what of it was delivered, as counted by us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.wires.usage import UnreadableUsageError
from creditcore.domain.pricing import Usage

_BYTES_PER_TOKEN = 4
_UNREADABLE_USAGE = "The usage cannot be read."


class Tally:
    """Counts one answer.

    Attributes:
        is_outdated: Whether more was delivered since usage was last reported.
        pieces: Pieces of output, each of which is a token at least.
        bytes: UTF-8 bytes of them.
        delivered_tokens: Output tokens: one for each piece, or four bytes each if that is more.
    """

    def __init__(self, read: Callable[[Mapping[str, Any]], Usage]) -> None:
        """Start at nothing.

        Args:
            read: Reads usage as the protocol writes it, or raises ``UnreadableUsageError``.
        """
        self.is_outdated = False
        self.pieces = 0
        self.delivered_tokens = 0
        self.bytes = 0
        self._read = read
        self._reported: Usage | None = None
        self._cost: object = None
        self._unreadable = False

    @property
    def usage(self) -> Usage | None:
        """The last usage reported, unless it cannot be true.

        Nothing was ever read from no prompt, nor delivered without being written.
        """
        usage = self._reported
        if usage is None or usage.prompt_tokens == 0:
            return None
        return None if usage.completion_tokens == 0 and self.pieces else usage

    @property
    def error(self) -> str | None:
        """What is wrong with the usage, fit to be shown."""
        doubtful = self._unreadable or self._reported is not None
        return _UNREADABLE_USAGE if doubtful and self.usage is None else None

    @property
    def reported_cost(self) -> str | None:
        """What the last usage that told a cost said it was, in USD.

        JSON's number has become a float by now. Its shortest text is what LiteLLM wrote, which
        had a float as well.
        """
        cost = self._cost
        return repr(cost) if type(cost) in (int, float) else None

    def exceeds(self, *, budget: int | None, limit: int | None) -> bool:
        """Whether more was delivered than a budget (roughly) or a limit (surely) allows."""
        if budget is not None and self.delivered_tokens > budget:
            return True
        return limit is not None and self.pieces > limit

    def report(self, usage: object) -> None:
        """Take a report of usage. An unreadable one counts as none; a later one counts more."""
        counts = usage if isinstance(usage, dict) else {}
        if "cost" in counts:
            self._cost = counts["cost"]
        try:
            self._reported = self._read(counts)
        except UnreadableUsageError:
            self._unreadable = True
        else:
            self.is_outdated = False

    def deliver(self, length: int) -> None:
        """Count a piece of output of so many UTF-8 bytes; of none, it is no piece."""
        if length:
            self.pieces += 1
            self.bytes += length
            self.delivered_tokens = max(self.pieces, -(-self.bytes // _BYTES_PER_TOKEN))
            self.is_outdated = True


def text_length(*texts: object) -> int:
    """Return the UTF-8 bytes of texts; what is no text has none."""
    length = 0
    for text in texts:
        if isinstance(text, str):
            length += len(text) if text.isascii() else len(text.encode())
    return length
