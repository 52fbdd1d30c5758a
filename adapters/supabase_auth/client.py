"""HTTP to Supabase Auth (GoTrue)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import orjson
import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from adapters.supabase_auth.answers import Answer
from adapters.supabase_auth.api_keys import ApiKey

API_VERSION = "2024-01-01"
"""With it, the code of every JSON error is text, and no raw database error comes through."""

MAX_ANSWER_BYTES = 2_097_152
"""A session whose user filled 1 MiB of metadata, the most that a request may carry, and its JWT."""

_PIECE_BYTES = 64 * 1024


class NoAnswerError(Exception):
    """No usable answer came: whether the server acted is unknown.

    Attributes:
        reason: For the log; it has nothing of the request in it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class GoTrueClient:
    """Sends single requests.

    Safe to share between threads and greenlets: each call has a connection of its own, and
    no cookie, proxy setting or redirect can change where it goes. Nothing is ever sent
    twice: whether to try again depends on the call.
    """

    def __init__(
        self,
        project_url: str,
        api_key: ApiKey,
        *,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 12.0,
    ) -> None:
        """Prepare the client; nothing is sent yet.

        Args:
            project_url: ``SUPABASE_URL``, to which ``/auth/v1`` is added.
            api_key: The key that opens the gateway.
            connect_timeout_s: The longest wait for a connection.
            read_timeout_s: The longest silence while an answer is awaited. The server ends a
                slow request with 504 after ten seconds: sooner, the outcome would be unknown.

        Raises:
            ValueError: The address cannot be right.
        """
        self.base_url = f"{project_url.rstrip('/')}/auth/v1"
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"the address of Supabase is no web address: {project_url!r}")
        self._key = api_key
        self._timeout_s = (connect_timeout_s, read_timeout_s)

    def __repr__(self) -> str:
        return f"GoTrueClient({self.base_url!r})"

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        user_token: str | None = None,
        most_s: float | None = None,
    ) -> Answer:
        """Send one request and return its answer, whatever its status.

        Args:
            method: The HTTP method.
            path: Beginning with a slash, below ``/auth/v1``.
            query: Parameters of the address.
            body: Sent as JSON where there is one.
            user_token: The access token of the person on whose behalf this is asked.
            most_s: The longest silence, where it is to be shorter than usual.

        Raises:
            NoAnswerError: There is none, or none that can be used.
        """
        connect_s, read_s = self._timeout_s
        read_s = min(read_s, most_s or read_s)
        deadline = time.monotonic() + connect_s + read_s
        address = self.base_url + path + (f"?{urlencode(query)}" if query else "")
        try:
            with (
                _DirectSession() as session,
                session.request(
                    method,
                    address,
                    data=None if body is None else orjson.dumps(body),
                    headers=self._headers(user_token, has_body=body is not None),
                    timeout=(connect_s, read_s),
                    stream=True,
                ) as response,
            ):
                content = _read(response, deadline)
                return Answer.parse(response.status_code, response.headers, content)
        except (requests.Timeout, ReadTimeoutError) as error:
            raise NoAnswerError("Supabase Auth did not answer in time.") from error
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise NoAnswerError("Supabase Auth cannot be reached.") from error

    def _headers(self, user_token: str | None, *, has_body: bool) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            # Nothing to unpack, so the limit on the answer's size is a limit on memory too.
            "Accept-Encoding": "identity",
            # A secret key is refused where this looks like a browser.
            "User-Agent": "creditcore",
            "X-Supabase-Api-Version": API_VERSION,
        }
        if has_body:
            headers["Content-Type"] = "application/json"
        return headers | self._key.headers(user_token)


class _DirectSession(requests.Session):
    """Speaks with the one server it is told to, whatever the environment or that server say."""

    def __init__(self) -> None:
        super().__init__()
        # No proxies, .netrc logins or CA bundles of the environment.
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return that there is none: tokens and keys go to no other address."""


def _read(response: requests.Response, deadline: float) -> bytes:
    """Read an answer's body.

    Raises:
        NoAnswerError: It is too long, or comes in drops, each of which would be in time.
    """
    content = bytearray()
    # What has come, not a whole piece: every drop would begin the wait for one anew.
    while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
        content += piece
        if time.monotonic() > deadline:
            raise NoAnswerError("Supabase Auth did not answer in time.")
        if len(content) > MAX_ANSWER_BYTES:
            raise NoAnswerError("The answer of Supabase Auth is too long.")
    return bytes(content)
