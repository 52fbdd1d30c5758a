"""The time of the database server, which all hosts share.

What hosts decide together by the time - which period a call is spent in, whether a hold is
overdue, whether a link still works - they must decide by one clock. A host whose own clock is set,
forward or back, would end the holds of running calls, or begin a period of its own.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Protocol

import psycopg2

from .postgres import PostgresEngine

COMPARE_S = 60.0
"""How often the server is asked for the time."""

RETRY_S = 5.0
"""How soon it is asked again after it gave no answer, as when another server takes over."""

FIRST_WAIT_S = 2.0
"""How long the first answer of a process waits for the server, which may be silent."""

TOLERANCE = timedelta(seconds=0.1)
"""What clocks may differ by: less changes nothing."""

_log = logging.getLogger(__name__)


class HostClock(Protocol):
    """A machine's own clocks."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""

    def monotonic(self) -> float:
        """Return seconds since some moment, even if the time of day is set."""


class DatabaseClock:
    """The server's time, carried on by a clock of this host that is never set.

    The server is asked before the first answer of a process, on a connection of its own, and
    then once a minute beside the calls. Where it does not answer, the time goes on from what it
    said last, and it is asked again soon; a process that has not heard from it yet has only the
    time of its host.

    Args:
        url: ``postgresql://...``.
        host: The clocks of this host.
        every_s: How often to compare; None to compare by ``compare`` alone.
    """

    def __init__(self, url: str, host: HostClock, *, every_s: float | None = COMPARE_S) -> None:
        self._engine = PostgresEngine(url)
        self._host = host
        self._every_s = every_s
        self._starting = threading.Lock()
        self._pid: int | None = None
        self._zero = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        if self._pid != os.getpid():
            self._start()
        return self._zero + timedelta(seconds=self._host.monotonic())

    def monotonic(self) -> float:
        """Return seconds since some moment, even if the time of day is set."""
        return self._host.monotonic()

    def compare(self) -> bool:
        """Ask the server for its time, and go by it from now on; return whether it answered."""
        try:
            with closing(self._engine.open_connection()) as connection:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    asked = self._host.monotonic()
                    cursor.execute("SELECT clock_timestamp()")
                    (said,) = cursor.fetchone()
                    answered = self._host.monotonic()
        except psycopg2.Error as error:
            _log.warning("the time goes on without the database's: %s", error)
            return False
        zero = said.astimezone(UTC) - timedelta(seconds=(asked + answered) / 2)
        # It was said at some moment between the two, so it is known to half of that alone.
        unsure = timedelta(seconds=(answered - asked) / 2)
        if abs(zero - self._zero) > TOLERANCE + unsure:
            self._zero = zero
        return True

    def _start(self) -> None:
        """Begin in this process.

        A fork asks anew, since threads are left behind, and keeps the time that was known before:
        the clock that is never set goes on in it.
        """
        with self._starting:
            if self._pid == os.getpid():
                return
            if self._pid is None:
                self._zero = self._host.now() - timedelta(seconds=self._host.monotonic())
            if self._every_s is None:
                self.compare()
            else:
                _at_once_and_every(self._every_s, self.compare).wait(FIRST_WAIT_S)
            self._pid = os.getpid()


def _at_once_and_every(pause_s: float, act: Callable[[], bool]) -> threading.Event:
    """Do something now and after each pause; return what is set when it was tried once.

    Where it came to nothing, the pause is ``RETRY_S`` at most.
    """
    done, never = threading.Event(), threading.Event()

    def go_on() -> None:
        succeeded = act()
        done.set()
        while not never.wait(pause_s if succeeded else min(pause_s, RETRY_S)):
            succeeded = act()

    threading.Thread(target=go_on, name="database-clock", daemon=True).start()
    return done
