"""What operators do to local accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from adapters.local_auth.account import Account, identity_of, with_password
from adapters.local_auth.outbox import request_link, request_notice
from adapters.local_auth.passwords import Passwords
from creditcore.domain.credentials import Credential
from creditcore.domain.errors import (
    EmailTakenError,
    NotOfferedError,
    PersonNotFoundError,
    ReferenceConflictError,
)
from creditcore.domain.identities import Identity, LinkKind
from creditcore.domain.people import Person, clean_email
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.transactions import Transactions


class LocalIdentityOperators:
    """The other side of ``LocalIdentityProvider`` (``IdentityOperators``)."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        *,
        passwords: Passwords,
        sends_mail: bool = False,
    ) -> None:
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._passwords = passwords
        self._sends_mail = sends_mail

    def find(self, email: str) -> Identity | None:
        with self._transactions.begin() as tx:
            person = tx.people.find_by_email(clean_email(email))
            credential = tx.credentials.find(person.id) if person else None
        return identity_of(Account(person, credential)) if person and credential else None

    def create(self, email: str, password: str | None = None, *, confirmed: bool) -> Identity:
        email = clean_email(email)
        password_hash = "" if password is None else self._passwords.hash(password, email=email)
        now = self._clock.now()
        person = Person(id=self._ids.new(), email=email, created_at=now)
        credential = Credential(
            person_id=person.id,
            password_hash=password_hash,
            confirmed_at=now if confirmed else None,
        )
        try:
            with self._transactions.begin() as tx:
                tx.people.add(person)
                tx.credentials.save(credential)
                tx.commit()
        except ReferenceConflictError as error:
            # Only the address can collide: another sign-up's commit came first.
            raise EmailTakenError from error
        return identity_of(Account(person, credential))

    def invite(self, email: str) -> Identity:
        """Make an account and ask for a link to its owner; a repeat asks for another.

        Raises:
            EmailTakenError: The address has a confirmed account.
            NotOfferedError: No mail is sent here.
        """
        if not self._sends_mail:
            raise NotOfferedError
        found = self.find(email)
        if found is not None and found.email_verified:
            raise EmailTakenError
        invited = found or self.create(email, confirmed=False)
        with self._transactions.begin() as tx:
            request_link(tx, LinkKind.INVITE, invited.email, at=self._clock.now())
            tx.commit()
        return invited

    def ban(self, subject: str, *, until: datetime | None = None) -> None:
        with self._transactions.begin() as tx:
            person = tx.people.lock(subject)
            if person is None:
                raise PersonNotFoundError(subject)
            credential = tx.credentials.lock(subject) or Credential(person_id=subject)
            tx.credentials.save(replace(credential, banned_until=until))
            tx.people.save(person.block() if until is None else person.end_sessions())
            tx.commit()

    def unban(self, subject: str) -> None:
        with self._transactions.begin() as tx:
            person = tx.people.lock(subject)
            if person is None:
                raise PersonNotFoundError(subject)
            credential = tx.credentials.lock(subject)
            if credential is not None:
                tx.credentials.save(replace(credential.succeeded(), banned_until=None))
            tx.people.save(person.unblock())
            tx.commit()

    def set_password(self, subject: str, password: str) -> None:
        with self._transactions.begin() as tx:
            person = tx.people.find(subject)
        if person is None:
            raise PersonNotFoundError(subject)
        password_hash = self._passwords.hash(password, email=person.email)
        with self._transactions.begin() as tx:
            if with_password(tx, subject, password_hash, at=self._clock.now()) is None:
                raise PersonNotFoundError(subject)
            tx.commit()

    def remove_second_factor(self, subject: str) -> bool:
        """Let the password be enough, and tell its owner; return whether there was one.

        Raises:
            PersonNotFoundError: No person has this id.
        """
        now = self._clock.now()
        with self._transactions.begin() as tx:
            person = tx.people.find(subject)
            credential = tx.credentials.lock(subject) if person else None
            if person is None or credential is None:
                raise PersonNotFoundError(subject)
            # One that was begun and never confirmed goes too; it did not count.
            tx.credentials.save(credential.without_second_factor().succeeded())
            if credential.has_second_factor and self._sends_mail:
                request_notice(tx, "second_factor_removed", person.email, at=now)
            tx.commit()
        return credential.has_second_factor

    def delete(self, subject: str) -> None:
        """Forget the ways in and the address; what was paid stays, with no name on it."""
        with self._transactions.begin() as tx:
            person = tx.people.lock(subject)
            if person is None:
                return
            tx.credentials.delete(subject)
            tx.people.save(replace(person.block(), email=f"{subject}@deleted.invalid"))
            tx.commit()
