"""A bounded pool of connections, in the place of Pony's one per thread or greenlet."""

from __future__ import annotations

import os
from collections import deque
from threading import BoundedSemaphore
from typing import Any

from creditcore.ports.metrics import PoolUse

from .engine import Engine


class PoolExhaustedError(Exception):
    """None of the pool's connections became free in time."""


class BoundedPool:
    """Lends connections, each to one borrower at a time.

    Pony's own pools keep a connection for every thread or greenlet that ever had one,
    so that a few hundred open streams exhaust the server. Pony calls ``connect``,
    ``release``, ``drop`` and ``disconnect`` (``pony.orm.dbapiprovider.DBAPIProvider``,
    ``pony_pool_mockup``). Waiting is cooperative under gevent, if gevent patched
    ``threading`` before this module was imported.

    Args:
        engine: Opens the connections, as they are needed.
        size: The most connections lent or idle.
        wait_s: How long a borrower waits for one.
    """

    def __init__(self, engine: Engine, *, size: int, wait_s: float) -> None:
        self._engine = engine
        self._size = size
        self._wait_s = wait_s
        self._inherited: list[deque[Any]] = []
        self._start_empty()

    def connect(self) -> tuple[Any, bool]:
        """Lend a connection; with it, whether it is new.

        Raises:
            PoolExhaustedError: None became free in time.
        """
        self._leave_to_the_parent()
        if not self._acquire():
            raise PoolExhaustedError(f"no connection became free in {self._wait_s} s")
        try:
            connection, is_new = self._usable()
        except BaseException:
            self._free.release()
            raise
        self._lent.add(id(connection))
        return connection, is_new

    def release(self, connection: Any) -> None:
        """Take a connection back; a transaction that it had begun is undone."""
        try:
            connection.rollback()
        except BaseException:
            self.drop(connection)
            raise
        self._lent.discard(id(connection))
        self._idle.append(connection)
        self._free.release()

    def drop(self, connection: Any) -> None:
        """Take a broken connection back and close it, so that no caller gets it again."""
        self._lent.discard(id(connection))
        try:
            connection.close()
        finally:
            self._free.release()

    def disconnect(self) -> None:
        """Close the idle connections."""
        self._leave_to_the_parent()
        while self._idle:
            self._idle.pop().close()

    def use(self) -> PoolUse:
        """Return how far it is taken."""
        taken, waiting = len(self._lent), len(self._borrowers)
        return PoolUse(name="database", taken=taken, size=self._size, waiting=waiting)

    def _usable(self) -> tuple[Any, bool]:
        while self._idle:
            connection = self._idle.pop()
            if self._engine.is_usable(connection):
                return connection, False
            connection.close()
        return self._engine.open_connection(), True

    def _acquire(self) -> bool:
        if self._free.acquire(blocking=False):
            return True
        # A set is changed in one step; a count would be read and written in two.
        borrower = object()
        self._borrowers.add(borrower)
        try:
            return self._free.acquire(timeout=self._wait_s)
        finally:
            self._borrowers.discard(borrower)

    def _leave_to_the_parent(self) -> None:
        """After a fork, neither use nor close what was idle: the parent still uses it.

        Dropping the last reference would close it.
        """
        if self._pid != os.getpid():
            self._inherited.append(self._idle)
            self._start_empty()

    def _start_empty(self) -> None:
        self._pid = os.getpid()
        self._idle: deque[Any] = deque()
        self._lent: set[int] = set()
        self._borrowers: set[object] = set()
        self._free = BoundedSemaphore(self._size)
