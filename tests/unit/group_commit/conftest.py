"""A wallet in a store that one can look at, and who commits to it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from creditcore import GroupCommit
from creditcore.testing.contracts import a_wallet
from creditcore.testing.memory import FixedClock
from tests.unit.group_commit.observed import ObservedStore


@pytest.fixture
def observed() -> ObservedStore:
    store = ObservedStore()
    a_wallet(store.store, posted=100)
    return store


@pytest.fixture
def commits(observed: ObservedStore) -> Iterator[GroupCommit]:
    with GroupCommit(transactions=observed, clock=FixedClock()) as commits:
        yield commits
        observed.open_gate.set()


@pytest.fixture
def callers(observed: ObservedStore) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(200) as threads:
        yield threads
        observed.open_gate.set()
