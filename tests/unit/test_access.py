"""Who may do what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.access import ANYBODY, Action, Viewer, may, require
from creditcore.domain.errors import NotPermittedError
from creditcore.domain.people import Person, Role
from creditcore.domain.teams import Membership, TeamRole
from creditcore.testing.contracts import NOON

AMINA = Person(id="p-1", email="amina@example.com", created_at=NOON)
OPERATOR = Person(id="p-2", email="ops@example.com", created_at=NOON, role=Role.ADMIN)


OWN = {Action.USE_ACCOUNT, Action.SEE_WALLET, Action.HOLD_KEYS, Action.MANAGE_KEYS}
OWN |= {Action.BUY_CREDITS}


def of_role(role: TeamRole, person: Person = AMINA) -> Viewer:
    membership = Membership(team_id="t-1", person_id=person.id, role=role, joined_at=NOON)
    return Viewer(person=person, membership=membership)


@pytest.mark.parametrize(
    ("viewer", "allowed"),
    [
        (ANYBODY, set()),
        (Viewer(person=AMINA), OWN),
        (Viewer(person=OPERATOR), OWN | {Action.OPERATE}),
        (of_role(TeamRole.VIEWER), {Action.USE_ACCOUNT, Action.SEE_WALLET}),
        (
            of_role(TeamRole.VIEWER, OPERATOR),
            {Action.USE_ACCOUNT, Action.SEE_WALLET, Action.OPERATE},
        ),
        (of_role(TeamRole.MEMBER), {Action.USE_ACCOUNT, Action.SEE_WALLET, Action.HOLD_KEYS}),
        (of_role(TeamRole.ADMIN), OWN | {Action.MANAGE_MEMBERS, Action.DESCRIBE_TEAM}),
        (
            of_role(TeamRole.OWNER),
            OWN | {Action.MANAGE_MEMBERS, Action.DESCRIBE_TEAM, Action.OWN_TEAM},
        ),
        (
            replace(of_role(TeamRole.OWNER), team_blocked=True),
            {Action.USE_ACCOUNT, Action.SEE_WALLET},
        ),
        (of_role(TeamRole.OWNER, AMINA.block()), set()),
        (Viewer(person=AMINA.block()), set()),
        (Viewer(person=OPERATOR.block()), set()),
    ],
)
def test_each_viewer_may_do_this_and_nothing_else(viewer: Viewer, allowed: set[Action]) -> None:
    assert {action for action in Action if may(viewer, action)} == allowed


def test_a_viewer_has_the_role_of_their_person() -> None:
    assert [ANYBODY.role, Viewer(person=AMINA).role] == [None, Role.USER]


def test_a_refusal_says_which_role_it_takes() -> None:
    with pytest.raises(NotPermittedError, match=r"You are a viewer .* takes an admin"):
        require(of_role(TeamRole.VIEWER), Action.BUY_CREDITS)
    require(of_role(TeamRole.ADMIN), Action.BUY_CREDITS)
    with pytest.raises(NotPermittedError, match="This team is blocked"):
        require(replace(of_role(TeamRole.OWNER), team_blocked=True), Action.BUY_CREDITS)
