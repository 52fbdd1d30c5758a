"""A local account: a person and what they are recognised by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from creditcore.domain.credentials import Credential
from creditcore.domain.identities import Grant, Identity, Method, SignedIn
from creditcore.domain.people import Person
from creditcore.ports.transactions import Transaction


@dataclass(frozen=True, slots=True)
class Account:
    """A person and what they are recognised by."""

    person: Person
    credential: Credential

    def is_let_in(self, *, now: datetime) -> bool:
        """Whether anybody gets in on it."""
        return not self.person.blocked and not self.credential.is_banned(now=now)


def with_password(
    tx: Transaction, person_id: str, password_hash: str, *, at: datetime
) -> Account | None:
    """Replace somebody's password, and end their sessions: who knew the old one may be in."""
    person = tx.people.lock(person_id)
    if person is None:
        return None
    credential = tx.credentials.lock(person_id) or Credential(person_id=person_id, confirmed_at=at)
    credential = replace(credential.succeeded(), password_hash=password_hash, new_email="")
    person = person.end_sessions()
    tx.people.save(person)
    tx.credentials.save(credential)
    tx.credentials.close_links(person_id, at=at)
    return Account(person, credential)


def grant_of(person: Person) -> Grant:
    """Return what counts until all sessions of a person are ended."""
    return Grant(subject=person.id, secret=str(person.session_epoch).encode())


def identity_of(account: Account) -> Identity:
    """Return a person as the port knows them."""
    has_password = bool(account.credential.password_hash)
    return Identity(
        subject=account.person.id,
        email=account.person.email,
        email_verified=account.credential.confirmed_at is not None,
        second_factor=account.credential.has_second_factor,
        methods=frozenset({Method.PASSWORD} if has_password else ()),
        new_email=account.credential.new_email,
        session_epoch=account.person.session_epoch,
    )


def signed_in(account: Account) -> SignedIn:
    """Return somebody who has shown all that they have to."""
    return SignedIn(identity=identity_of(account), grant=grant_of(account.person))
