"""Requests to the account API, and its errors. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

TIMEOUT_S = 30.0


class ApiError(Exception):
    """The API refused a request.

    Attributes:
        status: The HTTP status.
        code: The stable word for machines, such as ``insufficient_scope``.
        param: The field at fault, where there is one.
        request_id: What support asks for.
        retry_after_s: When to ask again, where the API says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        param: str | None = None,
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        super().__init__(message)


class Transport:
    """Sends requests with a key.

    Args:
        base_url: Of the gateway, without ``/v1``.
        key: Of the scopes that are needed.
        timeout_s: How long one request may take.
    """

    def __init__(self, base_url: str, key: str, *, timeout_s: float = TIMEOUT_S) -> None:
        if urlsplit(base_url).scheme not in {"http", "https"}:
            raise ValueError(f"an http(s) address is needed, not {base_url!r}")
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._timeout_s = timeout_s

    def call(
        self,
        method: str,
        path: str,
        *,
        names: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        body: object = None,
    ) -> Any:
        """Send a request; return the JSON of its answer.

        Args:
            method: Of HTTP.
            path: With names in braces.
            names: What stands for them.
            query: Parameters; those that are None are left out.
            body: What is sent as JSON.

        Raises:
            ApiError: It was refused.
            OSError: The gateway could not be reached.
        """
        quoted = {name: quote(value, safe="") for name, value in (names or {}).items()}
        asked = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        request = Request(  # noqa: S310 - the scheme was looked at
            f"{self._base_url}{path.format(**quoted)}{'?' if asked else ''}{urlencode(asked)}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as error:
            with error:
                raise _error_of(error) from None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error_of(answer: HTTPError) -> ApiError:
    try:
        told = json.load(answer)["error"]
        message, code, param = str(told["message"]), told.get("code"), told.get("param")
    except (ValueError, KeyError, TypeError):
        # A proxy on the way speaks for itself.
        message, code, param = HTTPStatus(answer.code).phrase, None, None
    wait = answer.headers.get("retry-after")
    return ApiError(
        message,
        status=answer.code,
        code=code,
        param=param,
        request_id=answer.headers.get("x-request-id", ""),
        retry_after_s=float(wait) if wait and wait.isascii() and wait.isdigit() else None,
    )
