"""Faults ordered in advance for the next calls of one endpoint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from werkzeug.wrappers import Request, Response

from sandbox.connection import Connection, ConnectionDropped
from sandbox.supabase.errors import AuthError

TRACE = (
    "error finding user: failed to connect to `host=10.1.2.3 user=supabase_auth_admin"
    " database=gotrue`: dial error\n\tgoroutine 1 [running]: main.go:42"
)
_KNOWN = {
    "conflict": (
        409,
        "Too many concurrent token refresh requests on the same session or refresh token",
    ),
    "over_request_rate_limit": (429, "Request rate limit reached"),
    "hook_timeout": (422, "Failed to reach hook within maximum time of 5.000000 seconds"),
    "hook_timeout_after_retry": (422, "Failed to reach hook after maximum retries"),
    "unknown": (403, "no entry"),
    "request_timeout": (504, "Processing this request timed out, please retry after a moment."),
    "unexpected_failure": (500, TRACE),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call.

    Attributes:
        code: Answer with this error: one of ``conflict``, ``over_request_rate_limit``,
            ``hook_timeout``, ``hook_timeout_after_retry``, ``unknown``, ``request_timeout``,
            ``unexpected_failure`` (whose text names hosts, as the real one's does).
        bare: The error has no header and no id, as where it was not expected.
        delay_s: Wait before answering.
        hang: Never answer; wait until the caller gives up.
        drop: Close the connection without an answer.
        html: Answer 502 with a proxy's page.
        after: Do the work first: with ``request_timeout`` a mail goes out and its link is dead.
    """

    code: str = ""
    bare: bool = False
    delay_s: float = 0.0
    hang: bool = False
    drop: bool = False
    html: bool = False
    after: bool = False

    @classmethod
    def from_order(cls, order: Mapping[str, Any]) -> Self:
        """Read a fault from an order's JSON.

        Raises:
            ValueError: It cannot be understood.
        """
        known = {item.name for item in fields(cls)}
        fault = cls(**{name: value for name, value in order.items() if name in known})
        if fault.code and fault.code not in _KNOWN:
            raise ValueError(f"code is one of {', '.join(_KNOWN)}.")
        return fault

    def happen(self, request: Request) -> Response | None:
        """Let it happen; return an answer where it is one.

        Raises:
            AuthError: The ordered error.
            ConnectionDropped: The caller gets no answer.
        """
        if self.hang or self.drop:
            connection = Connection.of(request.environ)
            if self.hang:
                connection.wait_until_closed()
            raise ConnectionDropped
        time.sleep(self.delay_s)
        if self.code:
            status, message = _KNOWN[self.code]
            bare = self.bare or self.code == "unknown"
            raise AuthError(status, self.code, message, has_header=not bare)
        if self.html:
            return Response("<h1>502 Bad Gateway</h1>", status=502, content_type="text/html")
        return None
