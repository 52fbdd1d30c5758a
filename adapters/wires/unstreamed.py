"""A whole answer where a stream was asked for: collected, to be told as the events it lacks.

Some servers ignore ``stream``, as those in front of models that cannot do it. The model has run,
and its provider is to be paid.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.wires.sse import BYTE_ORDER_MARK, MAX_EVENT_BYTES, EventTooLongError

_PIECE_LETTERS = 1_000


class Unstreamed:
    """Collects a document in place of a stream; a stream passes."""

    def __init__(self) -> None:
        """Know nothing yet of what comes."""
        self._document: bytearray | None = None
        self._is_stream = False

    def keeps(self, chunk: bytes) -> bool:
        """Take bytes; whether they are of a document, and kept. No event begins with a brace.

        Raises:
            EventTooLongError: It is longer than an event may be.
        """
        if self._is_stream:
            return False
        if self._document is None:
            beginning = chunk.lstrip().removeprefix(BYTE_ORDER_MARK).lstrip()
            if not beginning.startswith(b"{"):
                self._is_stream = bool(beginning)
                return False
            self._document = bytearray()
        self._document += chunk
        if len(self._document) > MAX_EVENT_BYTES:
            raise EventTooLongError
        return True

    def take(self) -> bytes | None:
        """Return the document, once; None where a stream came."""
        document, self._document = self._document, None
        return None if document is None else bytes(document)


def in_pieces(text: str) -> Iterator[str]:
    """Return a text as a stream has it, so that what is paid for of it can leave."""
    for at in range(0, len(text), _PIECE_LETTERS):
        yield text[at : at + _PIECE_LETTERS]
