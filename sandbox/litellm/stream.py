"""An answer as server-sent events, with the bad manners its script asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator

from sandbox.connection import Connection, ConnectionDropped
from sandbox.litellm.calls import Call
from sandbox.litellm.completion import Completion
from sandbox.litellm.protocol import Events

# A fast stream gives way to others this often; else a long one would hold up the whole process.
EVENTS_PER_TURN = 32


class Stream:
    """The events of one answer, ready to be written one after another."""

    def __init__(
        self, events: Events, completion: Completion, call: Call, connection: Connection
    ) -> None:
        """Take the events, the answer that they tell, and its record."""
        self._events_of = events
        self._completion = completion
        self._script = completion.script
        self._call = call
        self._connection = connection

    def written(self) -> Iterator[bytes]:
        """Return the bytes as they go to the connection, one network write each."""
        for event in self._events():
            text = event.replace(b"\n", b"\r\n") if self._script.crlf else event
            step = self._script.drip_bytes or len(text)
            for start in range(0, len(text), step):
                yield text[start : start + step]

    def _events(self) -> Iterator[bytes]:
        script = self._script
        pieces, choices = len(self._completion.pieces), self._completion.choices
        tokens = pieces * choices
        yield from self._events_of.opening()
        for number in range(tokens if script.error_after < 0 else min(tokens, script.error_after)):
            self._pause_before(number)
            if script.comment:
                yield b": OPENROUTER PROCESSING\n\n"
            self._call.tokens_sent += 1
            position, index = divmod(number, choices)
            yield self._events_of.token(position, index, last=number == tokens - 1)
        self._pause_before(tokens)
        if script.error_after >= 0:
            yield self._events_of.failure()
            return
        yield from self._events_of.ending()

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
