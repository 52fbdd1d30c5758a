"""What the service role may do: /admin/users, /invite."""

from __future__ import annotations

import re
import uuid
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.supabase.accounts import Account, new_account
from sandbox.supabase.errors import AuthError, email_exists, invalid, user_not_found
from sandbox.supabase.factors import find_factor
from sandbox.supabase.service import Service, ok

_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)(h|m|s)")
_SECONDS = {"h": 3600, "m": 60, "s": 1}


class Admin:
    """These endpoints."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def list_users(self, request: Request) -> Response:
        """Return people, a page at a time; the filter finds parts of addresses."""
        service = self._service
        self._authorize(request)
        page = self._number(request, "page", 1) or 1
        per_page = self._number(request, "per_page", 50)
        wanted = request.args.get("filter", "")
        people = [account for account in service.accounts if wanted in account.email]
        shown = people[(page - 1) * per_page : page * per_page]
        last = -(-len(people) // per_page) or 1
        headers = {
            "X-Total-Count": str(len(people)),
            "Link": f'</admin/users?page={last}>; rel="last"',
        }
        body = {"users": [item.shown(listed=True) for item in shown], "aud": "authenticated"}
        return ok(body, headers)

    def create(self, request: Request, body: dict[str, Any]) -> Response:
        """Make an account; nothing of a password is checked."""
        service = self._service
        self._authorize(request)
        if not body.get("email"):
            raise invalid("Cannot create a user without either an email or phone")
        email = service.email(body)
        if service.accounts.by_email(email):
            raise email_exists()
        account = new_account(email, service.now, account_id=str(body.get("id") or ""))
        # An account that an operator makes has less metadata.
        verified = {"email_verified": bool(body.get("email_confirm"))}
        account.user_metadata = verified | _object(body.get("user_metadata"))
        account.app_metadata = _object(body.get("app_metadata"))
        if body.get("password"):
            account.set_password(str(body["password"]))
        elif body.get("password_hash"):
            account.password = str(body["password_hash"])
        if body.get("email_confirm"):
            account.confirmed_at, account.is_fresh = service.now, True
        service.accounts.add(account)
        answer = ok(account.shown())
        account.is_fresh = False
        return answer

    def get(self, request: Request, user_id: str) -> Response:
        """Return an account."""
        self._authorize(request)
        return ok(self._find(user_id).shown())

    def change(self, request: Request, body: dict[str, Any], user_id: str) -> Response:
        """Change an account: password, address, ban."""
        service = self._service
        self._authorize(request)
        account = self._find(user_id)
        if "ban_duration" in body:
            account.banned_until = self._ban(str(body["ban_duration"]))
        if body.get("email"):
            account.email = service.email(body)
        if body.get("email_confirm"):
            account.confirm(service.now)
        if body.get("password"):
            account.set_password(str(body["password"]))
            for session in service.sessions.of(account.id):
                service.sessions.end(session)
        account.updated_at = service.now
        answer = ok(account.shown())
        account.is_fresh = False
        return answer

    def delete(self, request: Request, user_id: str) -> Response:
        """Forget an account."""
        service = self._service
        self._authorize(request)
        account = self._find(user_id)
        for session in service.sessions.of(account.id):
            service.sessions.end(session)
        service.accounts.remove(account.id)
        return ok({})

    def unenrol(self, request: Request, user_id: str, factor_id: str) -> Response:
        """Forget an authenticator app of a person, even if no session has shown it."""
        self._authorize(request)
        account = self._find(user_id)
        factor = find_factor(account, factor_id)
        account.factors.remove(factor)
        return ok(factor.shown())

    def invite(self, request: Request, body: dict[str, Any]) -> Response:
        """Make an account and mail its owner a link."""
        service = self._service
        self._authorize(request)
        email = service.email(body)
        account = service.accounts.by_email(email)
        if account is not None and account.confirmed_at is not None:
            raise email_exists()
        if account is None:
            account = new_account(email, service.now)
            account.user_metadata = _object(body.get("data"))
            service.accounts.add(account)
        account.invited_at = service.now
        target = service.redirect_to(request)
        service.mail(account, "invite", "confirmation", redirect_to=target)
        return ok(account.shown())

    def _authorize(self, request: Request) -> None:
        if self._service.claims(request).get("role") not in {"service_role", "supabase_admin"}:
            raise AuthError(403, "not_admin", "User not allowed")

    def _find(self, user_id: str) -> Account:
        try:
            uuid.UUID(user_id)
        except ValueError as error:
            raise invalid("user_id must be an UUID", 404) from error
        account = self._service.accounts.get(user_id)
        if account is None:
            raise user_not_found()
        return account

    def _ban(self, duration: str) -> float | None:
        if duration == "none":
            return None
        parts = _DURATION.findall(duration)
        if not parts or "".join(number + unit for number, unit in parts) != duration:
            message = f'time: unknown unit in duration "{duration}"'
            raise invalid(f"invalid format for ban duration: {message}")
        return self._service.now + sum(float(number) * _SECONDS[unit] for number, unit in parts)

    def _number(self, request: Request, name: str, default: int) -> int:
        text = request.args.get(name, str(default))
        if not text.isdecimal():
            message = f'Bad Pagination Parameters: strconv.ParseUint: parsing "{text}"'
            raise invalid(f"{message}: invalid syntax")
        return int(text)


def _object(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
