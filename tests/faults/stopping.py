"""Transactions of a worker that stops at a commit, to be killed there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from adapters.pony_store import PonyTransactions


class Stopping:
    """Transactions that stop before or after a commit of this process.

    Args:
        store: What they are of.
        place: Where: ``before 1`` is before the first commit, ``after 3`` after the third.
        stop: Called there, and does not return.
    """

    def __init__(self, store: PonyTransactions, place: str, stop: Callable[[], None]) -> None:
        self._store = store
        self._place = place
        self._stop = stop
        self._commits = 0

    @contextmanager
    def begin(self) -> Iterator[Any]:
        with self._store.begin() as tx:
            commit = tx.commit

            def stopping() -> None:
                self._commits += 1
                self._stop_at(f"before {self._commits}")
                commit()
                self._stop_at(f"after {self._commits}")

            tx.commit = stopping  # type: ignore[method-assign]
            yield tx

    def _stop_at(self, place: str) -> None:
        if place == self._place:
            self._stop()
