"""Answers of Supabase Auth, and the code in those that are errors.

Facts: recorded from supabase/auth v2.196.0. With ``X-Supabase-Api-Version: 2024-01-01`` every
JSON error has its code as text; without it, or through a proxy that drops the header, the
older shape comes back. Both are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

_CODE = re.compile(r"[a-z][a-z0-9_]{1,63}")
_AFTER_SECONDS = re.compile(r"after (\d{1,6}) seconds?")
_REASONS = frozenset({"length", "characters", "pwned"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: The HTTP status.
        code: The error's code, ``over_request_rate_limit`` for example; empty for a success, and
            for an error without one. The code of a success is never read: the first step of an
            e-mail change answers 200 with ``"code":"200"``.
        body: The JSON object; empty where the body is none.
        retry_after_s: How long to wait, where the text says so.
        weak_password_reasons: ``length``, ``characters``, ``pwned``: why a password is refused.
        headers: The response's headers, names in lower case.
    """

    status: int
    code: str
    body: Mapping[str, object]
    headers: Mapping[str, str]
    retry_after_s: int | None = None
    weak_password_reasons: tuple[str, ...] = ()

    @classmethod
    def parse(cls, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """Read an answer; what is no JSON object counts as an empty one."""
        names = {name.lower(): value for name, value in headers.items()}
        body = _json_object(content)
        if status < 400:
            return cls(status, "", body, names)
        return cls(
            status,
            _code(names, body),
            body,
            names,
            retry_after_s=_retry_after(body),
            weak_password_reasons=_reasons(body),
        )

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def __repr__(self) -> str:
        """Name status and code alone: a body holds tokens, and a 5xx names database hosts."""
        return f"Answer({self.status}, {self.code!r})"


def _json_object(content: bytes) -> Mapping[str, object]:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _code(headers: Mapping[str, str], body: Mapping[str, object]) -> str:
    """Return the code: the header first, as a raw database error has its SQLSTATE in the body."""
    candidates = (
        headers.get("x-sb-error-code"),
        body.get("error_code"),
        body.get("code"),
        body.get("error"),
    )
    found = (text for text in candidates if isinstance(text, str) and _CODE.fullmatch(text))
    return next(found, "")


def _retry_after(body: Mapping[str, object]) -> int | None:
    """Return the seconds in the text: no answer has a ``Retry-After`` header."""
    for name in ("message", "msg"):
        text = body.get(name)
        if isinstance(text, str) and (match := _AFTER_SECONDS.search(text)):
            return int(match[1])
    return None


def _reasons(body: Mapping[str, object]) -> tuple[str, ...]:
    # A password grant always has the key, with null where the password is fine.
    found = body.get("weak_password")
    reasons = found.get("reasons") if isinstance(found, dict) else None
    return tuple(word for word in reasons if word in _REASONS) if isinstance(reasons, list) else ()
