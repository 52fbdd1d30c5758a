"""What an identity provider gave for each session: sealed, opened, and refreshed before it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.errors import (
    IdentityUnavailableError,
    SealBrokenError,
    SessionEndedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import MAX_GRANT_BYTES, Grant
from creditcore.domain.sessions import Session
from creditcore.ports.clock import Clock
from creditcore.ports.identity import IdentityProvider
from creditcore.ports.store_ports import Commits, HasSessions
from creditcore.ports.transactions import Begins
from creditcore.ports.vault import Vault

EARLY = timedelta(seconds=60)
"""A grant is refreshed before it ends: answers take time, and clocks differ."""

LEASE = timedelta(seconds=20)
"""For so long one process refreshes a session, and no other. Longer than the provider takes."""

PAUSE = timedelta(seconds=10)
"""After the provider could not be asked, no process asks again before."""

GRACE = timedelta(minutes=15)
"""While the provider cannot be asked, people go on reading for so long after a grant ended."""

_POLL_S = 0.1


class SessionGrantsTransaction(HasSessions, Commits, Protocol):
    """What refreshing grants reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGrants:
    """Keep the provider's grant of each session fresh.

    No transaction is open while the provider is asked. One process at a time refreshes a
    session, among those of all hosts: it takes a lease on the row.

    Attributes:
        sleep: Waits for another process that is refreshing the same session.
    """

    transactions: Begins[SessionGrantsTransaction]
    clock: Clock
    vault: Vault
    provider: IdentityProvider
    sleep: Callable[[float], None] = time.sleep

    def of(self, session: Session) -> Grant:
        """Return what the provider gave for a session.

        Raises:
            SessionEndedError: It is over, or its seal is broken.
        """
        if session.ended_at is not None:
            raise SessionEndedError
        try:
            secret = self.vault.open(session.sealed_grant, context=_context(session))
        except SealBrokenError as error:
            raise SessionEndedError from error
        return Grant(
            subject=session.subject or session.person_id,
            session_id=session.provider_session_id,
            secret=secret,
            good_until=session.good_until,
        )

    def put_into(self, session: Session, grant: Grant) -> Session:
        """Return the session with a grant, sealed; nothing is stored yet.

        Raises:
            SessionEndedError: The grant is too large to keep.
        """
        if len(grant.secret) > MAX_GRANT_BYTES:
            raise SessionEndedError
        return replace(
            session,
            provider_session_id=grant.session_id,
            subject="" if grant.subject == session.person_id else grant.subject,
            sealed_grant=self.vault.seal(grant.secret, context=_context(session)),
            good_until=grant.good_until,
            refreshing_until=None,
        )

    def refresh(self, session: Session) -> Session | None:
        """Return the session with a grant that is good, or None where it is over here.

        Asks the provider when the grant is about to end. While another process asks, returns
        the session with the grant that is there, or waits if that has ended.

        Raises:
            IdentityUnavailableError: The grant has ended, and the provider cannot be asked.
            SessionEndedError: The provider has ended it, or the newer grant is too large to keep.
        """
        if not _is_due(session, self.clock.now()):
            return session
        deadline = self.clock.now() + LEASE
        while True:
            now = self.clock.now()
            current, mine = self._claim(session, now)
            if current is None or not _is_due(current, now):
                return current
            if mine:
                return self._ask(current)
            if _may_go_on(current, now):
                return current
            if now >= deadline:
                raise IdentityUnavailableError
            self.sleep(_POLL_S)

    def _claim(self, session: Session, now: datetime) -> tuple[Session | None, bool]:
        """Return the session as it is now, and whether it is ours to refresh."""
        with self.transactions.begin() as tx:
            found = tx.sessions.lock(session.id, person_id=session.person_id)
            if found is None or found.ended_at is not None:
                return None, False
            leased = found.refreshing_until is not None and now < found.refreshing_until
            if leased or not _is_due(found, now):
                return found, False
            claimed = replace(found, refreshing_until=now + LEASE)
            tx.sessions.save(claimed)
            tx.commit()
        return claimed, True

    def _ask(self, session: Session) -> Session | None:
        try:
            grant = self.provider.refresh(self.of(session)).grant
            newer = self.put_into(session, grant)
        except (IdentityUnavailableError, TooManyAttemptsError) as error:
            now = self.clock.now()
            self._save_refreshed(session, replace(session, refreshing_until=now + PAUSE))
            if _may_go_on(session, now):
                return session
            raise IdentityUnavailableError from error
        return self._save_refreshed(session, newer)

    def _save_refreshed(self, claimed: Session, newer: Session) -> Session | None:
        with self.transactions.begin() as tx:
            found = tx.sessions.lock(claimed.id, person_id=claimed.person_id)
            if found is None or found.ended_at is not None:
                return None
            saved = replace(
                found,
                sealed_grant=newer.sealed_grant,
                good_until=newer.good_until,
                provider_session_id=newer.provider_session_id,
                subject=newer.subject,
                refreshing_until=newer.refreshing_until,
            )
            tx.sessions.save(saved)
            tx.commit()
        return saved


def _is_due(session: Session, now: datetime) -> bool:
    return session.good_until is not None and session.good_until - EARLY <= now


def _may_go_on(session: Session, now: datetime) -> bool:
    return session.good_until is not None and now < session.good_until + GRACE


def _context(session: Session) -> str:
    return f"session:{session.id}"
