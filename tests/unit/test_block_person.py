"""A blocked person has no session and no key, also if they ask for one at the same moment."""

from __future__ import annotations

from unittest.mock import ANY

import pytest

from creditcore import IssueKey
from creditcore.domain.errors import InvalidRequestError, KeyRefusedError, PersonNotFoundError
from creditcore.domain.identities import Identity
from creditcore.domain.keys import ApiKey
from creditcore.domain.people import Person
from creditcore.testing.memory import FixedClock, MemoryTransactions, SequentialIds
from creditcore.usecases.people.block_person import BlockPerson
from creditcore.usecases.people.welcome_person import WelcomePerson

AMINA, BRIAN = "p-1", "p-2"


@pytest.fixture
def store() -> MemoryTransactions:
    """Where Amina and Brian have wallets."""
    store = MemoryTransactions()
    welcome = WelcomePerson(transactions=store, clock=FixedClock(), ids=SequentialIds())
    for subject in (AMINA, BRIAN):
        welcome.welcome(
            Identity(subject=subject, email=f"{subject}@example.com", email_verified=True)
        )
    return store


@pytest.fixture
def issue(store: MemoryTransactions) -> IssueKey:
    return IssueKey(transactions=store, clock=FixedClock(), ids=SequentialIds(), pepper=b"pepper")


@pytest.fixture
def blocks(store: MemoryTransactions) -> BlockPerson:
    return BlockPerson(transactions=store, clock=FixedClock())


def person(store: MemoryTransactions) -> Person:
    return store.committed.people[AMINA]


def keys_of(store: MemoryTransactions, owner_id: str = AMINA) -> list[ApiKey]:
    with store.begin() as tx:
        return list(tx.keys.list_of(owner_id))


def test_blocking_revokes_every_key_of_that_person_and_no_other(
    store: MemoryTransactions, issue: IssueKey, blocks: BlockPerson
) -> None:
    for owner in (AMINA, AMINA, BRIAN):
        issue.issue(owner, name="key")

    revoked = blocks.block(AMINA, reason="Card fraud")

    now = FixedClock().now()
    assert revoked == 2
    assert [key.revoked_at for key in keys_of(store)] == [now, now]
    with pytest.raises(KeyRefusedError, match="revoked"):
        keys_of(store)[0].usable(now=now)
    assert keys_of(store, BRIAN)[0].usable(now=now)


def test_blocking_ends_the_sessions_and_unblocking_brings_none_back(
    store: MemoryTransactions, blocks: BlockPerson
) -> None:
    blocks.block(AMINA, reason="Card fraud")
    blocked = person(store)
    blocks.unblock(AMINA)

    assert (blocked.blocked, blocked.session_epoch) == (True, 1)
    assert (person(store).blocked, person(store).session_epoch) == (False, 1)


def test_a_blocked_person_gets_no_key_until_they_are_unblocked(
    store: MemoryTransactions, issue: IssueKey, blocks: BlockPerson
) -> None:
    blocks.block(AMINA, reason="Card fraud")

    with pytest.raises(InvalidRequestError, match="blocked"):
        issue.issue(AMINA, name="key")
    assert keys_of(store) == []

    blocks.unblock(AMINA)
    issue.issue(AMINA, name="key")
    assert keys_of(store)[0].revoked_at is None


def test_blocking_again_keeps_when_keys_were_revoked(
    store: MemoryTransactions, issue: IssueKey, blocks: BlockPerson
) -> None:
    issue.issue(AMINA, name="key")
    blocks.block(AMINA, reason="Card fraud")
    before = keys_of(store)
    later = FixedClock(at=FixedClock().now().replace(hour=12))

    revoked = BlockPerson(transactions=store, clock=later).block(AMINA, reason="And more")

    assert revoked == 0
    assert keys_of(store) == before
    acts = list(store.committed.activity.values())
    assert [(act.act, act.before, act.after) for act in acts] == [
        ("key.issued", {}, {"name": "key", "prefix": ANY, "last_four": ANY}),
        (
            "person.blocked",
            {"blocked": False},
            {"blocked": True, "reason": "Card fraud", "keys_revoked": 1},
        ),
        (
            "person.blocked",
            {"blocked": True},
            {"blocked": True, "reason": "And more", "keys_revoked": 0},
        ),
    ]
    assert {act.person_id for act in acts} == {AMINA}


def test_blocking_has_a_reason(store: MemoryTransactions, blocks: BlockPerson) -> None:
    with pytest.raises(InvalidRequestError):
        blocks.block(AMINA, reason=" ")
    assert not person(store).blocked


def test_an_unknown_person_can_be_neither_blocked_nor_unblocked(blocks: BlockPerson) -> None:
    with pytest.raises(PersonNotFoundError):
        blocks.block("p-3", reason="Card fraud")
    with pytest.raises(PersonNotFoundError):
        blocks.unblock("p-3")
