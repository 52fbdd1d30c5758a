"""An operator is made by a command, and each change is kept."""

from __future__ import annotations

import pytest

from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.errors import PersonNotFoundError
from creditcore.domain.people import Person, Role
from creditcore.testing.contracts import NOON
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.usecases.people.grant_role import GrantRole


@pytest.fixture
def store() -> MemoryTransactions:
    store = MemoryTransactions()
    store.committed.people["p-1"] = Person(id="p-1", email="amina@example.com", created_at=NOON)
    return store


def test_a_role_is_granted_once_ends_the_sessions_and_is_kept(store: MemoryTransactions) -> None:
    roles = GrantRole(transactions=store, clock=FixedClock(NOON))

    for _ in range(2):
        changed = roles.grant("p-1", Role.ADMIN, actor=COMMAND_LINE)

    assert (changed.role, changed.session_epoch) == (Role.ADMIN, 1)
    assert store.committed.people["p-1"] == changed
    [act] = store.committed.activity.values()
    assert (act.act, act.target, act.actor) == ("person.role_changed", "person:p-1", COMMAND_LINE)
    assert (act.before, act.after) == ({"role": "user"}, {"role": "admin"})


def test_an_unknown_person_gets_no_role(store: MemoryTransactions) -> None:
    with pytest.raises(PersonNotFoundError):
        GrantRole(transactions=store, clock=FixedClock()).grant("p-2", Role.ADMIN)
