"""Meters for answers with choices: chat and legacy completions."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from adapters.wires.document_meter import DocumentMeter
from adapters.wires.openai.wire import error_event
from adapters.wires.public import is_public, public_event, public_usage, read_object
from adapters.wires.sse import KEEP_ALIVE, SseEvent
from adapters.wires.stream_meter import DONE, StreamMeter
from adapters.wires.usage_names import CHAT
from creditcore.domain.errors import UpstreamError
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Explain, Receipt

_END = b"data: [DONE]\n\n"
_METADATA = ("usageMetadata", "usage_metadata", "timings")
_BROKE = "The model reported an error while it answered."

# What every chunk of one stream repeats.
_HEAD = ("id", "object", "created", "model")


class ChunkStreamMeter(StreamMeter):
    """Reads a stream of chunks; whole events leave as they came.

    Changed or taken out are only: usage the client did not ask for, what the call cost
    the operator, and errors in LiteLLM's words. Beside usage that the client did ask for
    stands what the call cost the client.
    """

    def __init__(
        self, *, wants_usage: bool, choices: int, receipt: Receipt, explain: Explain
    ) -> None:
        """Start before the first byte.

        Args:
            wants_usage: Whether the client asked for usage.
            choices: How many answers come.
            receipt: Says what usage cost.
            explain: Reads errors of the upstream.
        """
        super().__init__(CHAT, receipt=receipt, explain=explain)
        self._wants_usage = wants_usage
        self._choices = choices
        self._head: dict[str, Any] = {}
        self._finished: set[int] = set()
        self._begun = False
        self._done = False

    @property
    def complete(self) -> bool:
        """Whether the stream ended properly: ``[DONE]``, or an end for every choice."""
        return self._error is None and (self._done or len(self._finished) >= self._choices)

    def finish(self) -> bytes:
        """Return what is still held back, and the end or an error where it is missing."""
        rest = super().finish()
        if self.starved or self._error is not None or self._done:
            return rest
        return rest + (_END if self.complete else self._break_off())

    def cut_short(self, message: str) -> bytes:
        """Return an end of reason ``length`` for every choice, the last one saying why."""
        open_choices = [index for index in range(self._choices) if index not in self._finished]
        ends = [self._end(index) for index in open_choices]
        notice = {"type": "insufficient_quota", "code": "credits_exhausted", "message": message}
        last = self._end(open_choices[-1] if open_choices else 0) | {"notice": notice}
        return b"".join([public_event(chunk) for chunk in (*ends, last)]) + _END

    @staticmethod
    @abstractmethod
    def _length(choice: dict[str, Any]) -> int:
        """Return the UTF-8 bytes of what a choice says."""

    @staticmethod
    @abstractmethod
    def _says(choice: dict[str, Any]) -> bool:
        """Whether a choice says anything a client might look for."""

    @staticmethod
    @abstractmethod
    def _ended(index: int) -> dict[str, Any]:
        """Return a choice that ends by its limit."""

    def _end(self, index: int) -> dict[str, Any]:
        return self._head | {"choices": [self._ended(index)]}

    def _read(self, event: SseEvent) -> bytes:
        if event.data is None:
            return KEEP_ALIVE
        if event.data.strip() == DONE:
            self._done = self._begun or self._error is not None
            return event.raw if self._done else self._break_off() + event.raw
        chunk = read_object(event.data)
        if (error := self._error_in(event, chunk)) is not None:
            return self._fail_by(error, chunk)
        choices = chunk.get("choices")
        if _counts_nothing(chunk.get("usage")) and (elsewhere := _usage_elsewhere(chunk)):
            chunk["usage"] = elsewhere
        usage = chunk.get("usage")
        if choices is None and usage is not None:
            choices = []
        if not isinstance(choices, list):
            return self._read_stranger(chunk)
        self._begun = True
        if not self._head:
            self._head = {name: chunk[name] for name in _HEAD if name in chunk}
        self._read_choices(choices)
        if usage is None:
            return event.raw if is_public(chunk) else public_event(chunk)
        if self._done:
            self._report_late(usage)
        else:
            self._tally.report(usage)
        return self._pass_with_usage(chunk, choices)

    def _error_in(self, event: SseEvent, document: dict[str, Any]) -> object:
        error = super()._error_in(event, document)
        return _error_of(document.get("choices")) if error is None else error

    def _pass_with_usage(self, chunk: dict[str, Any], choices: list[Any]) -> bytes:
        if not self._wants_usage:
            if not any(map(self._is_worth_passing, choices)):
                return b""
            del chunk["usage"]
            return public_event(chunk)
        usage = chunk["usage"]
        counted = self._tally.usage
        if not isinstance(usage, dict) or counted is None:
            chunk["usage"] = None
        else:
            chunk["usage"] = {**_in_known_words(usage, counted), **self._told()}
        return public_event(chunk)

    def _is_worth_passing(self, choice: object) -> bool:
        return isinstance(choice, dict) and (
            bool(choice.get("finish_reason")) or self._says(choice)
        )

    def _read_choices(self, choices: list[Any]) -> None:
        for at, choice in enumerate(choices):
            if not isinstance(choice, dict):
                continue
            self._tally.deliver(self._length(choice))
            # Some write the word "null" until there is a reason.
            if choice.get("finish_reason") not in (None, "", "null"):
                index = choice.get("index")
                self._finished.add(index if isinstance(index, int) else at)

    def _error_event(self, failure: UpstreamError) -> bytes:
        return error_event(str(failure), kind="server_error", code=failure.code)


def _error_of(choices: object) -> object:
    """Return the error that stands in a choice, as OpenRouter and its like report a break.

    Some only say that it was the reason to end.
    """
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, dict):
            if choice.get("error"):
                return choice["error"]
            if choice.get("finish_reason") == "error":
                return {"message": _BROKE}
    return None


def _in_known_words(usage: dict[str, Any], counted: Usage) -> dict[str, Any]:
    """Return usage as the client may see it, with the names of this protocol, which it reads."""
    shown = public_usage(usage)
    if "prompt_tokens" in shown and "completion_tokens" in shown:
        return shown
    prompt, completion = counted.prompt_tokens, counted.completion_tokens
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    return {**counts, "total_tokens": prompt + completion, **shown}


def _counts_nothing(usage: object) -> bool:
    return not isinstance(usage, dict) or not any(usage.values())


def _usage_elsewhere(chunk: dict[str, Any]) -> dict[str, Any] | None:
    """Return usage from where some write it: Moonshot in a choice, Groq in ``x_groq``.

    Gemini's own name for it is ``usageMetadata``, and llama.cpp tells the same in its timings.
    """
    choices = chunk.get("choices")
    places = [chunk.get("x_groq"), *(choices if isinstance(choices, list) else ())]
    found = [place.get("usage") for place in places if isinstance(place, dict)]
    found += [chunk.get(name) for name in _METADATA]
    return next((usage for usage in found if isinstance(usage, dict)), None)


class ChoicesDocumentMeter(DocumentMeter):
    """Reads a document with choices."""

    shape = CHAT

    @staticmethod
    @abstractmethod
    def _length(choice: dict[str, Any]) -> int:
        """Return the UTF-8 bytes of what a choice says."""

    def _error_in(self, document: dict[str, Any]) -> object:
        error = _error_of(document.get("choices"))
        # Where something was written, it is delivered and charged, error and all.
        return None if error is None or any(self._lengths(document) or []) else error

    def _usage_in(self, document: dict[str, Any]) -> object:
        usage = document.get("usage")
        return _usage_elsewhere(document) or usage if _counts_nothing(usage) else usage

    def _tidy(self, document: dict[str, Any]) -> bool:
        has_errors = False
        for choice in document["choices"]:
            if isinstance(choice, dict) and choice.get("error"):
                choice["error"] = {"message": str(self._explain(choice["error"]))}
                has_errors = True
        return has_errors

    def _lengths(self, document: dict[str, Any]) -> list[int] | None:
        choices = document.get("choices")
        # None at all, of which nothing was counted either, would only crash the client.
        if not isinstance(choices, list) or not (choices or document.get("usage")):
            return None
        return [self._length(choice) for choice in choices if isinstance(choice, dict)]
