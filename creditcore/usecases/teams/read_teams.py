"""Show the teams of a person, and a team to its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from creditcore.domain.access import Action
from creditcore.domain.activity import Activity
from creditcore.domain.errors import TeamNotFoundError
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import KeyCounter, member_counter_id
from creditcore.domain.people import Person
from creditcore.domain.teams import Invitation, Membership, Team, TeamRole
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import (
    HasActivity,
    HasInvitations,
    HasKeys,
    HasLedger,
    HasUsageHours,
)
from creditcore.ports.transactions import Begins, MembersTransaction
from creditcore.ports.usage_hours import no_key_of
from creditcore.usecases.teams.membership_terms import member_who_may

_ACTS_SHOWN = 50


class ReadTeamsTransaction(
    MembersTransaction, HasActivity, HasInvitations, HasKeys, HasLedger, HasUsageHours, Protocol
):
    """What teams are read from."""


@dataclass(frozen=True, slots=True)
class Account:
    """A team that a person may switch to, as the switcher shows it."""

    team: Team
    membership: Membership
    wallet: Wallet


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a member may spend, has spent and holds.

    Attributes:
        counter: What they have used in this period, and their limit where they have one.
        resets_at: When the period ends; None where it never does.
        open_keys: Their keys that open something.
        last_active_at: The hour in which they last called, with a key or in the playground.
    """

    counter: KeyCounter
    resets_at: datetime | None
    open_keys: Sequence[ApiKey]
    last_active_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """A member of a team.

    Attributes:
        spending: None where who looks may not see it: admins and owners see everybody's, all others
            their own, as in every figure of a team's usage.
    """

    membership: Membership
    person: Person
    spending: Spending | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamView:
    """A team, as its members see it.

    Attributes:
        mine: The place of who looks.
        invitations: Pending ones, for those who may invite; else none.
        acts: What happened in the team lately, for the same.
        people: Names and addresses by id, of members and of those in ``acts``.
    """

    team: Team
    wallet: Wallet
    mine: Membership
    members: Sequence[MemberView]
    invitations: Sequence[Invitation]
    acts: Sequence[Activity]
    people: dict[str, Person]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTeams:
    """Read teams. Who is not in a team is told that there is none."""

    transactions: Begins[ReadTeamsTransaction]
    clock: Clock

    def accounts(self, person_id: str) -> Sequence[Account]:
        """Return the teams that a person is in, by name."""
        with self.transactions.begin() as tx:
            return accounts_of(tx, person_id)

    def show(self, team_id: str, *, to: str) -> TeamView:
        """Return a team with its members.

        Raises:
            TeamNotFoundError: There is no such team, or the reader is not in it.
        """
        with self.transactions.begin() as tx:
            team = tx.teams.find(team_id)
            if team.deleted_at is not None:
                raise TeamNotFoundError(team_id)
            mine = member_who_may(tx, team, to, Action.SEE_WALLET)
            wallet = tx.ledger.find_wallet_of(team.id)
            members = self._members(tx, wallet, mine)
            people = {member.person.id: member.person for member in members}
            invitations: Sequence[Invitation] = ()
            acts: Sequence[Activity] = ()
            if _manages(mine):
                invitations = tx.invitations.pending_of(team.id)
                acts = tx.activity.recent(limit=_ACTS_SHOWN, person_id=team.id)
                named = {act.actor.id for act in acts} | {_member_of(act) for act in acts}
                for name in named - people.keys() - {""}:
                    if (person := tx.people.find(name)) is not None:
                        people[name] = person
        return TeamView(
            team=team,
            wallet=wallet,
            mine=mine,
            members=members,
            invitations=invitations,
            acts=acts,
            people=people,
        )

    def _members(
        self, tx: ReadTeamsTransaction, wallet: Wallet, mine: Membership
    ) -> list[MemberView]:
        now = self.clock.now()
        rows = tx.teams.members(mine.team_id)
        counters = tx.keys.counters([member_counter_id(wallet.id, row.person_id) for row in rows])
        keys = tx.keys.list_of(mine.team_id)
        uses = tx.usage_hours.last_uses(wallet.id)
        views = []
        for row in rows:
            person = tx.people.find(row.person_id)
            counter = counters.get(member_counter_id(wallet.id, row.person_id))
            if person is None or counter is None:
                continue
            held = [key for key in keys if key.holder_id == row.person_id]
            names = [*(key.id for key in held), no_key_of(row.person_id)]
            used = [uses[name].hour for name in names if name in uses]
            calendar = counter.calendar
            spending = Spending(
                counter=counter.at(calendar, now),
                resets_at=calendar.ends_at(now) if calendar else None,
                open_keys=[key for key in held if key.revoked_at is None],
                last_active_at=max(used, default=None),
            )
            is_seen = _manages(mine) or row.person_id == mine.person_id
            views.append(
                MemberView(membership=row, person=person, spending=spending if is_seen else None)
            )
        return views


def accounts_of(tx: ReadTeamsTransaction, person_id: str) -> Sequence[Account]:
    """Return the teams that a person is in, by name, with their wallets."""
    return [
        Account(team, membership, tx.ledger.find_wallet_of(team.id))
        for team, membership in tx.teams.of_person(person_id)
        if team.deleted_at is None
    ]


def _manages(membership: Membership) -> bool:
    return membership.role.rank >= TeamRole.ADMIN.rank


def _member_of(act: Activity) -> str:
    return str(act.after.get("member", ""))
