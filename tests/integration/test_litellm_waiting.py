"""Waiting for a socket: until it can be read, until time is up, and never in others' way."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import gevent
import pytest

from adapters.litellm.waiting import Wait

SOON_S = 0.05
LONG_S = 30.0
EARLIER_S = 1.0
"""Long enough for a busy machine to see what is there already, short enough to wait for twice."""


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def wait(ends: tuple[socket.socket, socket.socket]) -> Iterator[Wait]:
    wait = Wait(ends[0].fileno())
    yield wait
    wait.close()


def after(seconds: float) -> float:
    return time.monotonic() + seconds


def test_what_can_be_read_already_ends_the_wait(
    ends: tuple[socket.socket, socket.socket], wait: Wait
) -> None:
    ends[1].send(b"x")

    assert wait.until(after(LONG_S))


def test_what_arrives_ends_the_wait(ends: tuple[socket.socket, socket.socket], wait: Wait) -> None:
    gevent.spawn(ends[1].send, b"x")

    assert wait.until(after(LONG_S))


def test_silence_ends_it_when_its_time_is_up(wait: Wait) -> None:
    deadline = after(SOON_S)

    assert not wait.until(deadline)
    assert time.monotonic() >= deadline


def test_timer_of_an_earlier_wait_does_not_end_a_later_one(
    ends: tuple[socket.socket, socket.socket], wait: Wait
) -> None:
    ends[1].send(b"x")
    assert wait.until(after(EARLIER_S))
    ends[0].recv(1)
    deadline = after(2 * EARLIER_S)

    assert not wait.until(deadline)
    assert time.monotonic() >= deadline


def test_shorter_wait_ends_before_the_timer_of_a_longer_one(
    ends: tuple[socket.socket, socket.socket], wait: Wait
) -> None:
    ends[1].send(b"x")
    longer = after(LONG_S)
    assert wait.until(longer)
    ends[0].recv(1)

    assert not wait.until(after(SOON_S))
    assert time.monotonic() < longer


def test_wait_that_was_broken_off_can_be_begun_again(
    ends: tuple[socket.socket, socket.socket], wait: Wait
) -> None:
    with gevent.Timeout(SOON_S, exception=False):
        wait.until(after(LONG_S))
    ends[1].send(b"x")

    assert wait.until(after(LONG_S))


def test_other_thread_cannot_use_it_and_does_no_harm_by_closing_it(
    ends: tuple[socket.socket, socket.socket], wait: Wait
) -> None:
    ends[1].send(b"x")
    assert wait.until(after(LONG_S))
    theirs: list[bool] = []

    def other() -> None:
        theirs.append(wait.is_ours())
        wait.close()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(LONG_S)

    assert theirs == [False]
    assert wait.is_ours()
    ends[0].recv(1)
    with gevent.Timeout(LONG_S):
        assert not wait.until(after(SOON_S))
