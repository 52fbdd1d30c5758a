"""Sessions and people in the answers of Supabase Auth.

Only ``id``, ``email``, ``email_confirmed_at``, ``new_email``, the providers of identities and the
factors are read; ``user_metadata`` is written by the user and never looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from adapters.supabase_auth.answers import Answer
from adapters.supabase_auth.client import NoAnswerError
from adapters.supabase_auth.tokens import (
    Claims,
    TokenRefusedError,
    TokenVerifier,
    UnknownSignerError,
)
from creditcore.domain.errors import (
    IdentityUnavailableError,
    InvalidRequestError,
    SessionEndedError,
)
from creditcore.domain.identities import (
    MAX_GRANT_BYTES,
    Grant,
    Identity,
    Method,
    NeedsSecondFactor,
    SignedIn,
)
from creditcore.domain.people import clean_email

_log = logging.getLogger(__name__)

_METHODS = {"email": Method.PASSWORD, "google": Method.GOOGLE, "github": Method.GITHUB}


@dataclass(frozen=True, slots=True)
class Tokens:
    """The secret of a grant."""

    access: str
    refresh: str

    @classmethod
    def of(cls, grant: Grant) -> Tokens:
        """Return the tokens that a grant holds.

        Raises:
            SessionEndedError: It holds none: another provider gave it.
        """
        try:
            access, refresh = orjson.loads(grant.secret)
        except (ValueError, TypeError) as error:
            raise SessionEndedError from error
        return cls(access, refresh)

    @property
    def secret(self) -> bytes:
        """What a grant keeps."""
        return orjson.dumps([self.access, self.refresh])

    def __repr__(self) -> str:
        return "Tokens(...)"


@dataclass(frozen=True, slots=True)
class Factor:
    """An authenticator app."""

    id: str
    counts: bool


def identity_of(user: Mapping[str, object]) -> Identity:
    """Return the person that a user object describes.

    Raises:
        IdentityUnavailableError: It describes none.
    """
    subject = user.get("id")
    email = user.get("email")
    try:
        known = clean_email(email if isinstance(email, str) else "")
    except InvalidRequestError as error:
        raise IdentityUnavailableError from error
    if not isinstance(subject, str) or user.get("is_anonymous") is True:
        raise IdentityUnavailableError
    return Identity(
        subject=subject,
        email=known,
        email_verified=isinstance(user.get("email_confirmed_at"), str),
        second_factor=any(factor.counts for factor in factors_of(user)),
        methods=_methods(user),
        new_email=_new_email(user),
    )


def identity_id_of(user: Mapping[str, object], method: Method) -> str:
    """Return what the server calls a way in of a user object; empty where there is none."""
    for item in _objects(user.get("identities")):
        name, found = item.get("provider"), item.get("identity_id")
        if isinstance(name, str) and _METHODS.get(name) is method and isinstance(found, str):
            return found
    return ""


def factors_of(user: Mapping[str, object]) -> list[Factor]:
    """Return the authenticator apps of a user object."""
    return [
        Factor(str(item["id"]), item.get("status") == "verified")
        for item in _objects(user.get("factors"))
        if item.get("factor_type") == "totp" and isinstance(item.get("id"), str)
    ]


class SessionReader:
    """Reads the answers that bring a session, and checks the token in them."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    def signed_in(self, answer: Answer) -> SignedIn:
        """Return the session of an answer.

        Raises:
            SessionEndedError: Its token does not count here.
            IdentityUnavailableError: There is none, or it cannot be checked now.
        """
        found, _ = self._read(answer)
        return found

    def first_factor(self, answer: Answer) -> SignedIn | NeedsSecondFactor:
        """Return the session of an answer, as far as it goes for who has a second factor.

        Signing in with the first is a success to the server: it leaves it to us to ask on.

        Raises:
            IdentityUnavailableError: There is none, or its token does not count here or cannot be
                checked now. No person did anything wrong.
        """
        try:
            found, claims = self._read(answer)
        except SessionEndedError as error:
            raise IdentityUnavailableError from error
        if found.identity.second_factor and not claims.has_second_factor:
            return NeedsSecondFactor(identity=found.identity, grant=found.grant)
        return found

    def _read(self, answer: Answer) -> tuple[SignedIn, Claims]:
        access, refresh, user = (
            answer.body.get(name) for name in ("access_token", "refresh_token", "user")
        )
        if not (isinstance(access, str) and isinstance(refresh, str) and isinstance(user, dict)):
            raise IdentityUnavailableError
        claims = self._verified(access)
        identity = identity_of(user)
        secret = Tokens(access, refresh).secret
        if identity.subject != claims.subject or len(secret) > MAX_GRANT_BYTES:
            raise SessionEndedError
        grant = Grant(
            subject=claims.subject,
            session_id=claims.session_id,
            secret=secret,
            good_until=claims.expires_at,
        )
        return SignedIn(identity=identity, grant=grant), claims

    def _verified(self, access: str) -> Claims:
        try:
            return self._verifier.verify(access)
        except UnknownSignerError as error:
            # Not the person's fault: after a pause, the keys are read anew.
            raise IdentityUnavailableError from error
        except TokenRefusedError as error:
            _log.warning("A token of Supabase Auth is refused: %s", error.reason)
            raise SessionEndedError from error
        except NoAnswerError as error:
            raise IdentityUnavailableError from error


def _methods(user: Mapping[str, object]) -> frozenset[Method]:
    names = [item.get("provider") for item in _objects(user.get("identities"))]
    app = user.get("app_metadata")
    providers = app.get("providers") if isinstance(app, dict) else None
    # Lists of users have ``"identities": null``. ``app_metadata`` is the server's own.
    names += providers if isinstance(providers, list) else []
    return frozenset(_METHODS[name] for name in names if isinstance(name, str) and name in _METHODS)


def _new_email(user: Mapping[str, object]) -> str:
    text = user.get("new_email")
    try:
        return clean_email(text) if isinstance(text, str) and text else ""
    except InvalidRequestError:
        return ""


def _objects(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
