"""What all endpoints of the stand-in share: people, sessions, tokens, mails."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from jwt.exceptions import InvalidTokenError
from werkzeug.wrappers import Request, Response

from sandbox.routing import json_answer
from sandbox.supabase.accounts import Account, Accounts, Secret
from sandbox.supabase.clock import Clock
from sandbox.supabase.errors import (
    AuthError,
    bad_jwt,
    banned,
    invalid,
    mail_too_soon,
    no_authorization,
)
from sandbox.supabase.flows import Flows
from sandbox.supabase.keys import KeyRing
from sandbox.supabase.mail import Outbox
from sandbox.supabase.sessions import Session, Sessions
from sandbox.supabase.settings import Settings

_EMAIL = re.compile(r"[\x21-\x3f\x41-\x7e]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,190}[A-Za-z0-9])?")
_PASSWORD_TOO_SHORT = "Password should be at least {} characters."  # noqa: S105 - a message


class Service:
    """The state of one project."""

    def __init__(self, outbox: Outbox) -> None:
        """Begin empty."""
        self.outbox = outbox
        self.settings = Settings()
        self.clock = Clock()
        self.keys = KeyRing(self.settings.signing)
        self.reset()

    def reset(self) -> None:
        """Forget people, sessions, mails and changed settings; keys stay, as others know them."""
        self.settings = Settings(site_url=self.settings.site_url)
        self.clock.ahead_s = 0.0
        self.accounts = Accounts()
        self.sessions = Sessions(self.settings)
        self.flows = Flows()
        if self.keys.algorithm != self.settings.signing:
            self.keys = KeyRing(self.settings.signing)
        self.outbox.clear()

    @property
    def now(self) -> float:
        """The stand-in's time."""
        return self.clock.now()

    def pause(self) -> None:
        """Let others act between looking and acting, as they may in the real one."""
        if self.settings.race_s:
            time.sleep(self.settings.race_s)

    # -- inputs --------------------------------------------------------------------------

    def email(self, body: dict[str, Any], *, status: int = 400) -> str:
        """Return the address of a body, in lower case."""
        email = body.get("email")
        if not isinstance(email, str) or not _EMAIL.fullmatch(email):
            raise invalid("Unable to validate email address: invalid format", status)
        return email.lower()

    def password(self, password: object) -> str:
        """Return a password that may become a person's."""
        if not isinstance(password, str):
            raise AuthError(400, "bad_json", "Could not parse request body as JSON")
        if len(password.encode()) > 72:
            raise invalid("Password cannot be longer than 72 characters")
        least = self.settings.min_password_length
        if len(password.encode()) < least:
            more = {"weak_password": {"reasons": ["length"]}}
            message = _PASSWORD_TOO_SHORT.format(least)
            raise AuthError(422, "weak_password", message, more=more)
        return password

    def wants_captcha(self, request: Request) -> None:
        """Refuse a call without a captcha, where the project wants one."""
        if self.settings.captcha:
            message = "captcha protection: request disallowed (no captcha_token found)"
            raise AuthError(400, "captcha_failed", message)
        del request

    # -- who asks ------------------------------------------------------------------------

    def claims(self, request: Request) -> dict[str, Any]:
        """Return the claims of the token that a request carries, its signature and end checked."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise no_authorization()
        try:
            claims = self.keys.read(token)
        except InvalidTokenError as error:
            reason = f"invalid JWT: unable to parse or verify signature, {error}"
            raise bad_jwt(reason) from error
        if claims.get("exp", 0) <= self.now:
            reason = "token has invalid claims: token is expired"
            raise bad_jwt(f"invalid JWT: unable to parse or verify signature, {reason}")
        return claims

    def caller(self, request: Request) -> tuple[Account, Session | None]:
        """Return whose token this is. Issuer, audience and role are not looked at."""
        claims = self.claims(request)
        subject = claims.get("sub")
        if not subject:
            raise bad_jwt("invalid claim: missing sub claim")
        try:
            uuid.UUID(str(subject))
        except ValueError as error:
            message = "invalid claim: sub claim must be a UUID"
            raise AuthError(400, "bad_jwt", message) from error
        account = self.accounts.get(str(subject))
        if account is None:
            message = "User from sub claim in JWT does not exist"
            raise AuthError(403, "user_not_found", message)
        session = None
        if session_id := claims.get("session_id"):
            session = self.sessions.get(str(session_id))
            if session is None:
                message = "Session from session_id claim in JWT does not exist"
                raise AuthError(403, "session_not_found", message)
        if account.is_banned(self.now):
            raise banned()
        return account, session

    # -- answers -------------------------------------------------------------------------

    def token(self, account: Account, session: Session) -> str:
        """Return an access token. The user's own metadata is in it, however large."""
        now = int(self.now)
        return self.keys.sign(
            {
                "iss": self.settings.issuer or self.issuer,
                "sub": account.id,
                "aud": "authenticated",
                "exp": now + int(self.settings.jwt_life_s),
                "iat": now,
                "email": account.email,
                "phone": "",
                "app_metadata": account.shown()["app_metadata"],
                "user_metadata": dict(account.user_metadata),
                "role": "authenticated",
                "aal": session.aal,
                "amr": [{"method": method, "timestamp": int(at)} for method, at in session.methods],
                "session_id": session.id,
                "is_anonymous": False,
            }
        )

    issuer = ""
    """The stand-in's own address; the application learns it from the first request."""

    def session_body(self, account: Account, session: Session) -> dict[str, Any]:
        """Return the session object."""
        life_s = int(self.settings.jwt_life_s)
        return {
            "access_token": self.token(account, session),
            "token_type": "bearer",
            "expires_in": life_s,
            "expires_at": int(self.now) + life_s,
            "refresh_token": session.active,
            "user": account.shown(),
        }

    def session_headers(self, account: Account, session: Session) -> dict[str, str]:
        """Return the headers that name a session."""
        headers = {"Sb-Auth-Session-Id": session.id, "Sb-Auth-User-Id": account.id}
        if self.settings.refresh_algorithm == 1:
            headers["Sb-Auth-Refresh-Token-Prefix"] = session.active[:5]
        else:
            headers["Sb-Auth-Refresh-Token-Counter"] = str(session.counter - 1)
        return headers

    def sign_in(self, account: Account, method: str, **more: Any) -> Response:
        """Begin a session and return it."""
        account.last_sign_in_at = self.now
        session = self.sessions.open(account, method, self.now)
        body = self.session_body(account, session) | more
        return ok(body, self.session_headers(account, session))

    # -- mails ---------------------------------------------------------------------------

    def mail_window(self, account: Account, name: str) -> None:
        """Refuse a mail that was asked for again too soon."""
        sent_at = account.sent_at.get(name)
        if sent_at is not None and self.now - sent_at < self.settings.mail_window_s:
            left = self.settings.mail_window_s - (self.now - sent_at)
            raise mail_too_soon(int(left))

    def mail(
        self,
        account: Account,
        kind: str,
        slot: str,
        *,
        to: str = "",
        redirect_to: str,
        flow_id: str = "",
    ) -> None:
        """Mail a new secret; the one before it is dead.

        Raises:
            AuthError: No more mails are sent, or the mail server does not take it.
        """
        if self.outbox.count >= self.settings.mail_quota:
            raise AuthError(429, "over_email_send_rate_limit", "email rate limit exceeded")
        secret = Secret(self.now, flow_id=flow_id)
        if flow_id:
            secret.hash = f"pkce_{secret.hash}"
        account.secrets[slot] = secret
        name = "email_change" if slot.startswith("email_change") else slot
        account.sent_at[name] = self.now
        try:
            self.outbox.send(
                kind,
                to or account.email,
                secret,
                site_url=self.settings.site_url,
                redirect_to=redirect_to,
            )
        except OSError as error:
            message = f"Error sending {name} email"
            raise AuthError(500, "unexpected_failure", message) from error

    def redirect_to(self, request: Request, wanted: str | None = None) -> str:
        """Return where to send a visitor: where they want, if that is allowed, else the site."""
        target = wanted if wanted is not None else request.args.get("redirect_to", "")
        site = self.settings.site_url
        allowed = (f"{site.rstrip('/')}/**", site, "http://127.0.0.1", *self.settings.redirect_urls)
        return target if any(_matches(target, pattern) for pattern in allowed) else site


def _matches(target: str, pattern: str) -> bool:
    if pattern.endswith("**"):
        return target.startswith(pattern[:-2])
    if pattern == "http://127.0.0.1":
        # A loopback address is always fine, its name is not.
        return target.startswith((f"{pattern}:", f"{pattern}/"))
    return target == pattern


def ok(body: object, headers: dict[str, str] | None = None) -> Response:
    """Return a success."""
    return json_answer(body, 200, {"Vary": "Origin", **(headers or {})})
