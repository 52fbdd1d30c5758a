"""Blocking somebody and giving them a key: on PostgreSQL one waits for the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from adapters.pony_store import PonyTransactions, open_store
from creditcore import IssueKey, SystemClock, SystemIds
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.people import Person
from creditcore.testing.contracts import NOON, a_key, a_wallet
from creditcore.usecases.people.block_person import BlockPerson
from tests.stack import wait_until
from tests.stores import WAIT_S, migrated_postgres_database, somebody_waits_for_a_lock


@pytest.fixture
def url() -> Iterator[str]:
    with migrated_postgres_database() as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[PonyTransactions]:
    with closing(open_store(url, wait_s=WAIT_S)) as store:
        yield store


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as thread:
        yield thread


@pytest.fixture
def person(store: PonyTransactions) -> Person:
    """Somebody with a wallet."""
    owner = Person(id=a_wallet(store).owner_id, email="amina@example.com", created_at=NOON)
    with store.begin() as tx:
        tx.people.add(owner)
        tx.commit()
    return owner


def test_a_key_that_is_made_while_its_owner_is_blocked_is_none(
    url: str, store: PonyTransactions, elsewhere: ThreadPoolExecutor, person: Person
) -> None:
    issue = IssueKey(transactions=store, clock=SystemClock(), ids=SystemIds(), pepper=b"pepper")
    with store.begin() as tx:
        locked = tx.people.lock(person.id)
        assert locked is not None
        tx.people.save(locked.block())
        issuing = elsewhere.submit(issue.issue, person.id, name="key")
        wait_until(lambda: issuing.done() or somebody_waits_for_a_lock(url))
        tx.commit()

    with pytest.raises(InvalidRequestError, match="blocked"):
        issuing.result()
    with store.begin() as tx:
        assert tx.keys.list_of(person.id) == []


def test_a_person_who_is_blocked_while_they_make_a_key_loses_it_too(
    url: str, store: PonyTransactions, elsewhere: ThreadPoolExecutor, person: Person
) -> None:
    blocks = BlockPerson(transactions=store, clock=SystemClock())
    with store.begin() as tx:
        tx.people.lock(person.id)
        key = replace(a_key(tx.ledger.find_wallet_of(person.id)), owner_id=person.id)
        tx.keys.add(key)
        blocking = elsewhere.submit(blocks.block, person.id, reason="Card fraud")
        wait_until(lambda: blocking.done() or somebody_waits_for_a_lock(url))
        tx.commit()

    assert blocking.result() == 1
    with store.begin() as tx:
        [found] = tx.keys.list_of(person.id)
    assert found.revoked_at is not None
