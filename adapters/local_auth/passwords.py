"""Passwords: which may be chosen, and how they are kept.

They are hashed with Argon2id. A hash takes tens of milliseconds of CPU on purpose, so it is
made outside every transaction, and through a ``Runner`` that may take it off the event loop.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from creditcore.domain.errors import InvalidRequestError

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200
"""In characters, as typed. The upper bound keeps hashing cheap for us, and is far beyond use."""

_MIN_DIFFERENT = 5
_AROUND_A_WORD = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_LOOK_ALIKES = str.maketrans("013457@$!", "oieastasi")

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


class Passwords:
    """Hashes and checks passwords."""

    def __init__(self, *, hasher: PasswordHasher | None = None, run: Runner | None = None) -> None:
        """Prepare; makes one hash.

        Args:
            hasher: How passwords are hashed from now on; ``password_hasher()`` if left out.
                Earlier hashes keep working and are replaced as people sign in.
            run: Runs the hashing; in the caller's thread if left out.
        """
        self._hasher = hasher or password_hasher()
        self._run = run or _run_here
        # Checked for addresses without an account, so that these cost the same work.
        self._nobodys_hash = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str, *, email: str) -> str:
        """Return the hash of a password that may become a person's.

        Raises:
            InvalidRequestError: It may not.
        """
        chosen = new_password(password, email=email)
        return self._run(lambda: self._hasher.hash(chosen))

    def match(self, stored: str, password: str) -> bool:
        """Whether this is the password of a hash; takes its time also where there is no hash."""
        if not _is_usable(password):
            return False
        typed = _one_form(password)
        matches = self._run(lambda: self._verify(stored or self._nobodys_hash, typed))
        return matches and bool(stored)

    def renewed(self, stored: str, password: str) -> str | None:
        """Return a new hash of a password that was just checked, if the old one is out of date."""
        if not self._hasher.check_needs_rehash(stored):
            return None
        return self._run(lambda: self._hasher.hash(_one_form(password)))

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return False


def new_password(password: str, *, email: str) -> str:
    """Return a password in the form that is hashed, if it may become a person's.

    Length and not being the first that a thief would guess are the only rules (NIST SP
    800-63B): rules about digits and signs make passwords harder to remember, not to guess.

    Raises:
        InvalidRequestError: It is too short, too long, common, the address itself, or not text.
    """
    if len(password) < MIN_PASSWORD_LENGTH:
        raise _refused(f"A password has at least {MIN_PASSWORD_LENGTH} characters.")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise _refused(f"A password has at most {MAX_PASSWORD_LENGTH} characters.")
    if not _is_usable(password):
        raise _refused("This password has a character that cannot be typed.")
    plain = _one_form(password).strip().lower()
    if plain == email:
        raise _refused("A password cannot be the e-mail address.")
    if _is_easily_guessed(plain, email):
        raise _refused(
            "This password is among the first that a thief would try. Take some unrelated words."
        )
    return _one_form(password)


def _is_easily_guessed(password: str, email: str) -> bool:
    if len(set(password)) < _MIN_DIFFERENT:
        return True
    # What is left of "P4ssw0rd2026!!" when the usual decoration is taken off.
    bare = _AROUND_A_WORD.sub("", password)
    readable = _AROUND_A_WORD.sub("", password.translate(_LOOK_ALIKES))
    name = email.partition("@")[0]
    half = password[: len(password) // 2]
    tried = {password, bare, readable, *({half} if password == 2 * half else ())}
    return bool(tried & _common_passwords()) or (len(name) > 3 and bare == name)


@cache
def _common_passwords() -> frozenset[str]:
    """Return the 30,000 most common passwords of zxcvbn's list; it is in order of use."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


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
