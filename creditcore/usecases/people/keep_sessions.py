"""Sessions of this site: begun, gone on with, stepped up, listed and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.errors import SessionEndedError
from creditcore.domain.identities import (
    Grant,
    Identity,
    NeedsSecondFactor,
    SignedIn,
    SignOutScope,
)
from creditcore.domain.people import Person
from creditcore.domain.sessions import (
    IDLE_LIMIT,
    SEEN_EVERY,
    Device,
    Session,
    Stage,
    new_secret,
    secret_hash,
)
from creditcore.ports.clock import Clock
from creditcore.ports.identity import IdentityProvider
from creditcore.ports.ids import Ids
from creditcore.ports.store_ports import HasCredentials, HasSessions
from creditcore.ports.transactions import Begins, PeopleTransaction
from creditcore.usecases.people.session_activity import session_activity
from creditcore.usecases.people.session_grants import SessionGrants


class KeepSessionsTransaction(PeopleTransaction, HasCredentials, HasSessions, Protocol):
    """What keeping sessions reads and writes."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that has just begun.

    Attributes:
        secret: For the browser's cookie; it is kept nowhere else.
    """

    session: Session
    person: Person
    secret: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A session that goes on, and whose it is."""

    session: Session
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepSessions:
    """Keep who is signed in, in which browser, by any identity provider.

    No transaction is open while the provider is asked.

    Attributes:
        grants: What the provider gave for each session, kept fresh.
    """

    transactions: Begins[KeepSessionsTransaction]
    clock: Clock
    ids: Ids
    provider: IdentityProvider
    grants: SessionGrants

    def begin(
        self,
        person: Person,
        outcome: SignedIn | NeedsSecondFactor,
        *,
        device: Device,
        stage: Stage = Stage.OPEN,
        instead_of: Session | None = None,
        alone: bool = False,
        actor: Actor = SYSTEM,
        act: Act = Act.SIGNED_IN,
        how: str = "",
    ) -> Begun:
        """Begin a session, always with a new secret; an open one is noted in the activity log.

        Args:
            person: Who it is.
            outcome: What the provider says of them.
            device: Where they are.
            stage: How far they have come.
            instead_of: A session that ends with this, the provider's own going on in the new.
            alone: Every other session of theirs ends with this, as the provider's did.
            actor: Who it is, and from where, for the activity log.
            act: What the session is begun for.
            how: By what they showed who they are, in plain words.

        Raises:
            SessionEndedError: The provider's grant is too large to keep.
        """
        now = self.clock.now()
        secret, grant, identity = new_secret(), outcome.grant, outcome.identity
        session = self.grants.put_into(
            Session(
                id=self.ids.new(),
                secret_hash=secret_hash(secret),
                person_id=person.id,
                epoch=person.session_epoch
                if identity.session_epoch is None
                else identity.session_epoch,
                stage=stage,
                device=device,
                created_at=now,
                last_seen_at=now,
                proved_at=now,
            ),
            grant,
        )
        with self.transactions.begin() as tx:
            if alone:
                tx.sessions.end_all(person.id, at=now)
            tx.sessions.add(session)
            if instead_of is not None:
                earlier = tx.sessions.lock(instead_of.id, person_id=instead_of.person_id)
                if earlier is not None:
                    tx.sessions.save(earlier.end(at=now))
            if stage is Stage.OPEN:
                tx.activity.add(session_activity(act, session, actor=actor, at=now, how=how))
            tx.commit()
        return Begun(session, person, secret)

    def resume(self, secret: str) -> Kept | None:
        """Return the session of a cookie, or None where it counts no more.

        Asks the provider when the grant is about to end. While another process asks, goes on
        with the grant that is there, or waits if it has ended.

        Raises:
            IdentityUnavailableError: The grant has ended, and the provider cannot be asked.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            session = tx.sessions.find(secret_hash(secret))
            person = tx.people.find(session.person_id) if session else None
            if session is None or person is None or not session.counts_for(person, now=now):
                return None
            if now - session.last_seen_at > SEEN_EVERY:
                tx.sessions.touch(session.id, at=now)
                tx.commit()
        try:
            going_on = self.grants.refresh(session)
        except SessionEndedError:
            self._end(session)
            return None
        return None if going_on is None else Kept(going_on, person)

    def grant_of(self, session: Session) -> Grant:
        """Return what the provider gave for a session.

        Raises:
            SessionEndedError: It is over, or its seal is broken.
        """
        return self.grants.of(session)

    def check(self, session: Session) -> Identity:
        """Ask the provider now: for acts that move money or change what protects it.

        Raises:
            SessionEndedError: The session counts no more; it is over here too.
            IdentityUnavailableError: It cannot be asked.
        """
        try:
            return self.provider.check(self.grant_of(session))
        except SessionEndedError:
            self._end(session)
            raise

    def prove(self, session: Session) -> None:
        """Note that its owner has just shown who they are."""
        with self.transactions.begin() as tx:
            found = tx.sessions.lock(session.id, person_id=session.person_id)
            if found is not None:
                tx.sessions.save(found.prove(at=self.clock.now()))
                tx.commit()

    def keep(self, session: Session, grant: Grant) -> None:
        """Replace the grant of a session by a newer one.

        Raises:
            SessionEndedError: The grant is too large to keep.
        """
        with self.transactions.begin() as tx:
            found = tx.sessions.lock(session.id, person_id=session.person_id)
            if found is not None and found.ended_at is None:
                tx.sessions.save(self.grants.put_into(found, grant))
                tx.commit()

    def list_of(self, person: Person) -> Sequence[Session]:
        """Return the sessions in which a person is signed in, the last used first."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            found = tx.sessions.open_of(person.id)
        return [
            session
            for session in found
            if session.stage is Stage.OPEN and session.counts_for(person, now=now)
        ]

    def end(
        self,
        session_id: str,
        *,
        person_id: str,
        actor: Actor = SYSTEM,
        act: Act = Act.SESSION_ENDED,
    ) -> bool:
        """End one session of a person; return whether it was open until now.

        Args:
            session_id: Which.
            person_id: Whose it has to be.
            actor: Who ends it, for the activity log.
            act: ``SIGNED_OUT`` where its owner leaves, else ``SESSION_ENDED``.
        """
        with self.transactions.begin() as tx:
            session = tx.sessions.lock(session_id, person_id=person_id)
        if session is None or session.ended_at is not None:
            return False
        now, device = self.clock.now(), session.device
        noted = session_activity(
            act, session, actor=actor, at=now, device=device.name, place=device.place
        )
        self._end(session, tell=SignOutScope.THIS, noted=noted)
        return True

    def end_others(self, session: Session, *, actor: Actor = SYSTEM) -> int:
        """End every other session of its owner; return how many those were."""
        with self.transactions.begin() as tx:
            now = self.clock.now()
            ended = tx.sessions.end_all(session.person_id, at=now, but=session.id)
            tx.activity.add(
                session_activity(Act.SESSIONS_ENDED, session, actor=actor, at=now, but=session.id)
            )
            tx.commit()
        self.provider.sign_out(self.grant_of(session), SignOutScope.OTHERS)
        return ended

    def end_all(self, session: Session, *, actor: Actor = SYSTEM) -> None:
        """End every session of its owner, and every copy of their cookies."""
        grant = self.grant_of(session)
        with self.transactions.begin() as tx:
            person = tx.people.lock(session.person_id)
            if person is not None:
                tx.people.save(person.end_sessions())
            now = self.clock.now()
            tx.sessions.end_all(session.person_id, at=now)
            tx.activity.add(session_activity(Act.SESSIONS_ENDED, session, actor=actor, at=now))
            tx.commit()
        self.provider.sign_out(grant, SignOutScope.ALL)

    def forget_old(self, *, limit: int = 1000) -> int:
        """Delete sessions and mailed links that are over for long; return how many."""
        long_ago = self.clock.now() - 2 * IDLE_LIMIT
        with self.transactions.begin() as tx:
            forgotten = tx.sessions.forget(unused_since=long_ago, limit=limit)
            forgotten += tx.credentials.forget_links(created_before=long_ago, limit=limit)
            tx.commit()
        return forgotten

    def _end(
        self, session: Session, *, tell: SignOutScope | None = None, noted: Activity | None = None
    ) -> None:
        grant = self.grant_of(session) if tell else None
        with self.transactions.begin() as tx:
            found = tx.sessions.lock(session.id, person_id=session.person_id)
            if found is not None:
                tx.sessions.save(found.end(at=self.clock.now()))
                if noted is not None and found.ended_at is None:
                    tx.activity.add(noted)
                tx.commit()
        if tell and grant:
            self.provider.sign_out(grant, tell)
