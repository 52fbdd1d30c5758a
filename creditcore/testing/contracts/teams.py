"""Teams, their members and invitations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.errors import LastOwnerError, ReferenceConflictError, TeamNotFoundError
from creditcore.domain.limits import Period, SpendLimit
from creditcore.domain.money import Credits
from creditcore.domain.people import Person
from creditcore.domain.teams import (
    INVITATION_LIFETIME,
    Invitation,
    InvitationState,
    Membership,
    Team,
    TeamRole,
)
from creditcore.ports.transactions import Transactions
from creditcore.system import SystemClock, SystemIds
from creditcore.testing.contracts.samples import MINUTE, NOON, a_key, a_wallet, at_once
from creditcore.usecases.teams.change_members import ChangeMembers
from creditcore.usecases.teams.keep_teams import KeepTeams


def some_people(transactions: Transactions, *names: str) -> None:
    """Store people who are called by their ids."""
    with transactions.begin() as tx:
        for name in names:
            tx.people.add(Person(id=name, email=f"{name}@example.com", created_at=NOON))
        tx.commit()


def a_team(transactions: Transactions, *owners: str) -> Team:
    """Make a team of several owners."""
    keep = KeepTeams(transactions=transactions, clock=SystemClock(), ids=SystemIds())
    team = keep.create(owners[0], "Kijani Labs")
    with transactions.begin() as tx:
        for owner in owners[1:]:
            tx.teams.put(
                Membership(team_id=team.id, person_id=owner, role=TeamRole.OWNER, joined_at=NOON)
            )
        tx.commit()
    return team


def an_invitation(team: Team, *, invitation_id: str = "i-1") -> Invitation:
    """Return a pending invitation with a limit."""
    return Invitation(
        id=invitation_id,
        team_id=team.id,
        email="baraka@example.com",
        role=TeamRole.MEMBER,
        invited_by="amina",
        sent_at=NOON,
        expires_at=NOON + INVITATION_LIFETIME,
        limit=SpendLimit(credits=Credits.of(500), period=Period.MONTH, zone="Africa/Nairobi"),
    )


class TeamsContract:
    """What every store promises of teams."""

    def test_a_team_and_its_members_come_back_as_they_went_in(
        self, transactions: Transactions
    ) -> None:
        some_people(transactions, "amina", "baraka")
        buyer = BuyerDetails(company=" Kijani ", address="Moi Av.\u00a01, \u5c71", tax_number="-0")
        team = Team(id="t-1", name="Kijani Labs", created_at=NOON, buyer=buyer)
        owner = Membership(team_id="t-1", person_id="amina", role=TeamRole.OWNER, joined_at=NOON)
        viewer = replace(owner, person_id="baraka", role=TeamRole.VIEWER, joined_at=NOON + MINUTE)
        with transactions.begin() as tx:
            tx.teams.add(team)
            tx.teams.put(viewer)
            tx.teams.put(owner)
            tx.teams.put(replace(viewer, role=TeamRole.ADMIN))
            tx.commit()
        viewer = replace(viewer, role=TeamRole.ADMIN)

        with transactions.begin() as tx:
            assert tx.teams.members("t-1") == [owner, viewer]
            assert tx.teams.of_person("baraka") == [(team, viewer)]
            assert tx.teams.membership("t-1", "amina") == owner
            assert tx.teams.membership("t-1", "chiku") is None
            assert tx.teams.remove("t-1", "baraka")
            assert not tx.teams.remove("t-1", "baraka")
            tx.teams.save(replace(tx.teams.lock("t-1"), name="Kijani").delete(at=NOON))
            tx.commit()
        with transactions.begin() as tx:
            assert tx.teams.find("t-1") == replace(team, name="Kijani", deleted_at=NOON)
            assert tx.teams.of_person("baraka") == []
            tx.teams.save(replace(tx.teams.lock("t-1"), buyer=BuyerDetails()))
            assert tx.teams.find("t-1").buyer == BuyerDetails()
            with pytest.raises(TeamNotFoundError):
                tx.teams.lock("t-2")

    def test_an_address_is_invited_once_at_a_time(self, transactions: Transactions) -> None:
        some_people(transactions, "amina")
        team = a_team(transactions, "amina")
        first = an_invitation(team)
        with transactions.begin() as tx:
            tx.invitations.add(first)
            tx.commit()

        with transactions.begin() as tx, pytest.raises(ReferenceConflictError):
            tx.invitations.add(an_invitation(team, invitation_id="i-2"))
        declined = first.send(at=NOON + MINUTE).close(InvitationState.DECLINED, at=NOON + MINUTE)
        with transactions.begin() as tx:
            assert tx.invitations.pending_of(team.id) == [tx.invitations.lock("i-1")] == [first]
            tx.invitations.save(declined)
            tx.invitations.add(replace(an_invitation(team, invitation_id="i-2"), limit=None))
            tx.commit()
        with transactions.begin() as tx:
            assert tx.invitations.find("i-1") == declined
            assert [row.id for row in tx.invitations.pending_of(team.id)] == ["i-2"]
            assert tx.invitations.find("i-3") is None

    def test_of_two_owners_who_leave_at_once_one_stays(self, transactions: Transactions) -> None:
        some_people(transactions, "amina", "baraka")
        team = a_team(transactions, "amina", "baraka")
        members = ChangeMembers(transactions=transactions, clock=SystemClock())

        outcomes = at_once(2, lambda at: members.leave(team.id, ("amina", "baraka")[at]))

        assert {type(outcome) for outcome in outcomes} == {int, LastOwnerError}
        with transactions.begin() as tx:
            assert [row.role for row in tx.teams.members(team.id)] == [TeamRole.OWNER]

    def test_keys_are_found_by_their_holder_and_wallets_by_their_owners(
        self, transactions: Transactions
    ) -> None:
        some_people(transactions, "amina")
        team = a_team(transactions, "amina")
        own = a_wallet(transactions)
        with transactions.begin() as tx:
            shared = tx.ledger.find_wallet_of(team.id)
            key = a_key(shared)
            mine = replace(key, id="key-2", key_hash=b"2" * 32, holder_id="amina")
            for each in (key, mine):
                tx.keys.add(each)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.keys.held_by("amina") == [mine]
            assert tx.keys.held_by("") == []
            assert tx.keys.page_of(team.id, limit=9, holder_id="amina") == [mine]
            assert len(tx.keys.page_of(team.id, limit=9)) == 2
            assert tx.ledger.find_wallets_of([team.id, own.owner_id, "nobody"]) == {
                team.id: shared,
                own.owner_id: own,
            }
