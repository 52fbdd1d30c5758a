"""OAuth and PKCE flows on their way."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from sandbox.supabase.accounts import new_id
from sandbox.supabase.errors import AuthError, invalid


@dataclass(slots=True)
class Flow:
    """One flow.

    Attributes:
        state: What the provider brings back.
        code: What the browser brings to the application; empty until the return.
        links: Whether the provider is to be connected to ``account_id``.
    """

    challenge: str
    method: str
    redirect_to: str
    created_at: float
    provider: str = ""
    account_id: str = ""
    authentication: str = "oauth"
    code: str = ""
    provider_token: str = ""
    used: bool = False
    links: bool = False
    state: str = field(default_factory=new_id)


class Flows:
    """All flows."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_state: dict[str, Flow] = {}

    def add(self, flow: Flow) -> Flow:
        """Add a flow."""
        self._by_state[flow.state] = flow
        return flow

    def by_state(self, state: str) -> Flow | None:
        """Return the flow that a provider brings back."""
        return self._by_state.get(state)

    def by_code(self, code: str) -> Flow | None:
        """Return the flow that a browser brings."""
        return next((flow for flow in self._by_state.values() if code and flow.code == code), None)

    def remove(self, flow: Flow) -> None:
        """Forget a flow."""
        self._by_state.pop(flow.state, None)


def check_challenge(challenge: str, method: str) -> None:
    """Refuse a PKCE challenge that cannot be one; none at all is fine.

    Raises:
        AuthError: It cannot.
    """
    if bool(challenge) != bool(method):
        raise invalid("PKCE flow requires code_challenge_method and code_challenge")
    if not challenge:
        return
    if method.lower() not in {"s256", "plain"}:
        raise invalid("code challenge method not supported")
    if not 43 <= len(challenge) <= 128:
        raise invalid("code challenge has to be between 43 and 128 characters")


def check_verifier(flow: Flow, verifier: str) -> None:
    """Refuse a verifier that does not fit; the code stays good.

    Raises:
        AuthError: It does not fit.
    """
    if flow.method.lower() == "plain":
        fits = verifier == flow.challenge
    else:
        digest = hashlib.sha256(verifier.encode()).digest()
        fits = base64.urlsafe_b64encode(digest).decode().rstrip("=") == flow.challenge
    if not fits:
        message = "code challenge does not match previously saved code verifier"
        raise AuthError(400, "bad_code_verifier", message)
