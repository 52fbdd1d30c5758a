"""Meters for chat completions: what passes, what it used, what must not be seen.

Nothing an upstream sends makes them raise. What cannot be read is not passed on, since
what we cannot read we cannot vouch for either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import orjson

from adapters.litellm.faults import Fault
from adapters.litellm.wire.sse import EventTooLongError, SseEvent, SseSplitter
from adapters.litellm.wire.usage import (
    UnreadableUsageError,
    public_usage,
    read_usage,
    tells_cost,
)
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Receipt

_DONE = b"[DONE]"
_MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
_BYTES_PER_TOKEN = 4
_UNREADABLE_USAGE = "The usage cannot be read."
_UNREADABLE_ANSWER = "The answer cannot be read."

# What every chunk of one stream repeats.
_HEAD = ("id", "object", "created", "model")

# What some servers add to a chunk about their own business.
_PRIVATE = frozenset(
    {"_hidden_params", "_response_headers", "_response_ms", "cost", "response_cost"}
)


def error_event(message: str, *, kind: str, code: str | None) -> bytes:
    """Return an error as the event that OpenAI's SDKs raise from."""
    return b"data: " + _error_document(message, kind=kind, code=code) + b"\n\n"


class ChatStreamMeter:
    """Reads a stream of chat completion chunks; whole events leave as they came.

    Changed or taken out are only: usage the client did not ask for, what the call cost
    the operator, and errors in LiteLLM's words. Beside usage that the client did ask for
    stands what the call cost the client.
    """

    def __init__(self, *, wants_usage: bool, choices: int, receipt: Receipt) -> None:
        self.budget: int | None = None
        self.limit: int | None = None
        self._wants_usage = wants_usage
        self._choices = choices
        self._receipt = receipt
        self._splitter = SseSplitter()
        self._tally = _Tally()
        self._waiting: deque[SseEvent] = deque()
        self._unpaid: bytes | None = None
        self._delivered = 0
        self._head: dict[str, Any] = {}
        self._finished: set[int] = set()
        self._done = False
        self._broken = False
        self._error: str | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes from upstream, return those the client may have now."""
        if self._broken:
            return b""
        try:
            self._waiting.extend(self._splitter.feed(chunk))
        except EventTooLongError:
            self._broken = True
            self._error = _UNREADABLE_ANSWER
            return error_event(_UNREADABLE_ANSWER, kind="server_error", code=None)
        return self._pass_paid()

    def finish(self) -> bytes:
        """Return what is still held back when the upstream has ended: at most one event."""
        event = self._splitter.finish()
        if event is not None and not self._broken:
            self._waiting.append(event)
        return self._pass_paid()

    @property
    def starved(self) -> bool:
        """Whether an event is held back that is not paid for."""
        return self._unpaid is not None

    def cut_short(self, message: str) -> bytes:
        """Return an end of reason ``length`` for every choice, the last one saying why."""
        open_choices = [index for index in range(self._choices) if index not in self._finished]
        ends = [self._end(index) for index in open_choices]
        notice = {"type": "insufficient_quota", "code": "credits_exhausted", "message": message}
        last = self._end(open_choices[-1] if open_choices else 0) | {"notice": notice}
        return b"".join([_rewritten(chunk) for chunk in (*ends, last)]) + b"data: [DONE]\n\n"

    @property
    def usage(self) -> Usage | None:
        """The last usage reported, unless the stream broke off after more text had followed."""
        return self._tally.usage if self.complete or not self._tally.usage_is_outdated else None

    @property
    def delivered_tokens(self) -> int:
        """Output tokens that passed: one for each delta, or four bytes each if that is more."""
        return self._delivered

    @property
    def complete(self) -> bool:
        """Whether the stream ended properly: ``[DONE]``, or an end for every choice."""
        return self._error is None and (self._done or len(self._finished) >= self._choices)

    @property
    def error(self) -> str | None:
        """What went wrong after the answer had begun, fit to be shown."""
        return self._error or self._tally.error

    def _pass_paid(self) -> bytes:
        """Let events go while they are paid for, and hold back the first that is not."""
        passed = []
        while self._unpaid is not None or self._waiting:
            if self._unpaid is None:
                self._unpaid = self._pass(self._waiting.popleft())
            if self._tally.exceeds(budget=self.budget, limit=self.limit):
                break
            passed.append(self._unpaid)
            self._unpaid = None
            self._delivered = self._tally.delivered_tokens
        return b"".join(passed)

    def _end(self, index: int) -> dict[str, Any]:
        choice = {"index": index, "delta": {}, "finish_reason": "length"}
        return self._head | {"choices": [choice]}

    def _pass(self, event: SseEvent) -> bytes:
        if event.data is None:
            return event.raw
        if event.data.strip() == _DONE:
            self._done = True
            return event.raw
        chunk = _object(event.data)
        if chunk.get("error"):
            return self._fault(chunk["error"])
        usage = chunk.get("usage")
        choices = chunk.get("choices")
        if choices is None and usage is not None:
            choices = []
        if not isinstance(choices, list):
            return b""
        if not self._head:
            self._head = {name: chunk[name] for name in _HEAD if name in chunk}
        self._read_choices(choices)
        if usage is None:
            return event.raw if _PRIVATE.isdisjoint(chunk) else _rewritten(chunk)
        self._tally.report(usage)
        return self._pass_with_usage(chunk, choices)

    def _pass_with_usage(self, chunk: dict[str, Any], choices: list[Any]) -> bytes:
        if not self._wants_usage:
            if all(map(_is_empty, choices)):
                return b""
            del chunk["usage"]
            return _rewritten(chunk)
        usage = chunk["usage"]
        counted = self._tally.usage
        if not isinstance(usage, dict) or counted is None:
            chunk["usage"] = None
        else:
            chunk["usage"] = {**public_usage(usage), **self._receipt(counted)}
        return _rewritten(chunk)

    def _read_choices(self, choices: list[Any]) -> None:
        for at, choice in enumerate(choices):
            if not isinstance(choice, dict):
                continue
            self._tally.deliver(choice.get("delta"))
            if choice.get("finish_reason"):
                index = choice.get("index")
                self._finished.add(index if isinstance(index, int) else at)

    def _fault(self, error: object) -> bytes:
        fault = Fault.of(error)
        self._error = fault.public_message
        return error_event(self._error, kind="server_error", code=fault.code)


class ChatDocumentMeter:
    """Reads a chat completion that comes in one piece, and passes it on in one piece.

    It is held back until its end: the client's headers tell what it cost.
    """

    starved = False

    def __init__(self) -> None:
        self.budget: int | None = None
        self.limit: int | None = None
        self._document = bytearray()
        self._tally = _Tally()
        self._complete = False
        self._error: str | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes from upstream; none leave yet."""
        if len(self._document) + len(chunk) > _MAX_DOCUMENT_BYTES:
            self._document.clear()
            self._error = _UNREADABLE_ANSWER
        if self._error is None:
            self._document += chunk
        return b""

    def finish(self) -> bytes:
        """Return the document, or an error in its place. To be called once."""
        body = bytes(self._document)
        document = _object(body)
        if self._error is None and document.get("error"):
            fault = Fault.of(document["error"])
            self._error = fault.public_message
            return _error_document(self._error, kind="server_error", code=fault.code)
        choices = document.get("choices")
        if self._error is not None or not isinstance(choices, list):
            self._error = _UNREADABLE_ANSWER
            return _error_document(self._error, kind="server_error", code=None)
        self._complete = True
        for choice in choices:
            if isinstance(choice, dict):
                self._tally.deliver(choice.get("message"))
        usage = document.get("usage")
        if usage is not None:
            self._tally.report(usage)
        return self._public(body, document, usage)

    def cut_short(self, message: str) -> bytes:
        """Return an error in the document's place."""
        return _error_document(message, kind="insufficient_quota", code="credits_exhausted")

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
        """Whether a whole chat completion arrived."""
        return self._complete

    @property
    def error(self) -> str | None:
        """What is wrong with the answer, fit to be shown."""
        return self._error or self._tally.error

    @staticmethod
    def _public(body: bytes, document: dict[str, Any], usage: object) -> bytes:
        """Return the exact bytes, unless something in them is not the client's to see."""
        private = not _PRIVATE.isdisjoint(document)
        if isinstance(usage, dict) and tells_cost(usage):
            document["usage"] = public_usage(usage)
            private = True
        return _public_json(document) if private else body


