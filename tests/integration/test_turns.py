"""A stream that never has to wait lets the rest of its process run."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, repeat

import gevent
import pytest

from adapters.flask_web.web.turns import Turns

# Far more than a fast machine gets through before the loop has to turn.
ENDLESS = 20_000_000
LONG_S = 0.015
PATIENCE_S = 30


class Heard:
    """What other greenlets found time for."""

    def __init__(self) -> None:
        self.others = 0

    def parts(self, *, until: int) -> Iterator[bytes]:
        """Yield without ever waiting, until the others have run often enough."""
        for _ in range(ENDLESS):
            if self.others >= until:
                return
            yield b"part"
        pytest.fail("nobody else ever ran")


class Polls:
    """How often the event loop has looked after its sockets."""

    def __init__(self) -> None:
        self.number = 0
        self._watcher = gevent.get_hub().loop.check()
        self._watcher.start(self._count)

    def _count(self) -> None:
        self.number += 1

    def close(self) -> None:
        """Stop counting."""
        self._watcher.stop()
        self._watcher.close()


def long_parts(number: int) -> Iterator[bytes]:
    """Yield parts, each of which takes longer than a stream may go on for."""
    loop = gevent.get_hub().loop
    for _ in range(number):
        # The loop notes the time only when it turns, and here it does not.
        while time.time() <= loop.now() + LONG_S:
            pass
        yield b"part"


def test_others_run_beside_a_stream_that_never_waits() -> None:
    heard = Heard()

    def tick() -> None:
        while True:
            gevent.sleep(0.001)
            heard.others += 1

    other = gevent.spawn(tick)
    try:
        assert set(Turns().taken(heard.parts(until=3))) == {b"part"}
    finally:
        other.kill()


def test_the_loop_turns_after_each_part_that_takes_long() -> None:
    with closing(Polls()) as polls:
        seen = [polls.number for _ in Turns().taken(long_parts(10))]

    assert sorted(set(seen)) == seen


def test_a_loop_that_is_never_idle_keeps_no_stream_waiting() -> None:
    readable, other = socket.socketpair()
    other.sendall(b"something that nobody reads")
    watcher = gevent.get_hub().loop.io(readable.fileno(), 1)
    with readable, other, closing(watcher), gevent.Timeout(PATIENCE_S):
        watcher.start(lambda: None)
        assert list(Turns().taken(long_parts(3))) == [b"part"] * 3


def test_streams_that_never_wait_all_get_on_and_lose_nothing() -> None:
    turns, heard = Turns(), Heard()
    parts = [b"%d" % number for number in range(2_000)]
    received: list[list[bytes]] = [[] for _ in range(20)]

    def relay(into: list[bytes]) -> None:
        into.extend(turns.taken(parts))
        heard.others += 1

    relays = [gevent.spawn(relay, into) for into in received]
    with gevent.Timeout(PATIENCE_S):
        # Ends only once all of them have.
        for _ in turns.taken(heard.parts(until=len(relays))):
            pass

    assert received == [parts] * len(relays)


def test_a_stream_that_is_given_up_while_it_waits_holds_no_other_up() -> None:
    turns, heard = Turns(), Heard()
    begun = []

    def relay() -> None:
        begun.append(True)
        deque(turns.taken(repeat(b"part")), maxlen=0)

    given_up = [gevent.spawn(relay) for _ in range(3)]
    with gevent.Timeout(PATIENCE_S):
        # They never wait but for their turn: one of them has it, the others want it.
        while len(begun) < len(given_up) or not turns._turnstile.locked():
            gevent.sleep(0)
    gevent.killall(given_up, timeout=PATIENCE_S)
    gevent.spawn(lambda: setattr(heard, "others", 1))

    with gevent.Timeout(PATIENCE_S):
        assert list(turns.taken(chain(heard.parts(until=1), (b"end",))))[-1] == b"end"
