"""Errors as Supabase Auth words them, in both of its shapes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.routing import json_answer

API_VERSION = "2024-01-01"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class AuthError(Exception):
    """A refusal.

    Attributes:
        has_header: Whether ``X-Sb-Error-Code`` comes with it: some have none.
        more: Further fields.
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        has_header: bool = True,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.has_header = has_header
        self.more = dict(more or {})
        self.headers = dict(headers or {})
        super().__init__(message)

    def answer(self, request: Request) -> Response:
        """Return the answer, in the shape that the request asks for."""
        headers = {"Vary": "Origin", **self.headers}
        versioned = is_versioned(request)
        if versioned:
            headers["X-Supabase-Api-Version"] = API_VERSION
            body: dict[str, Any] = {"code": self.code, "message": self.message}
        else:
            body = {"code": self.status, "error_code": self.code, "msg": self.message}
            if self.status >= 500 and self.has_header:
                body["error_id"] = str(uuid.uuid4())
        weak = self.code == "weak_password"
        if self.has_header and not (weak and versioned):
            headers["X-Sb-Error-Code"] = self.code
        return json_answer(body | self.more, self.status, headers)


def is_versioned(request: Request) -> bool:
    """Whether errors are wanted in the newer shape: a later date counts, an earlier one not."""
    wanted = request.headers.get("X-Supabase-Api-Version", "")
    return bool(_DATE.fullmatch(wanted)) and wanted >= API_VERSION


def invalid(message: str, status: int = 400) -> AuthError:
    """Return the refusal of an input."""
    return AuthError(status, "validation_failed", message)


def no_authorization() -> AuthError:
    """Return the refusal of a call without a token."""
    message = "This endpoint requires a valid Bearer token"
    return AuthError(401, "no_authorization", message)


def bad_jwt(reason: str) -> AuthError:
    """Return the refusal of a token."""
    return AuthError(403, "bad_jwt", reason)


def banned(status: int = 403, headers: Mapping[str, str] | None = None) -> AuthError:
    """Return the refusal of a banned person."""
    return AuthError(status, "user_banned", "User is banned", headers=headers)


def link_expired() -> AuthError:
    """Return the refusal of a link."""
    return AuthError(403, "otp_expired", "Email link is invalid or has expired")


def code_expired() -> AuthError:
    """Return the refusal of a code."""
    return AuthError(403, "otp_expired", "Token has expired or is invalid")


def mail_too_soon(seconds: int) -> AuthError:
    """Return the refusal of a mail that was asked for again too soon."""
    message = f"For security purposes, you can only request this after {seconds} seconds."
    return AuthError(429, "over_email_send_rate_limit", message)


def email_exists() -> AuthError:
    """Return the refusal of an address that has an account."""
    message = "A user with this email address has already been registered"
    return AuthError(422, "email_exists", message)


def user_not_found() -> AuthError:
    """Return the refusal of an id without an account."""
    return AuthError(404, "user_not_found", "User not found")


def duplicate_key(request: Request, email: str) -> Response:
    """Return what a lost race for an address gives: a raw database error, unless versioned."""
    if is_versioned(request):
        return AuthError(500, "unexpected_failure", "Database error saving new user").answer(
            request
        )
    body = {
        "code": "23505",
        "message": 'duplicate key value violates unique constraint "users_email_partial_key"',
        "detail": f"Key (email)=({email}) already exists.",
    }
    headers = {"Vary": "Origin", "X-Sb-Error-Code": "unexpected_failure"}
    return json_answer(body, 500, headers)