class _Tally:
    """What was reported and what was delivered, of one answer."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.usage_is_outdated = False
        self._unreadable = False
        self._deltas = 0
        self._bytes = 0

    @property
    def error(self) -> str | None:
        return _UNREADABLE_USAGE if self._unreadable and self.usage is None else None

    @property
    def delivered_tokens(self) -> int:
        return max(self._deltas, -(-self._bytes // _BYTES_PER_TOKEN))

    def exceeds(self, *, budget: int | None, limit: int | None) -> bool:
        """Whether more was delivered than a budget (roughly) or a limit (surely) allows."""
        roughly = budget is not None and self.delivered_tokens > budget
        return roughly or (limit is not None and self._deltas > limit)

    def report(self, usage: object) -> None:
        """Take a report of usage. An unreadable one counts as none; a later one counts more."""
        try:
            self.usage = read_usage(usage if isinstance(usage, Mapping) else {})
        except UnreadableUsageError:
            self._unreadable = True
        else:
            self.usage_is_outdated = False

    def deliver(self, message: object) -> None:
        """Count a message or a piece of one."""
        if not isinstance(message, dict):
            return
        length = _text_length(message)
        if length:
            self._deltas += 1
            self._bytes += length
            self.usage_is_outdated = True


def _text_length(message: dict[str, Any]) -> int:
    """Return the UTF-8 bytes of what a model wrote: text, refusal, reasoning, tool calls."""
    # LiteLLM repeats reasoning as ``thinking_blocks``; only one of its names counts.
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    length = _length(message.get("content")) + _length(reasoning) + _length(message.get("refusal"))
    calls = message.get("tool_calls")
    functions = [message.get("function_call")]
    if isinstance(calls, list):
        functions += [call.get("function") for call in calls if isinstance(call, dict)]
    for function in functions:
        if isinstance(function, dict):
            length += _length(function.get("name")) + _length(function.get("arguments"))
    return length


def _length(text: object) -> int:
    if isinstance(text, list):  # content in parts, as some providers answer
        return sum(_length(part.get("text")) for part in text if isinstance(part, dict))
    if not isinstance(text, str):
        return 0
    return len(text) if text.isascii() else len(text.encode())


def _is_empty(choice: object) -> bool:
    """Whether a choice says nothing: no text, no role, no end."""
    if not isinstance(choice, dict):
        return True
    delta = choice.get("delta")
    says = any(delta.values()) if isinstance(delta, dict) else bool(delta)
    return not says and not choice.get("finish_reason")


def _object(data: bytes) -> dict[str, Any]:
    """Read JSON; anything but an object is read as an empty one."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _rewritten(chunk: dict[str, Any]) -> bytes:
    return b"data: " + _public_json(chunk) + b"\n\n"


def _public_json(document: dict[str, Any]) -> bytes:
    return orjson.dumps({name: value for name, value in document.items() if name not in _PRIVATE})


def _error_document(message: str, *, kind: str, code: str | None) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})
