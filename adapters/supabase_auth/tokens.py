"""Verification of access tokens.

Supabase Auth accepts more tokens than an application may (recorded: any issuer, another
audience, no session, role ``service_role``, keys that wait for their turn, legacy
signatures), so each claim is checked here. Of what a token says about a person only the
top-level ``sub`` and ``email`` are believed: ``user_metadata`` is written by the user.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.exceptions import InvalidTokenError

from adapters.supabase_auth.client import GoTrueClient, NoAnswerError
from adapters.supabase_auth.signing_keys import NoPublicKeysError, SigningKeys, UnknownKeyError
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.identities import MAX_GRANT_BYTES
from creditcore.domain.people import clean_email
from creditcore.ports.clock import Clock

AUDIENCE = "authenticated"
ROLE = "authenticated"
LEEWAY = timedelta(seconds=10)
"""How far two clocks may be apart. The server itself has no leeway."""

MAX_TOKEN_BYTES = MAX_GRANT_BYTES - 512
"""A usual token has 900 bytes. Metadata that its owner writes can make it 270,000 bytes long, and
the server would still take it; the rest of a grant is the refresh token."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ASYMMETRIC = ["ES256", "RS256"]
_SYMMETRIC = ["HS256"]
# The time is compared by our own clock.
_OPTIONS: Any = {
    "require": ["exp", "iat", "sub", "aud", "iss", "session_id", "role"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class TokenRefusedError(Exception):
    """This token opens nothing here.

    Attributes:
        reason: For the log; nothing of the token is in it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class UnknownSignerError(TokenRefusedError):
    """No key of the project that we know signed this.

    From the server itself it means that it has just begun to use a new one.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What is believed of an access token.

    Attributes:
        subject: The person's UUID.
        email: Their address, in the stored form.
        session_id: The UUID of the session that it belongs to.
        expires_at: When it stops to count.
        has_second_factor: Whether a second factor was shown in this session (``aal2``).
    """

    subject: str
    email: str
    session_id: str
    expires_at: datetime
    has_second_factor: bool


class TokenVerifier:
    """Decides whether an access token is one of the project's people."""

    def __init__(
        self,
        client: GoTrueClient,
        clock: Clock,
        *,
        issuer: str = "",
        keys: SigningKeys | None = None,
    ) -> None:
        """Prepare the verifier; the keys are read when the first token comes.

        Args:
            client: Where keys are read, and tokens of HS256 projects are shown: the server
                knows its own signature, so that its secret need not be kept here too.
            clock: Tells which tokens are over.
            issuer: Who issues the project's tokens; the client's base address if left out.
            keys: The project's public keys; a cache of ten minutes if left out.
        """
        self._client = client
        self._clock = clock
        self._issuer = issuer or client.base_url
        self._keys = keys or SigningKeys(client)

    def verify(self, token: str) -> Claims:
        """Return what a token says that is believed.

        Raises:
            TokenRefusedError: It is not a token that counts here and now.
            NoAnswerError: Whether it is one cannot be said now.
        """
        if len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise TokenRefusedError("it is too long to be kept")
        try:
            payload = self._payload(token)
        except UnknownKeyError as error:
            raise UnknownSignerError("its key is not known") from error
        except InvalidTokenError as error:
            raise TokenRefusedError(f"its signature or form: {type(error).__name__}") from error
        return self._read(payload)

    def _payload(self, token: str) -> Mapping[str, object]:
        header = jwt.get_unverified_header(token)
        try:
            key = self._keys.find(header.get("kid"))
        except NoPublicKeysError:
            return self._asked_about(token, header)
        return self._decode(token, key, _ASYMMETRIC)

    def _asked_about(self, token: str, header: Mapping[str, object]) -> Mapping[str, object]:
        """Return the payload of a token whose signature only the server can check."""
        if header.get("alg") not in _SYMMETRIC:
            raise TokenRefusedError("its algorithm is not the project's")
        answer = self._client.ask("GET", "/user", user_token=token)
        if answer.status in {400, 401, 403}:
            raise TokenRefusedError(f"the server refuses it: {answer.code}")
        if not answer.is_success:
            raise NoAnswerError(f"The server answered {answer.status}.")
        payload = self._decode(token, "", _SYMMETRIC, signed=False)
        if payload.get("sub") != answer.body.get("id"):
            raise TokenRefusedError("the server knows it as another person's")
        return payload

    def _decode(
        self, token: str, key: Any, algorithms: list[str], *, signed: bool = True
    ) -> Mapping[str, object]:
        options = _OPTIONS | {"verify_signature": signed, "verify_aud": True, "verify_iss": True}
        payload: dict[str, object] = jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=AUDIENCE,
            issuer=self._issuer,
            options=options,
        )
        return payload

    def _read(self, payload: Mapping[str, object]) -> Claims:
        if payload.get("role") != ROLE or payload.get("is_anonymous") is not False:
            raise TokenRefusedError("it is no signed-in person's")
        if payload.get("aud") != AUDIENCE:
            raise TokenRefusedError("it is for several audiences")
        expires_at = _instant(payload.get("exp"))
        if expires_at + LEEWAY <= self._clock.now():
            raise TokenRefusedError("it has expired")
        try:
            email = clean_email(_text(payload.get("email")))
        except InvalidRequestError as error:
            raise TokenRefusedError("it names no e-mail address") from error
        return Claims(
            subject=_uuid(payload.get("sub")),
            email=email,
            session_id=_uuid(payload.get("session_id")),
            expires_at=expires_at,
            has_second_factor=payload.get("aal") == "aal2",
        )


def _instant(seconds: object) -> datetime:
    if type(seconds) is not int or not 0 <= seconds < 2**33:
        raise TokenRefusedError("its end is no instant")
    return datetime.fromtimestamp(seconds, UTC)


def _uuid(value: object) -> str:
    text = _text(value)
    if not _UUID.fullmatch(text):
        raise TokenRefusedError("an id in it is none")
    return text


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
