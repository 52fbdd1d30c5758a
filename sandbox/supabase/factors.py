"""Authenticator apps: /factors."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
import uuid
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from sandbox.supabase.accounts import Account, Factor, new_id
from sandbox.supabase.errors import AuthError, invalid
from sandbox.supabase.service import Service, ok

_CHALLENGE_LIFE_S = 300
_STEP_S = 30


class Factors:
    """These endpoints."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def enrol(self, request: Request, body: dict[str, Any]) -> Response:
        """Make a secret; the picture of the real one is a single dot here."""
        service = self._service
        account, session = service.caller(request)
        if body.get("factor_type") not in {"totp", "phone", "webauthn"}:
            raise invalid("factor_type needs to be totp, phone, or webauthn")
        if body["factor_type"] != "totp":
            message = "MFA enroll is disabled for Phone"
            raise AuthError(422, "mfa_phone_enroll_not_enabled", message)
        name = str(body.get("friendly_name", ""))
        if account.has_second_factor and (session is None or session.aal != "aal2"):
            raise AuthError(403, "insufficient_aal", "AAL2 required to enroll a new factor")
        if any(factor.name == name for factor in account.factors):
            message = f'A factor with the friendly name "{name}" for this user already exists'
            raise AuthError(422, "mfa_factor_name_conflict", message)
        secret = base64.b32encode(secrets.token_bytes(20)).decode()
        factor = Factor(name, secret, service.now)
        account.factors.append(factor)
        issuer = str(body.get("issuer") or "sandbox")
        query = urlencode(
            {
                "algorithm": "SHA1",
                "digits": "6",
                "issuer": issuer,
                "period": str(_STEP_S),
                "secret": secret,
            }
        )
        totp = {
            "qr_code": '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
            "secret": secret,
            "uri": f"otpauth://totp/{issuer}:{account.email}?{query}",
        }
        shown = {"id": factor.id, "type": "totp", "friendly_name": name, "totp": totp}
        return ok(shown)

    def challenge(self, request: Request, factor_id: str) -> Response:
        """Begin a try."""
        service = self._service
        account, _ = service.caller(request)
        factor = find_factor(account, factor_id)
        challenge_id = new_id()
        factor.challenges[challenge_id] = (_caller(request), service.now)
        factor.challenged_at = service.now
        expires_at = int(service.now) + _CHALLENGE_LIFE_S
        return ok({"id": challenge_id, "type": "totp", "expires_at": expires_at})

    def verify(self, request: Request, body: dict[str, Any], factor_id: str) -> Response:
        """Take a code; the session has shown both factors then, and others end."""
        service = self._service
        account, session = service.caller(request)
        factor = find_factor(account, factor_id)
        code = str(body.get("code") or "")
        if not code:
            raise invalid("Code needs to be non-empty")
        challenge = factor.challenges.get(str(body.get("challenge_id")))
        if challenge is None:
            message = "MFA factor with the provided challenge ID not found"
            raise AuthError(422, "mfa_factor_not_found", message)
        caller, at = challenge
        if caller != _caller(request):
            # A challenge that was used gives this too, though nothing mismatches.
            message = "Challenge and verify IP addresses mismatch."
            raise AuthError(422, "mfa_ip_address_mismatch", message)
        if service.now - at > _CHALLENGE_LIFE_S:
            message = "MFA challenge has expired, verify against another challenge"
            raise AuthError(422, "mfa_challenge_expired", message)
        if code not in _codes(factor.secret, service.now):
            raise AuthError(422, "mfa_verification_failed", "Invalid TOTP code entered")
        factor.challenges[str(body["challenge_id"])] = ("", at)
        factor.verified = True
        assert session is not None  # noqa: S101 - tokens of the stand-in have one
        for other in list(service.sessions.of(account.id)):
            if other.id != session.id and other.aal == "aal1":
                service.sessions.end(other)
        session.aal = "aal2"
        session.methods.append(("totp", service.now))
        service.sessions.issue(session, parent=session.active)
        return ok(service.session_body(account, session))

    def unenrol(self, request: Request, factor_id: str) -> Response:
        """Forget an app."""
        service = self._service
        account, session = service.caller(request)
        factor = find_factor(account, factor_id)
        if factor.verified and (session is None or session.aal != "aal2"):
            message = "AAL2 required to unenroll verified factor"
            raise AuthError(422, "insufficient_aal", message)
        account.factors.remove(factor)
        return ok({"id": factor.id})


def find_factor(account: Account, factor_id: str) -> Factor:
    """Return an authenticator app of a person.

    Raises:
        AuthError: They have none of this id.
    """
    try:
        uuid.UUID(factor_id)
    except ValueError as error:
        raise invalid("factor_id must be an UUID", 404) from error
    for factor in account.factors:
        if factor.id == factor_id:
            return factor
    raise AuthError(404, "mfa_factor_not_found", "Factor not found")


def _caller(request: Request) -> str:
    return request.headers.get("X-Forwarded-For") or request.remote_addr or ""


def _codes(secret: str, now: float) -> set[str]:
    """Return the codes that count: of now, of the step before and of the one after."""
    step = int(now) // _STEP_S
    return {_code(base64.b32decode(secret), step + offset) for offset in (-1, 0, 1)}


def _code(key: bytes, step: int) -> str:
    digest = hmac.digest(key, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
