"""Change what members of a team may do and spend, and let them go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from creditcore.domain.access import Action
from creditcore.domain.activity import SYSTEM, Act, Actor
from creditcore.domain.books import Footprint
from creditcore.domain.errors import (
    InvalidRequestError,
    LastOwnerError,
    NotPermittedError,
    TeamNotFoundError,
)
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import KeyCounter, SpendLimit, member_counter_id
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.teams import Membership, Team, TeamRole
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasLowBalance
from creditcore.ports.transactions import Begins, KeysTransaction
from creditcore.usecases.teams.membership_terms import (
    end_counting,
    limit_text,
    locked_team,
    member_who_may,
    membership_of,
    note,
    raise_for_period,
    revoke_keys,
    with_limit,
)


class ChangeMembersTransaction(KeysTransaction, HasLowBalance, Protocol):
    """What changing members reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMembers:
    """What happens to a member. The team is locked, so that it always has one owner at least.

    No member changes who ranks above them, or gives a role above their own.
    """

    transactions: Begins[ChangeMembersTransaction]
    clock: Clock

    def give_role(
        self, team_id: str, person_id: str, role: TeamRole, *, by: str, actor: Actor = SYSTEM
    ) -> None:
        """Let a member do more, or less; a repeat changes nothing.

        Who may make no keys any more loses those they have.

        Raises:
            LastOwnerError: The team would have no owner.
            MemberNotFoundError: They are not in the team.
            NotPermittedError: Who asks may not do this.
            TeamNotFoundError: There is no such team, or who asks is not in it.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            asking = member_who_may(tx, team, by, Action.MANAGE_MEMBERS)
            member = membership_of(tx, team, person_id)
            if member.role is role:
                return
            _check_rank(asking, member.role, role)
            _keep_an_owner(tx, team, member)
            tx.teams.put(replace(member, role=role))
            revoked = 0
            if role is TeamRole.VIEWER:
                revoked = revoke_keys(tx, team, person_id, at=now)
            note(
                tx,
                Act.MEMBER_ROLE_CHANGED,
                team,
                actor=actor,
                at=now,
                member=person_id,
                before={"role": str(member.role)},
                after={"role": str(role)} | ({"keys_revoked": revoked} if revoked else {}),
            )
            tx.commit()

    def limit(
        self,
        team_id: str,
        person_id: str,
        limit: SpendLimit | None,
        *,
        by: str,
        actor: Actor = SYSTEM,
    ) -> None:
        """Limit what a member spends, from the next call on; a repeat changes nothing.

        A limit that is new, or of another period or zone, counts from now on. One that is only
        higher or lower goes on with what was spent.

        Raises:
            MemberNotFoundError: They are not in the team.
            NotPermittedError: Who asks may not do this.
            TeamNotFoundError: There is no such team, or who asks is not in it.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            counter = _locked_counter(tx, team, person_id, by=by)
            before = counter.calendar if counter.limit is not None else None
            if limit == before:
                return
            if limit and before and (limit.period, limit.zone) == (before.period, before.zone):
                counter = counter._replace(limit=limit.credits)
            else:
                counter = with_limit(counter, limit, zone=counter.zone, now=now)
            tx.keys.set_counter(counter)
            note(
                tx,
                Act.MEMBER_LIMITED,
                team,
                actor=actor,
                at=now,
                member=person_id,
                before={"limit": limit_text(before)},
                after={"limit": limit_text(limit)},
            )
            tx.commit()

    def raise_once(
        self, team_id: str, person_id: str, amount: Credits, *, by: str, actor: Actor = SYSTEM
    ) -> None:
        """Let a member spend more until their period ends; each call adds to it.

        Raises:
            InvalidRequestError: The amount is not above zero, they have no limit, or it was
                raised by ``MAX_RAISED`` already.
            MemberNotFoundError: They are not in the team.
            NotPermittedError: Who asks may not do this.
            TeamNotFoundError: There is no such team, or who asks is not in it.
        """
        if amount <= ZERO:
            raise InvalidRequestError("Add more than nothing.", param="credits")
        now = self.clock.now()
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            counter = _locked_counter(tx, team, person_id, by=by)
            if counter.limit is None:
                raise InvalidRequestError("This member has no limit to raise.", param="credits")
            raised = raise_for_period(counter.at(counter.calendar, now), amount)
            tx.keys.set_counter(raised)
            note(
                tx,
                Act.MEMBER_LIMITED,
                team,
                actor=actor,
                at=now,
                member=person_id,
                after={"raised_this_period_by": str(amount)},
            )
            tx.commit()

    def leave(self, team_id: str, person_id: str, *, actor: Actor = SYSTEM) -> int:
        """Leave a team; return how many of their keys were revoked with it.

        Raises:
            LastOwnerError: They are its only owner.
            TeamNotFoundError: There is no such team, or they are not in it.
        """
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            member = tx.teams.membership(team.id, person_id)
            if member is None:
                raise TeamNotFoundError(team_id)
            revoked = _let_go(tx, team, member, Act.MEMBER_LEFT, actor=actor, at=self.clock.now())
            tx.commit()
        return revoked

    def remove(self, team_id: str, person_id: str, *, by: str, actor: Actor = SYSTEM) -> int:
        """Take a member out; return how many of their keys were revoked with it.

        Calls under way end as they would have; no other begins.

        Raises:
            InvalidRequestError: It is themselves.
            LastOwnerError: The team would have no owner.
            MemberNotFoundError: They are not in the team.
            NotPermittedError: Who asks may not do this.
            TeamNotFoundError: There is no such team, or who asks is not in it.
        """
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            asking = member_who_may(tx, team, by, Action.MANAGE_MEMBERS)
            if person_id == by:
                raise InvalidRequestError("Leave the team instead.", param="member_id")
            member = membership_of(tx, team, person_id)
            _check_rank(asking, member.role)
            revoked = _let_go(
                tx, team, member, Act.MEMBER_REMOVED, actor=actor, at=self.clock.now()
            )
            tx.commit()
        return revoked


