"""How many keys an owner may have."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from creditcore import IssueKey
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.identities import Identity
from creditcore.testing.memory import FixedClock, MemoryTransactions, SequentialIds
from creditcore.usecases.keys.issue_key import MAX_KEYS
from creditcore.usecases.people.welcome_person import WelcomePerson

AMINA, BRIAN = "p-1", "p-2"


@pytest.fixture
def issue() -> IssueKey:
    """Issues keys to Amina, who has as many as she may, and to Brian, who has none."""
    store = MemoryTransactions()
    clock, ids = FixedClock(), SequentialIds()
    welcome = WelcomePerson(transactions=store, clock=clock, ids=ids)
    for subject in (AMINA, BRIAN):
        welcome.welcome(
            Identity(subject=subject, email=f"{subject}@example.com", email_verified=True)
        )
    issue = IssueKey(transactions=store, clock=clock, ids=ids, pepper=b"pepper")
    for number in range(MAX_KEYS):
        issue.issue(AMINA, name=f"key {number}", key_id=f"key-{number}")
    return issue


def test_one_key_too_many_is_refused(issue: IssueKey) -> None:
    with pytest.raises(InvalidRequestError, match="100 keys at most"):
        issue.issue(AMINA, name="one more")


@pytest.mark.parametrize("hours", [-14, 0, 14])
def test_a_key_whose_end_no_zone_can_write_is_refused(issue: IssueKey, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))

    with pytest.raises(InvalidRequestError, match="before the year 9999"):
        issue.issue(BRIAN, name="for ever", expires_at=datetime.max.replace(tzinfo=zone))


def test_a_revoked_key_makes_room(issue: IssueKey) -> None:
    issue.revoke("key-0", owner_id=AMINA)

    key, _ = issue.issue(AMINA, name="one more")

    assert key.name == "one more"


def test_the_keys_of_others_do_not_count(issue: IssueKey) -> None:
    key, _ = issue.issue(BRIAN, name="mine")

    assert key.owner_id == BRIAN
