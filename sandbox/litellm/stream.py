"""A completion as server-sent events, with the bad manners its script asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import orjson

from sandbox.connection import Connection, ConnectionDropped
from sandbox.litellm.calls import Call
from sandbox.litellm.completion import Completion
from sandbox.litellm.errors import STREAM_ERROR

# A fast stream gives way to others this often; else a long one would hold up the whole process.
EVENTS_PER_TURN = 32


class Stream:
    """The events of one answer, ready to be written one after another."""

    def __init__(
        self, completion: Completion, call: Call, connection: Connection, *, with_usage: bool
    ) -> None:
        """Take the answer, its record, and whether the caller asked for usage."""
        self._completion = completion
        self._script = completion.script
        self._call = call
        self._connection = connection
        self._usage = completion.usage if with_usage else None
        if self._usage is not None and self._script.cost >= 0:
            self._usage = {**self._usage, "cost": self._script.cost}

    def written(self) -> Iterator[bytes]:
        """Return the bytes as they go to the connection, one network write each."""
        for event in self._events():
            text = event.replace(b"\n", b"\r\n") if self._script.crlf else event
            step = self._script.drip_bytes or len(text)
            for start in range(0, len(text), step):
                yield text[start : start + step]

    def _events(self) -> Iterator[bytes]:
        script = self._script
        for number, chunk in enumerate(self._token_chunks()):
            self._pause_before(number)
            if script.comment:
                yield b": OPENROUTER PROCESSING\n\n"
            self._call.tokens_sent += 1
            yield _event(chunk)
        self._pause_before(len(self._completion.pieces) * self._completion.choices)
        if script.error_after >= 0:
            yield f"data: {STREAM_ERROR}\n\n".encode()
            return
        for index in range(self._completion.choices):
            yield _event(self._chunk(index, {}, self._completion.finish_reason))
        if self._usage is not None and not script.usage_early:
            yield _event(self._usage_chunk())
        if script.done:
            yield b"data: [DONE]\n\n"

    def _token_chunks(self) -> Iterator[dict[str, Any]]:
        """Return the chunks that carry tokens, up to where the script lets the answer break."""
        pieces, choices = self._completion.pieces, self._completion.choices
        last = len(pieces) * choices - 1
        number = 0
        for position, piece in enumerate(pieces):
            for index in range(choices):
                if number == self._script.error_after:
                    return
                chunk = self._chunk(index, self._delta(piece, index, first=position == 0))
                if number == last and self._usage is not None and self._script.usage_early:
                    chunk["usage"] = self._usage
                yield chunk
                number += 1

    def _pause_before(self, number: int) -> None:
        """Wait, break or fall silent before a token, as the script says."""
        script = self._script
        if number == script.cut_after:
            raise ConnectionDropped
        if number == script.hang_after:
            self._connection.wait_until_closed()
            self._stop_for_client()
        if script.delay_ms and number:
            if self._connection.closes_within(script.delay_ms / 1000):
                self._stop_for_client()
        elif number % EVENTS_PER_TURN == 0:
            time.sleep(0)

    def _stop_for_client(self) -> None:
        self._call.closed_by_client = True
        raise ConnectionDropped

    def _delta(self, piece: str, index: int, *, first: bool) -> dict[str, Any]:
        role = {"role": "assistant"} if first else {}
        if not self._completion.tool:
            return {**role, "content": piece}
        call: dict[str, Any] = {"function": {"arguments": piece}, "type": "function", "index": 0}
        if first:
            call["id"] = self._completion.tool_call_id(index)
            call["function"]["name"] = self._completion.tool
        return {**role, "tool_calls": [call]}

    def _chunk(
        self, index: int, delta: dict[str, Any], finish_reason: str | None = None
    ) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": index, "delta": delta}
        if finish_reason or self._script.openai:
            choice["finish_reason"] = finish_reason
        chunk: dict[str, Any] = {
            "id": self._completion.id,
            "object": "chat.completion.chunk",
            "created": self._completion.created,
            "model": self._completion.model,
            "choices": [choice],
        }
        if self._script.openai and self._usage is not None:
            chunk["usage"] = None
        return chunk

    def _usage_chunk(self) -> dict[str, Any]:
        # Real LiteLLM sends a choice with an empty delta here, where OpenAI promises an empty list.
        choices: list[dict[str, Any]] = [] if self._script.openai else [{"index": 0, "delta": {}}]
        return {
            "id": self._completion.id,
            "created": self._completion.created,
            "model": self._completion.model,
            "object": "chat.completion.chunk",
            "choices": choices,
            "usage": self._usage,
        }


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"
