"""HTTP to LiteLLM's admin side: one question, one bounded answer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from creditcore.domain.errors import UpstreamUnavailableError

_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes:
        status: Its HTTP status.
        body: Its bytes.
    """

    status: int
    body: bytes

    def document(self) -> dict[str, Any]:
        """Return its JSON object; numbers with a point are exact ``Decimal`` values.

        Raises:
            UpstreamUnavailableError: It is none.
        """
        try:
            found = json.loads(self.body, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise UpstreamUnavailableError("The model server's answer cannot be read.") from error
        if not isinstance(found, dict):
            raise UpstreamUnavailableError("The model server's answer is no object.")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminClient:
    """Asks a LiteLLM proxy. Nothing is kept between two questions: they are rare.

    Attributes:
        base_url: The proxy's address, a path prefix included, without ``/v1``.
        master_key: Goes to the proxy and nowhere else; redirects are not followed.
        connect_timeout_s: How long a connection may take.
        answer_timeout_s: How long the answer's head may be silent, and its whole body take.
    """

    base_url: str
    master_key: str = field(repr=False)
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 15.0

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Ask with the master key, and return the answer with any status.

        Raises:
            UpstreamUnavailableError: There is none.
        """
        return self._ask("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Send a JSON object with the master key, and return the answer with any status.

        Raises:
            UpstreamUnavailableError: There is none; unknown whether it was done.
        """
        return self._ask("POST", path, body=body)

    def get_openly(self, path: str) -> Answer:
        """Ask without the key.

        Raises:
            UpstreamUnavailableError: There is no answer.
        """
        return self._ask("GET", path, authorized=False)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        authorized: bool = True,
    ) -> Answer:
        deadline = time.monotonic() + self.answer_timeout_s
        headers = {"accept-encoding": "identity"}
        if authorized:
            headers["authorization"] = f"Bearer {self.master_key}"
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy and no .netrc of the machine
                with session.request(
                    method,
                    self.base_url.rstrip("/") + path,
                    params=params,
                    json=body,
                    headers=headers,
                    timeout=(self.connect_timeout_s, self.answer_timeout_s),
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    return Answer(answer.status_code, _bounded_body(answer, deadline))
        except (requests.RequestException, HTTPError) as error:
            raise UpstreamUnavailableError("The model server cannot be reached.") from error


def _bounded_body(answer: requests.Response, deadline: float) -> bytes:
    # Unpacked, a small body is as large as its sender likes.
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise UpstreamUnavailableError("The model server's answer is compressed.")
    body = bytearray()
    # What has come, not a whole block: the timeout of requests is for each read, and drops of
    # one byte would never meet it.
    while block := answer.raw.read1(_BLOCK_BYTES):
        if time.monotonic() > deadline:
            raise UpstreamUnavailableError("The model server's answer takes too long.")
        if len(body) + len(block) > _MAX_ANSWER_BYTES:
            raise UpstreamUnavailableError("The model server's answer is too long.")
        body += block
    return bytes(body)