def _locked_counter(
    tx: ChangeMembersTransaction, team: Team, person_id: str, *, by: str
) -> KeyCounter:
    """Return what a member may spend and has spent; the wallet is locked from here on.

    Raises:
        MemberNotFoundError: They are not in the team.
        NotPermittedError: Who asks may not change it.
        TeamNotFoundError: Who asks is not in the team.
    """
    asking = member_who_may(tx, team, by, Action.MANAGE_MEMBERS)
    _check_rank(asking, membership_of(tx, team, person_id).role)
    wallet = tx.ledger.find_wallet_of(team.id)
    tx.ledger.lock(Footprint(wallet_ids={wallet.id}))
    name = member_counter_id(wallet.id, person_id)
    return tx.keys.counters([name])[name]


def leave_every_team(
    tx: ChangeMembersTransaction, person_id: str, *, at: datetime, actor: Actor
) -> None:
    """Take a person whose account is closed out of their teams, in the same transaction.

    Raises:
        LastOwnerError: They are the only owner of a team: it is handed over or deleted first.
    """
    for team, _ in tx.teams.of_person(person_id):
        locked = tx.teams.lock(team.id)
        member = tx.teams.membership(team.id, person_id)
        if member is not None:
            _let_go(tx, locked, member, Act.MEMBER_LEFT, actor=actor, at=at)


def _let_go(
    tx: ChangeMembersTransaction,
    team: Team,
    member: Membership,
    act: Act,
    *,
    actor: Actor,
    at: datetime,
) -> int:
    _keep_an_owner(tx, team, member)
    # The wallet is locked before its keys, as limiting the account does.
    wallet = tx.ledger.find_wallet_of(team.id)
    end_counting(tx, wallet, member.person_id)
    revoked = revoke_keys(tx, team, member.person_id, at=at)
    tx.teams.remove(team.id, member.person_id)
    _tell_another(tx, team, wallet, member.person_id)
    note(
        tx,
        act,
        team,
        actor=actor,
        at=at,
        member=member.person_id,
        before={"role": str(member.role)},
        after={"keys_revoked": revoked},
    )
    return revoked


def _tell_another(tx: ChangeMembersTransaction, team: Team, wallet: Wallet, person_id: str) -> None:
    """Let an owner be told of a low balance, if it was a person who is no member any more."""
    watch = tx.low_balance.find(wallet.id)
    if watch is not None and watch.person_id == person_id:
        owners = (row for row in tx.teams.members(team.id) if row.role is TeamRole.OWNER)
        owner = next(owners, None)
        if owner is not None:
            tx.low_balance.save(replace(watch, person_id=owner.person_id))


def _check_rank(asking: Membership, *roles: TeamRole) -> None:
    if any(role.rank > asking.role.rank for role in roles):
        raise NotPermittedError(
            f"You are an {asking.role} of this team; this takes an owner.", code="not_your_role"
        )


def _keep_an_owner(tx: ChangeMembersTransaction, team: Team, member: Membership) -> None:
    """See that a team still has an owner without this member.

    Raises:
        LastOwnerError: It would not.
    """
    if member.role is not TeamRole.OWNER:
        return
    others = [row for row in tx.teams.members(team.id) if row.person_id != member.person_id]
    if not any(row.role is TeamRole.OWNER for row in others):
        raise LastOwnerError(team.name)
