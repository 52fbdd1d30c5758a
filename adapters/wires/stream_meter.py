"""Meters for streams: what passes, what it used, what must not be seen.

Nothing an upstream sends makes them raise. What cannot be read is not passed on, since
what we cannot read we cannot vouch for either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import orjson

from adapters.wires.public import read_object
from adapters.wires.refrain import Path, Refrain
from adapters.wires.sse import EventTooLongError, SseEvent, SseSplitter
from adapters.wires.stated_error import bare_message, stated_error
from adapters.wires.tally import Tally
from adapters.wires.unstreamed import Unstreamed
from adapters.wires.usage_names import Shape
from creditcore.domain.errors import UpstreamError, UpstreamFailedError
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Explain, Receipt

DONE = b"[DONE]"
"""What is no event, and ends a stream of some protocols."""

UNREADABLE_ANSWER = "The answer cannot be read."
_BROKEN_OFF = "The answer broke off."
_BAD_GATEWAY = 502

# A stream has a few kinds of events with text, and learning one costs as much as reading it.
_MOST_LESSONS = 16


class StreamMeter(ABC):
    """Reads a stream of events; whole events leave, as they came where that is possible.

    Attributes:
        texts: Where in an event the text may stand that is all it has to say: with any
            text there, the event leaves as it came, and only the count goes on.
    """

    texts: ClassVar[tuple[Path, ...]] = ()

    def __init__(self, shape: Shape, *, receipt: Receipt, explain: Explain) -> None:
        """Start before the first byte.

        Args:
            shape: Where the protocol keeps its counts.
            receipt: Says what usage cost.
            explain: Reads errors of the upstream.
        """
        self.budget: int | None = None
        self.limit: int | None = None
        self._receipt = receipt
        self._explain = explain
        self._tally = Tally(shape)
        self._splitter = SseSplitter()
        self._unstreamed = Unstreamed()
        self._waiting: deque[bytes] = deque()
        self._refrain: Refrain | None = None
        self._lessons_left = _MOST_LESSONS if self.texts else 0
        self._unpaid: bytes | None = None
        self._delivered = 0
        self._broken = False
        self._is_told = False
        self._error: str | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes from upstream, return those the client may have now."""
        if self._broken:
            return b""
        try:
            if self._unstreamed.keeps(chunk):
                return b""
            self._waiting.extend(self._splitter.feed(chunk))
        except EventTooLongError:
            self._broken = True
            return self._fail(UpstreamFailedError(UNREADABLE_ANSWER, status=_BAD_GATEWAY))
        return self._pass_paid()

    def finish(self) -> bytes:
        """Return what is still held back when the upstream has ended: at most one event."""
        event = self._splitter.finish() or _last_event(self._splitter.unfinished)
        if event is not None and not self._broken:
            self._waiting.append(event)
        document = self._unstreamed.take()
        if document is not None and not self._broken:
            self._waiting.extend(map(_event_of, self._events_of(read_object(document))))
        return self._pass_paid()

    @property
    def starved(self) -> bool:
        """Whether an event is held back that is not paid for."""
        return self._unpaid is not None

    @property
    def usage(self) -> Usage | None:
        """The counts reported so far, 0 for a side that no report has."""
        return self._tally.usage

    @property
    def is_outdated(self) -> bool:
        """Whether output passed that no report of usage has counted."""
        if not self._tally.is_outdated:
            return False
        if not self.complete:
            return True
        usage = self._tally.usage
        return not self._is_told and (usage is None or not usage.completion_tokens)

    @property
    def delivered_tokens(self) -> int:
        """Output tokens that passed: one for each piece, or four bytes each if that is more."""
        return self._delivered

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether the stream ended as its protocol says it should."""

    @property
    def failure(self) -> UpstreamError | None:
        """Nothing: a stream says in itself what went wrong."""
        return None

    @property
    def error(self) -> str | None:
        """What went wrong after the answer had begun, fit to be shown."""
        return self._error

    @property
    def reported_cost(self) -> str | None:
        """What the usage said that the answer cost."""
        return self._tally.reported_cost

    @abstractmethod
    def cut_short(self, message: str) -> bytes:
        """Return an end as if the output limit had been reached, which says why."""

    @abstractmethod
    def _read(self, event: SseEvent) -> bytes:
        """Read an event; return it as the client may have it."""

    @abstractmethod
    def _events_of(self, document: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """Return the events of a stream that say what a whole answer says, or its error."""

    @abstractmethod
    def _error_event(self, failure: UpstreamError) -> bytes:
        """Return an error as this protocol says it."""

    def _left(self) -> None:  # noqa: B027 - most protocols have nothing to note
        """Note that the event that was read last has left for the client.

        Where there are ``texts``, it is noted again with every event that is known but for
        its text.
        """

    def _told(self) -> Mapping[str, str]:
        """Return what the answer cost, as soon as that is certain.

        Where no report counts the output, that is at its end: more text would cost more. Where
        one has fallen behind, it is what the answer would cost if it broke off here.
        """
        usage = self._tally.usage
        if usage is None or not (usage.completion_tokens or self.complete):
            return {}
        if not usage.completion_tokens or self.is_outdated:
            completion = max(usage.completion_tokens, self._tally.delivered_tokens)
            usage = replace(usage, completion_tokens=completion)
        self._is_told = self.complete
        return self._receipt(usage)

    def _error_in(self, event: SseEvent, document: dict[str, Any]) -> object:
        """Return what an event says went wrong, by its content or by its name; None if nothing."""
        error = stated_error(document)
        if error is None and b"event:" in event.raw and event.name == "error":
            return document or (event.data or b"").decode(errors="replace")
        return error

    def _read_stranger(self, document: dict[str, Any]) -> bytes:
        """Read an event that is none of the protocol's: an error, or nothing to pass on."""
        error = bare_message(document)
        return b"" if error is None else self._fail(self._explain(error))

    def _fail_by(self, error: object, document: dict[str, Any]) -> bytes:
        """Note what an event says went wrong, and what it says was used until then."""
        self._report_late(document.get("usage"))
        return self._fail(self._explain(error))

    def _report_late(self, usage: object) -> None:
        """Take a report from behind an answer, or a break, where none before counted the output.

        Where one did, the client has been told what it comes to.
        """
        known = self._tally.usage
        is_counted = known is not None and known.completion_tokens > 0
        if self.is_outdated or not (is_counted or self._is_told):
            self._tally.report(usage)

    def _fail(self, failure: UpstreamError) -> bytes:
        """Note what went wrong, and return it as the client may have it.

        Behind a complete answer it is nothing: the answer would be asked for again.
        """
        if self.complete:
            return b""
        self._error = str(failure)
        return self._error_event(failure)

    def _break_off(self) -> bytes:
        """Note that the end is missing, and return the error that stands in its place."""
        return self._fail(UpstreamFailedError(_BROKEN_OFF, status=_BAD_GATEWAY))

    def _pass_paid(self) -> bytes:
        """Let events go while they are paid for, and hold back the first that is not."""
        passed = []
        while self._unpaid is not None or self._waiting:
            if self._unpaid is None:
                self._unpaid = self._understand(self._waiting.popleft())
            if self._tally.exceeds(budget=self.budget, limit=self.limit):
                break
            passed.append(self._unpaid)
            self._unpaid = None
            self._delivered = self._tally.delivered_tokens
            self._left()
        return b"".join(passed)

    def _understand(self, raw: bytes) -> bytes:
        """Read an event, unless it is known but for its text."""
        if self._refrain is not None:
            length = self._refrain.text_length(raw)
            if length is not None:
                self._tally.deliver(length)
                return raw
        bytes_before = self._tally.bytes
        forward = self._read(SseEvent.of(raw))
        if self._lessons_left and forward is raw:
            self._learn(raw, self._tally.bytes - bytes_before)
        return forward

    def _learn(self, raw: bytes, length: int) -> None:
        """Recognise this event from now on, if all its output is one text in one place."""
        if not length:
            return
        self._lessons_left -= 1
        for path in self.texts:
            refrain = Refrain.of(raw, path)
            if refrain is not None and refrain.text_length(raw) == length:
                self._refrain = refrain
                return


def _last_event(raw: bytes) -> bytes | None:
    """Return an event that lacks only the empty line behind it, with one; None where more is cut.

    Some servers leave that out at their end, where the usage stands.
    """
    ended = raw.rstrip(b"\r\n") + b"\n\n"
    data = SseEvent.of(ended).data
    if data is None:
        return None
    return ended if data.strip() == DONE or read_object(data) else None


def _event_of(document: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"
