"""Sessions and the rotation of their refresh tokens."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.supabase.accounts import Account, new_id
from sandbox.supabase.errors import AuthError
from sandbox.supabase.settings import Settings

_LETTERS = string.ascii_lowercase + string.digits


@dataclass(slots=True)
class RefreshToken:
    """One refresh token; ``revoked_at`` is when it was spent."""

    value: str
    session_id: str
    parent: str = ""
    revoked_at: float | None = None


@dataclass(slots=True)
class Session:
    """One session."""

    account_id: str
    created_at: float
    aal: str = "aal1"
    methods: list[tuple[str, float]] = field(default_factory=list)
    id: str = field(default_factory=new_id)
    active: str = ""
    counter: int = 0


class Sessions:
    """All sessions and their tokens."""

    def __init__(self, settings: Settings) -> None:
        """Begin with none."""
        self._settings = settings
        self._by_id: dict[str, Session] = {}
        self._tokens: dict[str, RefreshToken] = {}

    def open(self, account: Account, method: str, now: float) -> Session:
        """Begin a session."""
        session = Session(account.id, now, methods=[(method, now)])
        self._by_id[session.id] = session
        self.issue(session)
        return session

    def get(self, session_id: str) -> Session | None:
        """Return a session that is open."""
        return self._by_id.get(session_id)

    def of(self, account_id: str) -> Iterator[Session]:
        """Yield the open sessions of a person."""
        yield from [item for item in self._by_id.values() if item.account_id == account_id]

    def end(self, session: Session) -> None:
        """Forget a session and its tokens."""
        self._by_id.pop(session.id, None)
        for value in [t.value for t in self._tokens.values() if t.session_id == session.id]:
            del self._tokens[value]

    def issue(self, session: Session, parent: str = "") -> RefreshToken:
        """Return a new refresh token, which is the active one from now on."""
        length = 12 if self._settings.refresh_algorithm == 1 else 51
        value = "".join(secrets.choice(_LETTERS) for _ in range(length))
        token = RefreshToken(value, session.id, parent=parent)
        self._tokens[value] = token
        session.active = value
        session.counter += 1
        return token

    def refresh(self, value: object, now: float) -> tuple[Session, dict[str, str]]:
        """Spend a refresh token; return its session and the headers that tell how.

        Raises:
            AuthError: It is none, or was spent too long ago.
        """
        if not isinstance(value, str) or len(value) not in {12, 51} or not value.isalnum():
            raise AuthError(400, "validation_failed", "Refresh token is not valid")
        token = self._tokens.get(value)
        session = self._by_id.get(token.session_id) if token else None
        if token is None or session is None:
            message = "Invalid Refresh Token: Refresh Token Not Found"
            raise AuthError(400, "refresh_token_not_found", message)
        if token.revoked_at is None:
            token.revoked_at = now
            self.issue(session, parent=value)
            return session, {"Sb-Auth-Refresh-Token-Reuse": "false"}
        return self._reuse(session, token, now)

    def _reuse(
        self, session: Session, token: RefreshToken, now: float
    ) -> tuple[Session, dict[str, str]]:
        active = self._tokens[session.active]
        first = self._settings.refresh_algorithm == 1
        if active.parent == token.value and active.revoked_at is None:
            # The direct parent of the active token is forgiven at any age.
            return session, {} if first else {"Sb-Auth-Refresh-Token-Reuse-Cause": "parent"}
        if token.revoked_at and now - token.revoked_at <= self._settings.reuse_interval_s:
            if first:
                # A second branch: both go on working.
                self.issue(session, parent=token.value)
                return session, {"Sb-Auth-Refresh-Token-Reuse": "false"}
            return session, {"Sb-Auth-Refresh-Token-Reuse-Cause": "interval"}
        who = {"Sb-Auth-Session-Id": session.id, "Sb-Auth-User-Id": session.account_id}
        if first:
            # The tokens are revoked; the session row and its access tokens live on.
            for other in self._tokens.values():
                if other.session_id == session.id and other.revoked_at is None:
                    other.revoked_at = now
        else:
            self.end(session)
            who["Sb-Auth-Refresh-Token-Rotated"] = "true"
        message = "Invalid Refresh Token: Already Used"
        raise AuthError(400, "refresh_token_already_used", message, headers=who)
