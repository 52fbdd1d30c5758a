"""The core's ``IdentityOperators``: the admin API, with the key that may do everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import ceil

from adapters.supabase_auth.accounts import factors_of, identity_of
from adapters.supabase_auth.actions import Call
from adapters.supabase_auth.client import GoTrueClient
from adapters.supabase_auth.gateway import Gateway
from adapters.supabase_auth.inputs import is_uuid, new_password
from creditcore.domain.errors import (
    IdentityUnavailableError,
    InvalidRequestError,
    PersonNotFoundError,
)
from creditcore.domain.identities import Identity
from creditcore.domain.people import clean_email
from creditcore.ports.clock import Clock

FOR_GOOD = "876000h"
"""A hundred years: a ban has an end, written as a duration of the language Go."""

PEOPLE_PER_PAGE = 50
MAX_PAGES = 100
_GONE = frozenset({"user_not_found", "validation_failed"})


class SupabaseOperators:
    """What operators do to accounts of the project. Never used for a visitor."""

    def __init__(self, client: GoTrueClient, clock: Clock, *, base_url: str) -> None:
        """Prepare.

        Args:
            client: With the secret (or ``service_role``) key.
            clock: Tells how long a ban lasts.
            base_url: Of this site, where links of invitations lead.
        """
        self._gateway = Gateway(client)
        self._clock = clock
        self._base_url = base_url.rstrip("/")

    def find(self, email: str) -> Identity | None:
        email = clean_email(email)
        for number in range(1, MAX_PAGES + 1):
            users = self._page(email, number)
            # The filter finds parts of addresses too.
            found = next((user for user in users if user.get("email") == email), None)
            if found is not None:
                return identity_of(found)
            if len(users) < PEOPLE_PER_PAGE:
                break
        return None

    def create(self, email: str, password: str | None = None, *, confirmed: bool) -> Identity:
        """Make an account. The server checks nothing of an operator's password, so we do."""
        email = clean_email(email)
        body: dict[str, object] = {"email": email, "email_confirm": confirmed}
        if password is not None:
            body["password"] = new_password(password, email=email)
        return identity_of(self._gateway.ask(Call.ADMIN, "POST", "/admin/users", body=body).body)

    def take_over(self, subject: str, email: str, *, password_hash: str) -> Identity:
        """Make a confirmed account with an id and a password hash of ours.

        Both are parameters of the official clients (``AdminUserAttributes``), which name bcrypt
        and Argon2 as the hashes that are understood.
        """
        if not is_uuid(subject):
            raise InvalidRequestError("This id is no UUID.", param="id")
        body: dict[str, object] = {
            "id": subject,
            "email": clean_email(email),
            "email_confirm": True,
        }
        if password_hash:
            body["password_hash"] = password_hash
        found = identity_of(self._gateway.ask(Call.ADMIN, "POST", "/admin/users", body=body).body)
        if found.subject != subject:
            # An older server makes up an id: the account is of no use to us.
            self.delete(found.subject)
            raise IdentityUnavailableError
        return found

    def invite(self, email: str) -> Identity:
        """Make an account and have a link mailed."""
        query = {"redirect_to": self._base_url}
        body = {"email": clean_email(email)}
        answer = self._gateway.ask(Call.ADMIN, "POST", "/invite", query=query, body=body)
        return identity_of(answer.body)

    def ban(self, subject: str, *, until: datetime | None = None) -> None:
        """Keep the owner out. Open sessions are refused too, and come back when the ban ends."""
        duration = FOR_GOOD
        if until is not None:
            duration = f"{max(1, ceil((until - self._clock.now()).total_seconds()))}s"
        self._change(subject, {"ban_duration": duration})

    def unban(self, subject: str) -> None:
        self._change(subject, {"ban_duration": "none"})

    def set_password(self, subject: str, password: str) -> None:
        """Replace a password; the server ends all sessions."""
        self._change(subject, {"password": new_password(password)})

    def remove_second_factor(self, subject: str) -> bool:
        """Forget the authenticator apps of a person; return whether one counted.

        The path is the one of the server's OpenAPI document; it was not recorded.
        """
        if not is_uuid(subject):
            raise PersonNotFoundError(subject)
        path = f"/admin/users/{subject}"
        answer = self._gateway.ask(Call.ADMIN, "GET", path, tolerate=_GONE)
        if answer.status == 404:
            raise PersonNotFoundError(subject)
        if answer.code:
            raise IdentityUnavailableError
        factors = [factor for factor in factors_of(answer.body) if is_uuid(factor.id)]
        for factor in factors:
            gone = frozenset({"mfa_factor_not_found"})
            self._gateway.ask(Call.ADMIN, "DELETE", f"{path}/factors/{factor.id}", tolerate=gone)
        return any(factor.counts for factor in factors)

    def delete(self, subject: str) -> None:
        if is_uuid(subject):
            path = f"/admin/users/{subject}"
            self._gateway.ask(Call.ADMIN, "DELETE", path, tolerate=_GONE)

    def _change(self, subject: str, body: Mapping[str, object]) -> None:
        if not is_uuid(subject):
            raise PersonNotFoundError(subject)
        path = f"/admin/users/{subject}"
        answer = self._gateway.ask(Call.ADMIN, "PUT", path, body=body, tolerate=_GONE)
        if answer.status == 404:
            raise PersonNotFoundError(subject)
        if answer.code:
            raise IdentityUnavailableError

    def _page(self, email: str, number: int) -> list[Mapping[str, object]]:
        query = {"page": str(number), "per_page": str(PEOPLE_PER_PAGE), "filter": email}
        users = self._gateway.ask(Call.ADMIN, "GET", "/admin/users", query=query).body.get("users")
        if not isinstance(users, list):
            raise IdentityUnavailableError
        return [user for user in users if isinstance(user, dict)]
