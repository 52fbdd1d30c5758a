"""Who may do what."""

from __future__ import annotations

import pytest

from creditcore.domain.access import ANYBODY, Action, Viewer, may
from creditcore.domain.people import Person, Role
from creditcore.testing.contracts import NOON

AMINA = Person(id="p-1", email="amina@example.com", created_at=NOON)
OPERATOR = Person(id="p-2", email="ops@example.com", created_at=NOON, role=Role.ADMIN)


@pytest.mark.parametrize(
    ("viewer", "allowed"),
    [
        (ANYBODY, set()),
        (Viewer(person=AMINA), {Action.USE_ACCOUNT}),
        (Viewer(person=OPERATOR), {Action.USE_ACCOUNT, Action.OPERATE}),
        (Viewer(person=AMINA.block()), set()),
        (Viewer(person=OPERATOR.block()), set()),
    ],
)
def test_each_viewer_may_do_this_and_nothing_else(viewer: Viewer, allowed: set[Action]) -> None:
    assert {action for action in Action if may(viewer, action)} == allowed


def test_a_viewer_has_the_role_of_their_person() -> None:
    assert [ANYBODY.role, Viewer(person=AMINA).role] == [None, Role.USER]
