"""A provider of identity under test: the house around it, and what a test does there."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from datetime import datetime
from typing import Protocol

from creditcore.domain.identities import Capability, LinkKind, NeedsConfirmation, SignedIn, SignIn
from creditcore.ports.identity import IdentityOperators, IdentityProvider

PASSWORD = "violet anchor kettle 93"
OTHER_PASSWORD = "another teapot of brass"


class IdentityHouse(Protocol):
    """A provider without accounts, with what a test needs around it."""

    @property
    def provider(self) -> IdentityProvider:
        """What is tested."""

    @property
    def operators(self) -> IdentityOperators:
        """Its other side."""

    def token(self, email: str, kind: LinkKind) -> str | None:
        """Return what the newest link of a kind that was mailed there carries, if there is one."""

    def now(self) -> datetime:
        """Return the time by which codes of an authenticator app are checked."""


def an_email() -> str:
    """Return an address that no account has."""
    return f"amina-{secrets.token_hex(6)}@mail.example.com"


def totp(secret: str, at: datetime) -> str:
    """Return the code that an authenticator app shows (RFC 6238: SHA-1, six digits, 30 s)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(at.timestamp()) // 30), "sha1")
    number = struct.unpack(">I", digest[(at_byte := digest[-1] & 15) : at_byte + 4])[0]
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def another(code: str) -> str:
    """Return a code that is not this one, nor a neighbour of it but by bad luck."""
    return f"{(int(code) + 123_457) % 1_000_000:06d}"


def signed_in(outcome: SignIn) -> SignedIn:
    """Return the outcome as what it has to be."""
    assert isinstance(outcome, SignedIn), outcome
    return outcome


def offers(house: IdentityHouse, capability: Capability) -> bool:
    """Whether this can be done there."""
    return capability in house.provider.capabilities


def join(house: IdentityHouse, email: str, password: str = PASSWORD) -> SignedIn:
    """Make an account, confirmed."""
    outcome = house.provider.sign_up(email, password)
    if not isinstance(outcome, NeedsConfirmation):
        return signed_in(outcome)
    token = house.token(outcome.email, LinkKind.SIGN_UP)
    assert token
    return signed_in(house.provider.redeem(LinkKind.SIGN_UP, token))


def recovered(house: IdentityHouse, email: str) -> SignIn:
    """Ask for a recovery and open its link."""
    house.provider.begin_recovery(email)
    token = house.token(email, LinkKind.RECOVERY)
    assert token
    return house.provider.redeem(LinkKind.RECOVERY, token)


def enrol(house: IdentityHouse, email: str) -> tuple[str, tuple[str, ...]]:
    """Make an account with a second factor; return its secret and recovery codes."""
    joined = join(house, email)
    enrolment = house.provider.begin_second_factor(joined.grant)
    enrolled = house.provider.confirm_second_factor(
        joined.grant, enrolment.id, totp(enrolment.secret, house.now())
    )
    return enrolment.secret, enrolled.recovery_codes
