"""Signing in with Google and GitHub: PKCE, with the verifier on the server."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from adapters.supabase_auth.accounts import SessionReader, Tokens, identity_id_of
from adapters.supabase_auth.actions import Call
from adapters.supabase_auth.gateway import Gateway
from adapters.supabase_auth.inputs import is_uuid
from adapters.supabase_auth.once import LINK_LIFE, Once
from adapters.supabase_auth.pkce import challenge_of, new_verifier
from creditcore.domain.errors import (
    IdentityUnavailableError,
    InvalidRequestError,
    OAuthFailedError,
)
from creditcore.domain.identities import (
    Grant,
    Method,
    NeedsSecondFactor,
    OAuthFailure,
    OAuthFlow,
    SignedIn,
)

_FAILURES = {
    "provider_email_needs_verification": OAuthFailure.ADDRESS_UNVERIFIED,
    # The mail that asks to verify it is on its way already.
    "over_email_send_rate_limit": OAuthFailure.ADDRESS_UNVERIFIED,
    "user_banned": OAuthFailure.REFUSED,
    "signup_disabled": OAuthFailure.SIGN_UP_CLOSED,
    "email_exists": OAuthFailure.ALREADY_LINKED,
    "identity_already_exists": OAuthFailure.ALREADY_LINKED,
    "bad_oauth_state": OAuthFailure.EXPIRED,
    "bad_oauth_callback": OAuthFailure.EXPIRED,
    "flow_state_not_found": OAuthFailure.EXPIRED,
    "flow_state_expired": OAuthFailure.EXPIRED,
    "flow_state_already_used": OAuthFailure.EXPIRED,
}
_NO_ADDRESS = "Error getting user email from external provider"


class OAuth:
    """The way to a provider and back."""

    def __init__(self, gateway: Gateway, sessions: SessionReader, once: Once) -> None:
        self._gateway = gateway
        self._sessions = sessions
        self._once = once

    def begin(self, method: Method, *, return_url: str, link_to: Grant | None = None) -> OAuthFlow:
        """Return where to send the browser: to sign in, or to connect an account to a session.

        The second is asked for with the session's token, which a browser must not carry: so the
        server is asked here, and says where to send the browser.
        """
        verifier = new_verifier()
        query = {
            "provider": method.value,
            # It is passed on to the provider as well, so nothing in it is secret.
            "redirect_to": return_url,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "s256",
        }
        url = f"{self._gateway.client.base_url}/authorize?{urlencode(query)}"
        if link_to is not None:
            url = self._linking_url(query, link_to)
        return OAuthFlow(url=url, secret=verifier.encode())

    def unlink(self, grant: Grant, method: Method) -> None:
        """Take a way in off an account."""
        access = Tokens.of(grant).access
        user = self._gateway.ask(Call.READ_USER, "GET", "/user", user_token=access).body
        found = identity_id_of(user, method)
        if method is Method.PASSWORD or not is_uuid(found):
            raise InvalidRequestError("It is not connected to this account.", param="connected")
        self._gateway.ask(
            Call.CHANGE_USER, "DELETE", f"/user/identities/{found}", user_token=access
        )

    def _linking_url(self, query: dict[str, str], link_to: Grant) -> str:
        answer = self._gateway.ask(
            Call.CHANGE_USER,
            "GET",
            "/user/identities/authorize",
            query=query | {"skip_http_redirect": "true"},
            user_token=Tokens.of(link_to).access,
        )
        url = answer.body.get("url")
        if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"}:
            raise IdentityUnavailableError
        return url

    def complete(self, secret: bytes, query: Mapping[str, str]) -> SignedIn | NeedsSecondFactor:
        """Exchange the code that the browser brought for a session."""
        if "error" in query or "error_code" in query:
            raise OAuthFailedError(failure_of(query))
        code = query.get("code", "")
        if not is_uuid(code):
            raise OAuthFailedError(OAuthFailure.EXPIRED)
        with self._once.use("code", code, life=LINK_LIFE) as first:
            if not first:
                raise OAuthFailedError(OAuthFailure.EXPIRED)
            answer = self._gateway.ask(
                Call.EXCHANGE,
                "POST",
                "/token",
                query={"grant_type": "pkce"},
                body={"auth_code": code, "code_verifier": secret.decode("ascii", "replace")},
            )
        found = self._sessions.first_factor(answer)
        if not found.identity.email_verified:
            raise OAuthFailedError(OAuthFailure.ADDRESS_UNVERIFIED)
        return found


def failure_of(query: Mapping[str, str]) -> OAuthFailure:
    """Return why a visitor was sent back without a code. The texts themselves are never shown."""
    code = query.get("error_code", "")
    if not code and query.get("error") == "access_denied":
        # Who presses cancel over there comes back without an error code.
        return OAuthFailure.CANCELLED
    if query.get("error_description", "") == _NO_ADDRESS:
        return OAuthFailure.ADDRESS_UNVERIFIED
    # Two first returns of one new account at once, or a fault of the provider.
    return _FAILURES.get(code, OAuthFailure.TRY_AGAIN)
