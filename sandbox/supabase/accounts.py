"""People, and what belongs to them."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sandbox.supabase.clock import stamp


def new_id() -> str:
    """Return a UUID."""
    return str(uuid.uuid4())


@dataclass(slots=True)
class Secret:
    """What a mail carries: a hash for its link and a code, both good once."""

    sent_at: float
    hash: str = field(default_factory=lambda: secrets.token_hex(28))
    code: str = field(default_factory=lambda: f"{secrets.randbelow(1_000_000):06d}")
    flow_id: str = ""


@dataclass(slots=True)
class Identity:
    """A way in: ``email``, ``google`` or ``github``."""

    provider: str
    provider_id: str
    data: dict[str, Any]
    created_at: float
    id: str = field(default_factory=new_id)

    def shown(self, user_id: str) -> dict[str, Any]:
        """Return the identity as answers have it."""
        return {
            "identity_id": self.id,
            "id": self.provider_id,
            "user_id": user_id,
            "identity_data": dict(self.data),
            "provider": self.provider,
            "last_sign_in_at": stamp(self.created_at),
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.created_at),
            "email": self.data.get("email", ""),
        }


@dataclass(slots=True)
class Factor:
    """An authenticator app."""

    name: str
    secret: str
    created_at: float
    verified: bool = False
    challenged_at: float | None = None
    id: str = field(default_factory=new_id)
    # challenge id -> (caller, when)
    challenges: dict[str, tuple[str, float]] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """Return the factor as a user has it."""
        return {
            "id": self.id,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.created_at),
            "status": "verified" if self.verified else "unverified",
            "friendly_name": self.name,
            "factor_type": "totp",
            "phone": "",
            "last_challenged_at": None if self.challenged_at is None else stamp(self.challenged_at),
        }


@dataclass(slots=True)
class Account:
    """One person.

    Attributes:
        secrets: What was mailed and is good yet: ``confirmation``, ``recovery`` (magic links
            too: a newer mail of either kind kills the older), ``email_change_new``,
            ``email_change_current``, ``reauthentication``.
        is_fresh: Whether the address was confirmed in this very request: a column that the
            database computes is missing in its answer.
    """

    email: str
    created_at: float
    id: str = field(default_factory=new_id)
    password: str = ""
    updated_at: float = 0.0
    confirmed_at: float | None = None
    invited_at: float | None = None
    last_sign_in_at: float | None = None
    banned_until: float | None = None
    new_email: str = ""
    app_metadata: dict[str, Any] = field(default_factory=dict)
    user_metadata: dict[str, Any] = field(default_factory=dict)
    identities: list[Identity] = field(default_factory=list)
    factors: list[Factor] = field(default_factory=list)
    secrets: dict[str, Secret] = field(default_factory=dict)
    sent_at: dict[str, float] = field(default_factory=dict)
    is_fresh: bool = False

    def set_password(self, password: str) -> None:
        """Keep a password. Fast, unlike the real one: nothing here protects a real person."""
        salt = secrets.token_hex(8)
        self.password = f"{salt}:{_digest(salt, password)}"

    def has_password(self, password: str) -> bool:
        """Whether this is the password."""
        if self.password.startswith("$argon2"):
            # Taken over from another service.
            with suppress(VerificationError, InvalidHashError):
                return PasswordHasher().verify(self.password, password)
            return False
        salt, _, digest = self.password.partition(":")
        return bool(salt) and _digest(salt, password) == digest

    @property
    def providers(self) -> list[str]:
        """The names of the ways in, the first one first."""
        return list(dict.fromkeys(identity.provider for identity in self.identities))

    @property
    def has_second_factor(self) -> bool:
        """Whether an app counts."""
        return any(factor.verified for factor in self.factors)

    def is_banned(self, now: float) -> bool:
        """Whether its owner is kept out."""
        return self.banned_until is not None and now < self.banned_until

    def identity(self, provider: str) -> Identity | None:
        """Return the way in of this name."""
        return next((item for item in self.identities if item.provider == provider), None)

    def confirm(self, now: float) -> None:
        """Let the address count."""
        if self.confirmed_at is None:
            self.confirmed_at, self.is_fresh = now, True
        self.user_metadata["email_verified"] = True
        if email := self.identity("email"):
            email.data["email_verified"] = True

    def shown(self, *, listed: bool = False) -> dict[str, Any]:
        """Return the user object; what is null is left out."""
        times = {
            "email_confirmed_at": self.confirmed_at,
            "invited_at": self.invited_at,
            "confirmation_sent_at": self.sent_at.get("confirmation"),
            "confirmed_at": None if self.is_fresh else self.confirmed_at,
            "recovery_sent_at": self.sent_at.get("recovery"),
            "email_change_sent_at": self.sent_at.get("email_change"),
            "reauthentication_sent_at": self.sent_at.get("reauthentication"),
            "last_sign_in_at": self.last_sign_in_at,
            "banned_until": self.banned_until,
        }
        shown: dict[str, Any] = {
            "id": self.id,
            "aud": "authenticated",
            "role": "authenticated",
            "email": self.email,
            "phone": "",
            **{name: stamp(at) for name, at in times.items() if at is not None},
            "app_metadata": {
                **self.app_metadata,
                "provider": (self.providers or ["email"])[0],
                "providers": self.providers or ["email"],
            },
            "user_metadata": dict(self.user_metadata),
            "identities": None if listed else [item.shown(self.id) for item in self.identities],
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at or self.created_at),
            "is_anonymous": False,
        }
        if self.new_email:
            shown["new_email"] = self.new_email
        if self.factors:
            shown["factors"] = [factor.shown() for factor in self.factors]
        return shown


class Accounts:
    """All people."""

    def __init__(self) -> None:
        """Begin without accounts."""
        self._by_id: dict[str, Account] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(list(self._by_id.values()))

    def add(self, account: Account) -> None:
        """Add an account."""
        self._by_id[account.id] = account

    def get(self, account_id: str) -> Account | None:
        """Return who has an id."""
        return self._by_id.get(account_id)

    def by_email(self, email: str) -> Account | None:
        """Return who has an address."""
        return next((item for item in self._by_id.values() if item.email == email), None)

    def by_hash(self, name: str, value: str) -> Account | None:
        """Return whose mailed secret this is."""
        return next(
            (
                item
                for item in self._by_id.values()
                if name in item.secrets and item.secrets[name].hash == value
            ),
            None,
        )

    def by_identity(self, provider: str, provider_id: str) -> Account | None:
        """Return who comes from a provider with this id."""
        for account in self._by_id.values():
            found = account.identity(provider)
            if found is not None and found.provider_id == provider_id:
                return account
        return None

    def remove(self, account_id: str) -> None:
        """Forget an account."""
        self._by_id.pop(account_id, None)


def _digest(salt: str, password: str) -> str:
    return hashlib.sha256(f"{salt}{password}".encode()).hexdigest()


def new_account(
    email: str, now: float, *, provider: str = "email", account_id: str = ""
) -> Account:
    """Return an account with its first way in, and the metadata that the server fills."""
    account = Account(email=email, created_at=now, updated_at=now, id=account_id or new_id())
    if provider == "email":
        data = {"email": email, "email_verified": False, "phone_verified": False, "sub": account.id}
        account.user_metadata = dict(data)
        account.identities.append(Identity("email", account.id, data, now))
    return account
