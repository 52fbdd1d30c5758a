"""What one answer used, as reported, and what of it was delivered, as counted by us."""

from __future__ import annotations

from adapters.wires.usage import Reports
from adapters.wires.usage_names import Shape
from creditcore.domain.pricing import Usage

_BYTES_PER_TOKEN = 4


class Tally:
    """Counts one answer.

    Attributes:
        is_outdated: Whether more was delivered since output was last reported.
        pieces: Pieces of output, each of which is a token at least.
        bytes: UTF-8 bytes of them.
        delivered_tokens: Output tokens: one for each piece, or four bytes each if that is more.
    """

    def __init__(self, shape: Shape) -> None:
        """Start at nothing.

        Args:
            shape: Where the protocol keeps its counts.
        """
        self.is_outdated = False
        self.pieces = 0
        self.delivered_tokens = 0
        self.bytes = 0
        self._reports = Reports(shape)
        self._cost: object = None

    @property
    def usage(self) -> Usage | None:
        """The counts reported so far, 0 for a side that no report has."""
        return self._reports.usage

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

    def begin(self, usage: object) -> None:
        """Take a report from before anything was written, of which only the input counts."""
        self._reports.begin(usage)

    def report(self, usage: object) -> None:
        """Take a report of usage, as far as it can be read."""
        if isinstance(usage, dict) and "cost" in usage:
            self._cost = usage["cost"]
        if self._reports.add(usage):
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
