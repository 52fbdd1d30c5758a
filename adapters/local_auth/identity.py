"""E-mail and password, checked against hashes in our own database.

Passwords are hashed with Argon2id. A hash takes tens of milliseconds of CPU on purpose, so
it is made outside every transaction, and through a ``Runner`` that may take it off the
event loop. Whether an address has an account never shows in the time an answer takes.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from creditcore.domain.errors import (
    BadCredentialsError,
    EmailTakenError,
    InvalidRequestError,
    PersonNotFoundError,
    ReferenceConflictError,
    StoreError,
)
from creditcore.domain.identities import Identity
from creditcore.domain.people import Person, clean_email
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.transactions import Transactions

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200
"""In characters, as typed. The upper bound keeps hashing cheap for us, and is far beyond use."""

T = TypeVar("T")


class Runner(Protocol):
    """Runs CPU work and returns its result, or raises what it raised.

    Under gevent this is a thread pool (Argon2 lets go of the interpreter lock):
    on the event loop one sign-in would stop every stream for as long as a hash takes.
    """

    def __call__(self, work: Callable[[], T], /) -> T:
        """Run the work to its end."""


def password_hasher() -> PasswordHasher:
    """Return Argon2id with 19 MiB, two passes and one lane.

    This is the first choice of OWASP's Password Storage Cheat Sheet for servers with
    little memory: some 30 ms of one core per hash, and ten at once take 190 MiB.
    """
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class LocalIdentityProvider:
    """Recognises people by the passwords we keep.

    No e-mail is ever sent, so every address counts as verified.
    """

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        *,
        hasher: PasswordHasher | None = None,
        run: Runner | None = None,
    ) -> None:
        """Prepare the provider; makes one hash.

        Args:
            transactions: Where people and their hashes are kept.
            clock: Dates new accounts.
            ids: Names new people.
            hasher: How passwords are hashed from now on; ``password_hasher()`` if left out.
                Earlier hashes keep working and are replaced as people sign in.
            run: Runs the hashing; in the caller's thread if left out.
        """
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._hasher = hasher or password_hasher()
        self._run = run or _run_here
        # Checked for addresses without an account, so that these cost the same work.
        self._nobodys_hash = self._hasher.hash(secrets.token_urlsafe())

    def sign_up(self, email: str, password: str) -> Identity:
        """Make an account.

        Raises:
            EmailTakenError: The address has one, or got one this very moment. Callers must
                not let a visitor see the difference.
            InvalidRequestError: The address or the password cannot be used.
        """
        email = clean_email(email)
        password = _new_password(password, email=email)
        password_hash = self._run(lambda: self._hasher.hash(password))
        person = Person(id=self._ids.new(), email=email, created_at=self._clock.now())
        try:
            with self._transactions.begin() as tx:
                tx.people.add(person)
                tx.people.set_password_hash(person.id, password_hash)
                tx.commit()
        except ReferenceConflictError as error:
            # Only the address can collide: somebody else's commit came first.
            raise EmailTakenError from error
        return _identity_of(person)

    def sign_in(self, email: str, password: str) -> Identity:
        """Return whose account this is.

        Takes the same work whether or not the address is known, the person is blocked or
        has no password here; only then is anything decided.

        Raises:
            BadCredentialsError: Address and password do not match, or the person is blocked.
        """
        try:
            email = clean_email(email)
        except InvalidRequestError as error:
            raise BadCredentialsError from error
        if not _is_usable(password):
            raise BadCredentialsError
        password = _one_form(password)
        account = self._find(email)
        stored_hash = account.password_hash if account else self._nobodys_hash
        matches = self._run(lambda: self._matches(stored_hash, password))
        if account is None or not matches or account.person.blocked:
            raise BadCredentialsError
        if self._hasher.check_needs_rehash(stored_hash):
            self._rehash(account, password)
        return _identity_of(account.person)

    def set_password(self, person: Person, password: str) -> None:
        """Replace somebody's password, or give them their first; ends their sessions.

        Raises:
            InvalidRequestError: The password cannot be used.
            PersonNotFoundError: Nobody has this id.
        """
        password = _new_password(password, email=person.email)
        password_hash = self._run(lambda: self._hasher.hash(password))
        with self._transactions.begin() as tx:
            found = tx.people.lock(person.id)
            if found is None:
                raise PersonNotFoundError(person.id)
            tx.people.set_password_hash(person.id, password_hash)
            # Whoever knew the old password may still be signed in.
            tx.people.save(found.end_sessions())
            tx.commit()

    def _find(self, email: str) -> _Account | None:
        """Return the account with a local password at this address."""
        with self._transactions.begin() as tx:
            person = tx.people.find_by_email(email)
            password_hash = tx.people.password_hash(person.id) if person else None
        return _Account(person, password_hash) if person and password_hash else None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False

    def _rehash(self, account: _Account, password: str) -> None:
        """Replace a hash made with other parameters, unless the password changed meanwhile."""
        new_hash = self._run(lambda: self._hasher.hash(password))
        # The person is signed in already; the next time is early enough to try again.
        with suppress(StoreError, ReferenceConflictError), self._transactions.begin() as tx:
            if tx.people.password_hash(account.person.id) == account.password_hash:
                tx.people.set_password_hash(account.person.id, new_hash)
                tx.commit()


@dataclass(frozen=True, slots=True)
class _Account:
    person: Person
    password_hash: str


def _identity_of(person: Person) -> Identity:
    return Identity(
        subject=person.id,
        email=person.email,
        email_verified=True,
        session_epoch=person.session_epoch,
    )


def _new_password(password: str, *, email: str) -> str:
    """Return a password in the form that is hashed, if it may become somebody's.

    Length is the only rule of strength (NIST SP 800-63B): rules about digits and signs
    make passwords harder to remember, not to guess.

    Raises:
        InvalidRequestError: It is too short, too long, the address itself, or not text.
    """
    if len(password) < MIN_PASSWORD_LENGTH:
        raise _refused(f"A password has at least {MIN_PASSWORD_LENGTH} characters.")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise _refused(f"A password has at most {MAX_PASSWORD_LENGTH} characters.")
    if not _is_usable(password):
        raise _refused("This password has a character that cannot be typed.")
    if password.strip().lower() == email:
        raise _refused("A password cannot be the e-mail address.")
    return _one_form(password)


def _is_usable(password: str) -> bool:
    """Whether this can be hashed: some C code ends text at NUL, and a surrogate has no bytes."""
    return len(password) <= MAX_PASSWORD_LENGTH and not any(
        character == "\0" or "\ud800" <= character <= "\udfff" for character in password
    )


def _one_form(password: str) -> str:
    """Return NFKC: the same password typed on another system can arrive as other code points."""
    return unicodedata.normalize("NFKC", password)


def _refused(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, param="password")


def _run_here(work: Callable[[], T]) -> T:
    return work()
