"""Meters for answers that come in one piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from adapters.wires.public import clean, public_json, read_object
from adapters.wires.stated_error import bare_message, stated_error
from adapters.wires.stream_meter import UNREADABLE_ANSWER
from adapters.wires.tally import Tally
from adapters.wires.usage_names import Shape
from creditcore.domain.errors import UpstreamError, UpstreamFailedError
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Explain

_BAD_GATEWAY = 502
_MAX_DOCUMENT_BYTES = 64 * 1024 * 1024


class DocumentMeter(ABC):
    """Reads a document, and passes it on in one piece.

    It is held back until its end: the client's headers tell what it cost.

    Attributes:
        shape: Where the protocol keeps its counts.
        id_prefix: What ids of answers begin with in this protocol.
        failure: What the server refused the call with, where the document is an error.
    """

    shape: Shape
    id_prefix: str
    starved = False
    is_outdated = False

    def __init__(self, *, explain: Explain) -> None:
        """Start before the first byte.

        Args:
            explain: Reads errors of the upstream.
        """
        self._explain = explain
        self.budget: int | None = None
        self.limit: int | None = None
        self._document = bytearray()
        self._tally = Tally(self.shape)
        self._complete = False
        self._error: str | None = None
        self.failure: UpstreamError | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes from upstream; none leave yet."""
        if len(self._document) + len(chunk) > _MAX_DOCUMENT_BYTES:
            self._document.clear()
            self._error = UNREADABLE_ANSWER
        if self._error is None:
            self._document += chunk
        return b""

    def finish(self) -> bytes:
        """Return the document, or nothing where it is an error. To be called once."""
        body = bytes(self._document)
        document = read_object(body)
        if self._error is None and (error := stated_error(document) or self._error_in(document)):
            return self._fail(self._explain(error))
        if self._error is not None or (lengths := self._lengths(document)) is None:
            if self._error is None and (error := bare_message(document)) is not None:
                return self._fail(self._explain(error))
            return self._fail(UpstreamFailedError(UNREADABLE_ANSWER, status=_BAD_GATEWAY))
        self._complete = True
        for length in lengths:
            self._tally.deliver(length)
        if (usage := self._usage_in(document)) is not None:
            self._tally.report(usage)
        # The exact bytes, unless something in them is not the client's to see.
        changed = self._tidy(document)
        changed = clean(document, id_prefix=self.id_prefix) or changed
        return public_json(document) if changed else body

    def cut_short(self, message: str) -> bytes:  # noqa: ARG002 - a document is paid for as a whole
        """Return nothing: a document comes whole or not at all."""
        return b""

    @property
    def usage(self) -> Usage | None:
        """The usage reported, known after ``finish``."""
        return self._tally.usage

    @property
    def delivered_tokens(self) -> int:
        """Output tokens in the document, known after ``finish``."""
        return self._tally.delivered_tokens

    @property
    def complete(self) -> bool:
        """Whether a whole answer arrived."""
        return self._complete

    @property
    def error(self) -> str | None:
        """What is wrong with the answer, fit to be shown."""
        return self._error

    @property
    def reported_cost(self) -> str | None:
        """What the usage said that the answer cost, known after ``finish``."""
        return self._tally.reported_cost

    def _error_in(self, _document: dict[str, Any]) -> object:
        """Return the error that stands further inside, in place of an answer; None if none does."""
        return None

    def _usage_in(self, document: dict[str, Any]) -> object:
        """Return the report of usage in an answer; None where there is none."""
        return document.get("usage")

    def _tidy(self, _document: dict[str, Any]) -> bool:
        """Put the upstream's words in a whole answer into ours; whether there were any."""
        return False

    @abstractmethod
    def _lengths(self, document: dict[str, Any]) -> list[int] | None:
        """Return the UTF-8 bytes of each thing written, or None if this is no answer at all."""

    def _fail(self, failure: UpstreamError) -> bytes:
        self.failure = failure
        self._error = str(failure)
        return b""
