"""Make teams, rename and delete them, and hand them over."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Protocol

from creditcore.domain.access import Action
from creditcore.domain.activity import SYSTEM, Act, Actor
from creditcore.domain.buyers import clean_buyer
from creditcore.domain.errors import (
    InvalidRequestError,
    MemberNotFoundError,
    PersonNotFoundError,
)
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import NO_LIMITS, KeyLimits
from creditcore.domain.teams import (
    MAX_TEAMS,
    InvitationState,
    Membership,
    Team,
    TeamRole,
    clean_team_name,
)
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.store_ports import HasInvitations, HasTeams
from creditcore.ports.transactions import Begins, KeysTransaction
from creditcore.usecases.keys.limit_account import LimitAccount
from creditcore.usecases.teams.membership_terms import (
    begin_counting,
    end_counting,
    locked_team,
    member_who_may,
    membership_of,
    note,
    revoke_all_keys,
)


class KeepTeamsTransaction(KeysTransaction, HasInvitations, Protocol):
    """What keeping teams reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepTeams:
    """What happens to a team as a whole. Each act is kept in the activity log.

    Attributes:
        account_limits: What all keys of a new team may use together, as for a newcomer.
    """

    transactions: Begins[KeepTeamsTransaction]
    clock: Clock
    ids: Ids
    account_limits: KeyLimits = NO_LIMITS

    def create(
        self, person_id: str, name: str, *, team_id: str | None = None, actor: Actor = SYSTEM
    ) -> Team:
        """Make a team with a wallet of its own, which is empty, and one owner.

        Args:
            person_id: Who becomes its owner.
            name: How it is called.
            team_id: A name from ``Ids.new``, where the same request may arrive twice.
            actor: Who asks, for the activity log.

        Raises:
            InvalidRequestError: The name cannot be, or the person is blocked or in too many teams.
            PersonNotFoundError: No person has this id.
            ReferenceConflictError: The team with this id was made already.
        """
        now = self.clock.now()
        team = Team(id=team_id or self.ids.new(), name=clean_team_name(name), created_at=now)
        with self.transactions.begin() as tx:
            # Locked, so that two requests cannot both make the last team there is room for.
            person = tx.people.lock(person_id)
            if person is None:
                raise PersonNotFoundError(person_id)
            if person.blocked:
                raise InvalidRequestError("This account is blocked.")
            check_room(tx, person_id)
            tx.teams.add(team)
            wallet = Wallet(id=self.ids.new(), owner_id=team.id)
            tx.ledger.add_wallet(wallet)
            tx.teams.put(
                Membership(team_id=team.id, person_id=person_id, role=TeamRole.OWNER, joined_at=now)
            )
            begin_counting(tx, wallet, person, None, now=now)
            if self.account_limits != NO_LIMITS:
                limits = LimitAccount(transactions=self.transactions, clock=self.clock)
                limits.apply(tx, wallet.id, team.id, self.account_limits, actor=SYSTEM)
            note(tx, Act.TEAM_CREATED, team, actor=actor, at=now, after={"name": team.name})
            tx.commit()
        return team

    def rename(self, team_id: str, name: str, *, by: str, actor: Actor = SYSTEM) -> Team:
        """Call a team something else; a repeat changes nothing.

        Raises:
            InvalidRequestError: The name cannot be.
            NotPermittedError: Who asks is no admin of the team.
            TeamNotFoundError: There is no such team, or they are not in it.
        """
        name = clean_team_name(name)
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            member_who_may(tx, team, by, Action.DESCRIBE_TEAM)
            if team.name == name:
                return team
            renamed = replace(team, name=name)
            tx.teams.save(renamed)
            note(
                tx,
                Act.TEAM_RENAMED,
                renamed,
                actor=actor,
                at=self.clock.now(),
                before={"name": team.name},
                after={"name": name},
            )
            tx.commit()
        return renamed

    def put_on_receipts(
        self,
        team_id: str,
        *,
        company: str,
        address: str,
        tax_number: str,
        by: str,
        actor: Actor = SYSTEM,
    ) -> Team:
        """Change what documents that are issued from now on name; a repeat changes nothing.

        Raises:
            InvalidRequestError: One of the three cannot be; its field is named.
            NotPermittedError: Who asks is no admin of the team.
            TeamNotFoundError: There is no such team, or they are not in it.
        """
        buyer = clean_buyer(company=company, address=address, tax_number=tax_number)
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            member_who_may(tx, team, by, Action.DESCRIBE_TEAM)
            before, after = asdict(team.buyer), asdict(buyer)
            changed = [name for name in after if after[name] != before[name]]
            if not changed:
                return team
            described = replace(team, buyer=buyer)
            tx.teams.save(described)
            note(
                tx,
                Act.TEAM_RECEIPTS_CHANGED,
                described,
                actor=actor,
                at=self.clock.now(),
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )
            tx.commit()
        return described

    def transfer(self, team_id: str, to: str, *, by: str, actor: Actor = SYSTEM) -> None:
        """Make another member an owner, and who asks an admin, in one step.

        Raises:
            InvalidRequestError: It is themselves.
            MemberNotFoundError: The other is not in the team.
            NotPermittedError: Who asks is no owner of the team.
            TeamNotFoundError: There is no such team, or they are not in it.
        """
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            giver = member_who_may(tx, team, by, Action.OWN_TEAM)
            if to == by:
                raise InvalidRequestError("You own this team already.", param="member_id")
            self._hand_over(tx, team, giver, to, actor=actor)
            tx.commit()

    def appoint(self, team_id: str, person_id: str, *, actor: Actor) -> None:
        """Make a member an owner as an operator: the owners are gone, or cannot sign in.

        Raises:
            MemberNotFoundError: They are not in the team.
            TeamNotFoundError: There is no such team.
        """
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            self._hand_over(tx, team, None, person_id, actor=actor)
            tx.commit()

    def delete(self, team_id: str, name: str, *, by: str, actor: Actor = SYSTEM) -> None:
        """Close a team for everyone; a repeat finds no team any more.

        Its keys are revoked with the next request, its invitations withdrawn, its members let
        go. Payments, transfers and calls stay, as the law asks, and so does what is left in its
        wallet, which nothing opens: an operator can refund the payments that it came from.

        Raises:
            InvalidRequestError: What was typed is not the team's name.
            NotPermittedError: Who asks is no owner of the team.
            TeamNotFoundError: There is no such team, or they are not in it.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            member_who_may(tx, team, by, Action.OWN_TEAM)
            if " ".join(name.split()) != team.name:
                raise InvalidRequestError(
                    f"Type the name of the team, {team.name}, to delete it.", param="confirm"
                )
            wallet = tx.ledger.find_wallet_of(team.id)
            for invitation in tx.invitations.pending_of(team.id):
                tx.invitations.save(invitation.close(InvitationState.REVOKED, at=now))
            members = tx.teams.members(team.id)
            for member in members:
                end_counting(tx, wallet, member.person_id)
                tx.teams.remove(team.id, member.person_id)
            revoked = revoke_all_keys(tx, team, at=now)
            tx.teams.save(team.delete(at=now))
            note(
                tx,
                Act.TEAM_DELETED,
                team,
                actor=actor,
                at=now,
                before={"name": team.name, "members": [row.person_id for row in members]},
                after={"keys_revoked": revoked, "credits_left": str(wallet.posted)},
            )
            tx.commit()

    def _hand_over(
        self,
        tx: KeepTeamsTransaction,
        team: Team,
        giver: Membership | None,
        to: str,
        *,
        actor: Actor,
    ) -> None:
        taker = membership_of(tx, team, to)
        person = tx.people.find(to)
        if person is None or person.blocked:
            raise MemberNotFoundError(to)
        tx.teams.put(replace(taker, role=TeamRole.OWNER))
        if giver is not None:
            tx.teams.put(replace(giver, role=TeamRole.ADMIN))
        note(
            tx,
            Act.OWNERSHIP_TRANSFERRED,
            team,
            actor=actor,
            at=self.clock.now(),
            before={"owner": giver.person_id if giver else "", "role": str(taker.role)},
            after={"owner": to},
        )


def check_room(tx: HasTeams, person_id: str) -> None:
    """See whether a person, who is locked, may be in another team.

    Raises:
        InvalidRequestError: They are in ``MAX_TEAMS`` already.
    """
    if len(tx.teams.of_person(person_id)) >= MAX_TEAMS:
        raise InvalidRequestError(
            f"One person may be in {MAX_TEAMS} teams at most. Leave one first."
        )
