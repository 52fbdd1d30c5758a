"""A PostgreSQL database of ours, empty, and the store on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from adapters.pony_store import PonyTransactions, open_store
from tests.stores import WAIT_S, migrated_postgres_database


@pytest.fixture
def url() -> Iterator[str]:
    with migrated_postgres_database() as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[PonyTransactions]:
    with closing(open_store(url, pool_size=8, wait_s=WAIT_S)) as store:
        yield store
