"""A stream that never has to wait lets the rest of its process run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain, repeat

import gevent
import pytest

from adapters.flask_web.turns import Turns

# Far more than a fast machine gets through before the loop has to turn.
ENDLESS = 20_000_000
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
    heard, longs = Heard(), 10

    def long_parts() -> Iterator[bytes]:
        for _ in range(longs):
            until = time.monotonic() + 0.015
            while time.monotonic() < until:
                pass
            yield b"part"

    def tick() -> None:
        while True:
            gevent.sleep(0.001)
            heard.others += 1

    other = gevent.spawn(tick)
    try:
        list(Turns().taken(long_parts()))
    finally:
        other.kill()

    assert heard.others >= longs // 2


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


def test_a_stream_that_is_given_up_while_it_waits_holds_nobody_up() -> None:
    turns = Turns()
    given_up = [gevent.spawn(lambda: list(turns.taken(repeat(b"part")))) for _ in range(3)]
    gevent.sleep(0.05)
    gevent.killall(given_up, timeout=PATIENCE_S)
    heard = Heard()
    gevent.spawn(lambda: setattr(heard, "others", 1))

    with gevent.Timeout(PATIENCE_S):
        assert list(turns.taken(chain(heard.parts(until=1), (b"end",))))[-1] == b"end"
