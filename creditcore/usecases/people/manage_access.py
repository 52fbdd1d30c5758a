"""What operators do about how a person gets in; the identity provider does it, the log keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.errors import InvalidRequestError, PersonNotFoundError, SessionEndedError
from creditcore.domain.identities import Grant, Identity, SignOutScope
from creditcore.domain.people import Person, masked_email
from creditcore.ports.clock import Clock
from creditcore.ports.identity import IdentityOperators
from creditcore.ports.store_ports import HasSessions
from creditcore.ports.transactions import Begins, PeopleTransaction
from creditcore.usecases.people.keep_sessions import KeepSessions

_GRANTS_TRIED = 3


class ManageAccessTransaction(PeopleTransaction, HasSessions, Protocol):
    """What managing access reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageAccess:
    """Let people in, and keep them out.

    The provider is asked first, with no transaction open. Then sessions end here, and the act is
    noted. Where that fails, the command is run again: each act may be repeated. Keys are another
    matter: ``BlockPerson`` revokes them.

    Every method may raise:
        IdentityUnavailableError: The provider gave no usable answer; what happened is unknown.
        PersonNotFoundError: No person has this id, here or at the provider.
    """

    transactions: Begins[ManageAccessTransaction]
    clock: Clock
    operators: IdentityOperators
    sessions: KeepSessions

    def invite(self, email: str, *, actor: Actor = SYSTEM) -> Identity:
        """Mail a person a link by which they choose a password; a repeat mails another.

        Raises:
            EmailTakenError: The address has a confirmed account.
            InvalidRequestError: This cannot be an address.
            NotOfferedError: No mail is sent here.
        """
        invited = self.operators.invite(email)
        self._note(
            Act.PERSON_INVITED, invited.subject, actor, {"email": masked_email(invited.email)}
        )
        return invited

    def ban(
        self, person_id: str, *, reason: str, until: datetime | None = None, actor: Actor = SYSTEM
    ) -> int:
        """Keep a person out, for good or until then; return how many sessions ended.

        Raises:
            InvalidRequestError: No reason is given, or ``until`` is over already.
        """
        if not reason.strip():
            raise InvalidRequestError("A ban has a reason.", param="reason")
        if until is not None and until <= self.clock.now():
            raise InvalidRequestError("A ban ends in the future.", param="until")
        person = self._person(person_id)
        self.operators.ban(person.provider_subject, until=until)
        details = {"reason": reason.strip(), "until": until.isoformat() if until else "for good"}
        return self._end_sessions(Act.PERSON_BANNED, person, actor, details)

    def unban(self, person_id: str, *, actor: Actor = SYSTEM) -> None:
        """Let a person in again."""
        person = self._person(person_id)
        self.operators.unban(person.provider_subject)
        self._note(Act.PERSON_UNBANNED, person_id, actor, {})

    def remove_second_factor(self, person_id: str, *, reason: str, actor: Actor = SYSTEM) -> bool:
        """Let the password be enough for who lost the app; ends their sessions.

        Returns:
            Whether there was a second factor.

        Raises:
            InvalidRequestError: No reason is given.
        """
        if not reason.strip():
            raise InvalidRequestError("Say how they showed who they are.", param="reason")
        person = self._person(person_id)
        if not self.operators.remove_second_factor(person.provider_subject):
            return False
        details = {"reason": reason.strip()}
        self._end_sessions(Act.SECOND_FACTOR_REMOVED, person, actor, details)
        return True

    def set_password(self, person_id: str, password: str, *, actor: Actor = SYSTEM) -> int:
        """Replace a password; ends the sessions, and returns how many those were.

        Raises:
            InvalidRequestError: The password cannot be used.
        """
        person = self._person(person_id)
        self.operators.set_password(person.provider_subject, password)
        return self._end_sessions(Act.PASSWORD_SET, person, actor, {})

    def sign_out(self, person_id: str, *, actor: Actor = SYSTEM) -> int:
        """End every session of a person, here and at the provider; return how many those were."""
        person = self._person(person_id)
        return self._end_sessions(Act.SESSIONS_ENDED, person, actor, {})

    def _person(self, person_id: str) -> Person:
        with self.transactions.begin() as tx:
            person = tx.people.find(person_id)
        if person is None:
            raise PersonNotFoundError(person_id)
        return person

    def _end_sessions(
        self, act: Act, person: Person, actor: Actor, details: Mapping[str, object]
    ) -> int:
        # The provider ends all of its own by any of their grants, which are forgotten with the
        # sessions. One may have lost its worth; so a few are kept.
        grants = self._grants(person)
        now = self.clock.now()
        with self.transactions.begin() as tx:
            found = tx.people.lock(person.id)
            if found is None:
                raise PersonNotFoundError(person.id)
            tx.people.save(found.end_sessions())
            ended = tx.sessions.end_all(person.id, at=now)
            tx.activity.add(_act(act, person.id, actor, now, {**details, "sessions": ended}))
            tx.commit()
        for grant in grants:
            self.sessions.provider.sign_out(grant, SignOutScope.ALL)
        return ended

    def _grants(self, person: Person) -> list[Grant]:
        found = []
        for session in self.sessions.list_of(person)[:_GRANTS_TRIED]:
            with suppress(SessionEndedError):
                found.append(self.sessions.grant_of(session))
        return found

    def _note(self, act: Act, person_id: str, actor: Actor, details: Mapping[str, object]) -> None:
        with self.transactions.begin() as tx:
            tx.activity.add(_act(act, person_id, actor, self.clock.now(), details))
            tx.commit()


def _act(
    act: Act, person_id: str, actor: Actor, at: datetime, details: Mapping[str, object]
) -> Activity:
    return Activity(
        actor=actor,
        act=act,
        target=f"person:{person_id}",
        person_id=person_id,
        after=details,
        at=at,
    )
