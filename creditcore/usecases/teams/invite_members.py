"""Invite people to a team by e-mail; accept, decline and withdraw invitations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

from creditcore.domain.access import Action
from creditcore.domain.activity import SYSTEM, Act, Actor
from creditcore.domain.errors import (
    InvalidRequestError,
    InvitationRefusedError,
    NotPermittedError,
    PersonNotFoundError,
    TeamNotFoundError,
)
from creditcore.domain.jobs import Job
from creditcore.domain.limits import SpendLimit
from creditcore.domain.people import Person, clean_email
from creditcore.domain.teams import (
    INVITATION_LIFETIME,
    MAX_MEMBERS,
    Invitation,
    InvitationState,
    Membership,
    Team,
    TeamRole,
    invitation_id_of,
)
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.store_ports import HasInvitations, HasJobs
from creditcore.ports.transactions import Begins, KeysTransaction
from creditcore.usecases.teams.keep_teams import check_room
from creditcore.usecases.teams.membership_terms import (
    begin_counting,
    limit_text,
    locked_team,
    member_who_may,
    note,
)

INVITATION_JOB = "mail_invitation"
"""The kind of the jobs. They carry no token: it is made when it is mailed."""

Deliver = Callable[[str, str, str, Mapping[str, object]], None]
"""Hands a mail over, by template, id, address and values; or raises, to be tried again."""


class InviteMembersTransaction(KeysTransaction, HasInvitations, HasJobs, Protocol):
    """What inviting members reads and writes."""


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation, and what its link is.

    Attributes:
        url: For the inviter to hand over where no mail arrives. It works for one address.
    """

    invitation: Invitation
    url: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation shows to whom it was sent.

    Attributes:
        inviter: The name or address of who asked.
    """

    invitation: Invitation
    team: Team
    inviter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteMembers:
    """Invite people. A link works once, for a week, and for the account of its address alone.

    Attributes:
        pepper: The server's secret under which links are made.
        base_url: Where they lead.
        deliver: Hands the mails over.
    """

    transactions: Begins[InviteMembersTransaction]
    clock: Clock
    ids: Ids
    pepper: bytes
    base_url: str
    deliver: Deliver

    def invite(
        self,
        team_id: str,
        email: str,
        role: TeamRole,
        *,
        by: str,
        limit: SpendLimit | None = None,
        actor: Actor = SYSTEM,
    ) -> Invited:
        """Invite an address; a repeat sends it again, with these terms, and ends the link before.

        Raises:
            InvalidRequestError: It is no address, or in the team already, or the team is full, or
                the role is that of an owner.
            NotPermittedError: Who asks is no admin of the team.
            TeamNotFoundError: There is no such team, or they are not in it.
        """
        email = clean_email(email)
        if role is TeamRole.OWNER:
            raise InvalidRequestError(
                "Invite them as an admin, then make them an owner.", param="role"
            )
        now = self.clock.now()
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            member_who_may(tx, team, by, Action.MANAGE_MEMBERS)
            person = tx.people.find_by_email(email)
            if person is not None and tx.teams.membership(team.id, person.id) is not None:
                raise InvalidRequestError(f"{email} is in this team already.", param="email")
            pending = tx.invitations.pending_of(team.id)
            kept = next((row for row in pending if row.email == email), None)
            if kept is None:
                self._check_room(tx, team, len(pending))
                invitation = Invitation(
                    id=self.ids.new(),
                    team_id=team.id,
                    email=email,
                    role=role,
                    limit=limit,
                    invited_by=by,
                    sent_at=now,
                    expires_at=now + INVITATION_LIFETIME,
                )
                tx.invitations.add(invitation)
            else:
                terms = replace(kept, role=role, limit=limit, invited_by=by)
                invitation = terms.send(at=now)
                tx.invitations.save(invitation)
            self._post(tx, invitation)
            note(
                tx,
                Act.MEMBER_INVITED,
                team,
                actor=actor,
                at=now,
                after={"email": email, "role": str(role), "limit": limit_text(limit)},
            )
            tx.commit()
        return Invited(invitation, self._url(invitation))

    def resend(
        self, team_id: str, invitation_id: str, *, by: str, actor: Actor = SYSTEM
    ) -> Invited:
        """Send an invitation once more, with another link; the one before opens nothing now.

        Raises:
            InvitationRefusedError: It is not pending any more.
            NotPermittedError: Who asks is no admin of the team.
            TeamNotFoundError: There is no such team, or they are not in it.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            member_who_may(tx, team, by, Action.MANAGE_MEMBERS)
            invitation = _pending(tx, team, invitation_id).send(at=now)
            tx.invitations.save(invitation)
            self._post(tx, invitation)
            _note(tx, Act.INVITATION_SENT, team, invitation, actor=actor, at=now)
            tx.commit()
        return Invited(invitation, self._url(invitation))

    def revoke(self, team_id: str, invitation_id: str, *, by: str, actor: Actor = SYSTEM) -> None:
        """Withdraw an invitation: its link opens nothing any more.

        Raises:
            InvitationRefusedError: It is not pending any more.
            NotPermittedError: Who asks is no admin of the team.
            TeamNotFoundError: There is no such team, or they are not in it.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            member_who_may(tx, team, by, Action.MANAGE_MEMBERS)
            invitation = _pending(tx, team, invitation_id)
            tx.invitations.save(invitation.close(InvitationState.REVOKED, at=now))
            _note(tx, Act.INVITATION_REVOKED, team, invitation, actor=actor, at=now)
            tx.commit()

    def look(self, token: str) -> Offer:
        """Return what a link offers, to show before it is accepted.

        Raises:
            InvitationRefusedError: It opens nothing.
        """
        with self.transactions.begin() as tx:
            invitation = tx.invitations.find(_id_of(token))
            invitation = self._opened(invitation, token)
            team = tx.teams.find(invitation.team_id)
            inviter = tx.people.find(invitation.invited_by)
        return Offer(invitation, team, (inviter.name or inviter.email) if inviter else "")

    def accept(self, token: str, person_id: str, *, actor: Actor = SYSTEM) -> Membership:
        """Join a team. A repeat by the same person returns the place that they have.

        Raises:
            InvalidRequestError: They are in too many teams.
            InvitationRefusedError: The link opens nothing, or is another address's.
            PersonNotFoundError: No person has this id.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            # Locked before the team, as a person who joins two at once might be in too many then.
            person = tx.people.lock(person_id)
            if person is None:
                raise PersonNotFoundError(person_id)
            found = tx.invitations.find(_id_of(token))
            if found is None:
                raise InvitationRefusedError
            team = _open_team(tx, found.team_id)
            invitation = tx.invitations.lock(found.id)
            kept = tx.teams.membership(team.id, person_id)
            if kept is not None and invitation is not None and invitation.opens(token, self.pepper):
                return kept
            invitation = self._opened(invitation, token)
            _check_address(invitation, person)
            check_room(tx, person_id)
            joined = Membership(
                team_id=team.id, person_id=person_id, role=invitation.role, joined_at=now
            )
            tx.invitations.save(invitation.close(InvitationState.ACCEPTED, at=now))
            tx.teams.put(joined)
            begin_counting(tx, tx.ledger.find_wallet_of(team.id), person, invitation.limit, now=now)
            note(
                tx,
                Act.MEMBER_JOINED,
                team,
                actor=actor,
                at=now,
                member=person_id,
                after={
                    "email": person.email,
                    "role": str(joined.role),
                    "invited_by": invitation.invited_by,
                },
            )
            tx.commit()
        return joined

    def decline(self, token: str, *, actor: Actor = SYSTEM) -> None:
        """Turn an invitation down: its link opens nothing any more.

        Raises:
            InvitationRefusedError: It opens nothing already.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            found = tx.invitations.find(_id_of(token))
            if found is None:
                raise InvitationRefusedError
            team = _open_team(tx, found.team_id)
            invitation = self._opened(tx.invitations.lock(found.id), token)
            tx.invitations.save(invitation.close(InvitationState.DECLINED, at=now))
            _note(tx, Act.INVITATION_DECLINED, team, invitation, actor=actor, at=now)
            tx.commit()

    def mail(self, job: Job) -> None:
        """Mail an invitation, unless it is over or was sent again since; a repeat mails the same.

        Raises:
            MailUnavailableError: The server did not take it; to be tried again.
        """
        with self.transactions.begin() as tx:
            invitation = tx.invitations.find(str(job.payload["invitation_id"]))
            if (
                invitation is None
                or not invitation.works(now=self.clock.now())
                or invitation.sent_at.isoformat() != job.payload["sent_at"]
            ):
                return
            team = tx.teams.find(invitation.team_id)
            inviter = tx.people.find(invitation.invited_by)
        self.deliver(
            "team_invitation",
            hashlib.sha256(job.name.encode()).hexdigest(),
            invitation.email,
            {
                "url": self._url(invitation),
                "team": team.name,
                "inviter": (inviter.name or inviter.email) if inviter else "",
                "inviter_email": inviter.email if inviter else "",
                "role": str(invitation.role),
                "days": INVITATION_LIFETIME.days,
            },
        )

    def _opened(self, invitation: Invitation | None, token: str) -> Invitation:
        if (
            invitation is None
            or not invitation.opens(token, self.pepper)
            or not invitation.works(now=self.clock.now())
        ):
            raise InvitationRefusedError
        return invitation

    def _check_room(self, tx: InviteMembersTransaction, team: Team, pending: int) -> None:
        if len(tx.teams.members(team.id)) + pending >= MAX_MEMBERS:
            raise InvalidRequestError(
                f"A team has {MAX_MEMBERS} members at most, with those who are invited. Remove "
                "somebody, or withdraw an invitation."
            )

    def _post(self, tx: InviteMembersTransaction, invitation: Invitation) -> None:
        sent_at = invitation.sent_at.isoformat()
        tx.jobs.enqueue(
            INVITATION_JOB,
            f"{invitation.id}-{sent_at}",
            {"invitation_id": invitation.id, "sent_at": sent_at},
            run_at=self.clock.now(),
        )

    def _url(self, invitation: Invitation) -> str:
        return f"{self.base_url}/join?{urlencode({'token': invitation.token(self.pepper)})}"


def _note(
    tx: InviteMembersTransaction,
    act: Act,
    team: Team,
    invitation: Invitation,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    note(tx, act, team, actor=actor, at=at, after={"email": invitation.email})


def _id_of(token: str) -> str:
    invitation_id = invitation_id_of(token)
    if invitation_id is None:
        raise InvitationRefusedError
    return invitation_id


def _open_team(tx: InviteMembersTransaction, team_id: str) -> Team:
    try:
        return locked_team(tx, team_id)
    except TeamNotFoundError:
        raise InvitationRefusedError from None


def _pending(tx: InviteMembersTransaction, team: Team, invitation_id: str) -> Invitation:
    invitation = tx.invitations.lock(invitation_id)
    if (
        invitation is None
        or invitation.team_id != team.id
        or invitation.state is not InvitationState.PENDING
    ):
        raise InvitationRefusedError(
            "This invitation was answered or withdrawn meanwhile. Reload the page."
        )
    return invitation


def _check_address(invitation: Invitation, person: Person) -> None:
    """See whether an invitation was sent to this person: a link that is passed on opens nothing."""
    if person.blocked:
        raise NotPermittedError("This account is blocked.", code="not_your_role")
    if person.email != invitation.email:
        raise InvitationRefusedError(
            f"This invitation is for {invitation.email}, and you are signed in as {person.email}. "
            "Sign in with that address, or ask for an invitation to yours."
        )
