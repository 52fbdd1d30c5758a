"""Move local accounts to an identity provider, so that their owners go on as themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from creditcore.domain.activity import COMMAND_LINE, Act, Activity
from creditcore.domain.credentials import Credential
from creditcore.domain.errors import EmailTakenError, InvalidRequestError
from creditcore.domain.people import Person
from creditcore.ports.account_import import AccountImport
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasCredentials, HasSessions
from creditcore.ports.transactions import Begins, PeopleTransaction

NEVER_SHOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""When accounts were confirmed that are older than confirming: they were taken at their word."""

_AT_ONCE = 100


class MoveAccountsTransaction(PeopleTransaction, HasCredentials, HasSessions, Protocol):
    """What moving accounts reads and writes."""


class Move(StrEnum):
    """What became of one account."""

    MOVED = "moved"
    """It is there now, or would be."""
    THERE = "there"
    """It was there already: an earlier run moved it."""
    UNCONFIRMED = "unconfirmed"
    """The address was never shown to be theirs: nothing is done by it."""
    JOINED = "joined"
    """The address has a confirmed account of another id there: they sign in with that one."""
    CONFLICT = "conflict"
    """The address has an account of another id there, and it was not confirmed by mail on both
    sides, or that account is another person's here. Only a person can tell what to do."""
    REFUSED = "refused"
    """The provider does not take this address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One account.

    Attributes:
        loses_second_factor: Whether its owner has to set up the authenticator app again.
    """

    person: Person
    result: Move
    loses_second_factor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAccounts:
    """Take every confirmed account over, one by one.

    Ids stay, and with them wallets, keys and history; passwords too, but for those who have an
    account there already: the two are joined, and that one's password counts. It may be stopped
    at any time, and run again: the provider is asked first what it has.
    """

    transactions: Begins[MoveAccountsTransaction]
    clock: Clock
    target: AccountImport

    def count(self) -> int:
        """Return how many local accounts there are."""
        return sum(1 for _ in self._credentials())

    def run(self, *, dry_run: bool = False) -> Iterator[Moved]:
        """Move accounts, and yield each as it is done.

        Args:
            dry_run: Ask the provider only, and change nothing.

        Raises:
            IdentityUnavailableError: The provider gives no usable answer; run it again later.
        """
        for credential in self._credentials():
            with self.transactions.begin() as tx:
                person = tx.people.find(credential.person_id)
            if person is not None:
                yield self._move(person, credential, dry_run=dry_run)

    def _move(self, person: Person, credential: Credential, *, dry_run: bool) -> Moved:
        if credential.confirmed_at in {None, NEVER_SHOWN}:
            return Moved(person=person, result=Move.UNCONFIRMED)
        try:
            result = self._there(person, credential, dry_run=dry_run)
            if result is None and not dry_run:
                result = self._take_over(person, credential)
        except InvalidRequestError:
            return Moved(person=person, result=Move.REFUSED)
        result = result or Move.MOVED
        loses = credential.has_second_factor and result in (Move.MOVED, Move.JOINED)
        return Moved(person=person, result=result, loses_second_factor=loses)

    def _take_over(self, person: Person, credential: Credential) -> Move:
        try:
            self.target.take_over(person.id, person.email, password_hash=credential.password_hash)
        except EmailTakenError:
            # Another run, or its owner, was faster.
            return self._there(person, credential, dry_run=False) or Move.CONFLICT
        return Move.MOVED

    def _there(self, person: Person, credential: Credential, *, dry_run: bool) -> Move | None:
        known = self.target.find(person.email)
        if known is None:
            return None
        if known.subject == person.provider_subject:
            return Move.THERE
        # Both sides must have seen a mail to this address opened: only its owner can have done
        # that. An address that was taken at its word may be a trap for who owns it.
        if not (known.email_verified and _was_mailed(person, credential)) or person.subject:
            return Move.CONFLICT
        return self._join(person, known.subject, dry_run=dry_run)

    def _join(self, person: Person, subject: str, *, dry_run: bool) -> Move:
        """Let an account there be the one that a person signs in with; all sessions end."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            found = tx.people.lock(person.id)
            taken = tx.people.find_by_subject(subject) or tx.people.find(subject)
            if found is None or taken is not None or found.email != person.email:
                return Move.CONFLICT
            if dry_run:
                return Move.JOINED
            tx.people.save(replace(found.end_sessions(), subject=subject))
            tx.sessions.end_all(found.id, at=now)
            tx.activity.add(
                Activity(
                    actor=COMMAND_LINE,
                    act=Act.ACCOUNT_JOINED,
                    target=f"person:{found.id}",
                    person_id=found.id,
                    after={"subject": subject},
                    at=now,
                )
            )
            tx.commit()
        return Move.JOINED

    def _credentials(self) -> Iterator[Credential]:
        last = ""
        while True:
            # No transaction is open while the provider is asked.
            with self.transactions.begin() as tx:
                page = tx.credentials.after(last, limit=_AT_ONCE)
            yield from page
            if len(page) < _AT_ONCE:
                return
            last = page[-1].person_id


def _was_mailed(person: Person, credential: Credential) -> bool:
    """Whether the owner of the address opened a mail, after the account was made."""
    return credential.confirmed_at is not None and credential.confirmed_at > person.created_at
