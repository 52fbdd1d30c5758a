"""A local account: a person and what they are recognised by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from creditcore.domain.credentials import Credential, MailedLink
from creditcore.domain.errors import LinkRefusedError
from creditcore.domain.identities import (
    Grant,
    Identity,
    Method,
    NeedsSecondFactor,
    SignedIn,
    SignIn,
)
from creditcore.domain.people import Person
from creditcore.ports.transactions import Transaction


@dataclass(frozen=True, slots=True)
class Account:
    """A person and what they are recognised by."""

    person: Person
    credential: Credential

    def is_let_in(self, *, now: datetime) -> bool:
        """Whether its owner may sign in."""
        return not self.person.blocked and not self.credential.is_banned(now=now)


def account_of_link(tx: Transaction, link: MailedLink, *, now: datetime) -> Account:
    """Return the account that a link was mailed to, its credential locked.

    Raises:
        LinkRefusedError: The account is gone, kept out, or has another address by now.
    """
    person = tx.people.find(link.person_id)
    credential = tx.credentials.lock(link.person_id)
    if person is None or credential is None or person.email != link.email:
        raise LinkRefusedError
    account = Account(person, credential)
    if not account.is_let_in(now=now):
        raise LinkRefusedError
    return account


def with_password(
    tx: Transaction, person_id: str, password_hash: str, *, at: datetime
) -> Account | None:
    """Replace a person's password, and end their sessions: who knew the old one may be in."""
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
    """Return a person who has shown all that they have to."""
    return SignedIn(identity=identity_of(account), grant=grant_of(account.person))


def first_factor_shown(account: Account) -> SignIn:
    """Return a person who has shown the first factor; the second may be missing."""
    if account.credential.has_second_factor:
        return NeedsSecondFactor(identity=identity_of(account), grant=grant_of(account.person))
    return signed_in(account)
