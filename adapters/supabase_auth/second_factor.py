"""Authenticator apps (TOTP)."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from adapters.supabase_auth.accounts import (
    Factor,
    SessionReader,
    Tokens,
    factors_of,
    identity_of,
)
from adapters.supabase_auth.actions import Call
from adapters.supabase_auth.gateway import Gateway
from adapters.supabase_auth.inputs import is_code, is_uuid
from adapters.supabase_auth.once import CODE_LIFE, Once
from creditcore.domain.errors import (
    CodeRefusedError,
    IdentityUnavailableError,
    InvalidRequestError,
)
from creditcore.domain.identities import Enrolled, Enrolment, Grant, SignedIn

_log = logging.getLogger(__name__)


class SecondFactor:
    """Enrols and checks apps.

    A challenge and its answer must come from one address, and a challenge is good for one try
    only; so both are sent together, from this host.
    """

    def __init__(
        self, gateway: Gateway, sessions: SessionReader, once: Once, *, issuer: str
    ) -> None:
        """Prepare.

        Args:
            gateway: Whom to ask.
            sessions: Reads the session that a right code brings.
            once: Bounds guessing, and sees to it that a code works once.
            issuer: What an app calls this site.
        """
        self._gateway = gateway
        self._issuer = issuer
        self._sessions = sessions
        self._once = once

    def verify(self, grant: Grant, code: str) -> SignedIn:
        """Check a code of the app that counts."""
        access = Tokens.of(grant).access
        counting = [factor for factor in self._factors(access) if factor.counts]
        if not counting:
            raise CodeRefusedError
        return self._show(grant, access, counting[0].id, code)

    def begin(self, grant: Grant) -> Enrolment:
        """Make a secret for an app; forget one that was never confirmed."""
        access = Tokens.of(grant).access
        for factor in self._factors(access):
            if factor.counts:
                raise InvalidRequestError("An authenticator app is set up already.")
            self._gateway.ask(Call.FACTOR, "DELETE", f"/factors/{factor.id}", user_token=access)
        body = {
            "factor_type": "totp",
            "friendly_name": self._issuer,
            "issuer": self._issuer,
        }
        answer = self._gateway.ask(Call.FACTOR, "POST", "/factors", body=body, user_token=access)
        totp, factor_id = answer.body.get("totp"), answer.body.get("id")
        secret = totp.get("secret") if isinstance(totp, dict) else None
        uri = totp.get("uri") if isinstance(totp, dict) else None
        if not (isinstance(factor_id, str) and isinstance(secret, str) and isinstance(uri, str)):
            raise IdentityUnavailableError
        if urlsplit(uri).scheme != "otpauth":
            raise IdentityUnavailableError
        return Enrolment(id=factor_id, secret=secret, uri=uri)

    def confirm(self, grant: Grant, enrolment_id: str, code: str) -> Enrolled:
        """Let an app count from now on."""
        if not is_uuid(enrolment_id):
            raise CodeRefusedError
        shown = self._show(grant, Tokens.of(grant).access, enrolment_id, code)
        return Enrolled(grant=shown.grant)

    def remove(self, grant: Grant) -> SignedIn:
        """Forget every app. The server wants a session that has shown it."""
        access = Tokens.of(grant).access
        for factor in self._factors(access):
            self._gateway.ask(Call.FACTOR, "DELETE", f"/factors/{factor.id}", user_token=access)
        user = self._gateway.ask(Call.READ_USER, "GET", "/user", user_token=access).body
        return SignedIn(identity=identity_of(user), grant=grant)

    def _show(self, grant: Grant, access: str, factor_id: str, code: str) -> SignedIn:
        code = code.replace(" ", "")
        with self._once.guess("totp", grant.subject):
            if not is_code(code):
                raise CodeRefusedError
            with self._once.use("totp-code", f"{factor_id} {code}", life=CODE_LIFE) as first:
                if not first:
                    raise CodeRefusedError
                path = f"/factors/{factor_id}"
                challenge = self._gateway.ask(
                    Call.FACTOR, "POST", f"{path}/challenge", body={}, user_token=access
                )
                body = {"challenge_id": challenge.body.get("id"), "code": code}
                answer = self._gateway.ask(
                    Call.FACTOR, "POST", f"{path}/verify", body=body, user_token=access
                )
                return self._sessions.signed_in(answer)

    def _factors(self, access: str) -> list[Factor]:
        user = self._gateway.ask(Call.READ_USER, "GET", "/user", user_token=access).body
        return factors_of(user)
