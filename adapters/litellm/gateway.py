"""LiteLLM's own desk: its price list and whether it is alive."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import requests
from urllib3.exceptions import HTTPError

from adapters.litellm.prices import read_catalogue
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.ports.model_gateway import Catalogue

_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteLLMGateway:
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

    def fetch_catalogue(self) -> Catalogue:
        """Return the models, and which of them have a usable price.

        A list without a single usable price is no list: a proxy that has only just
        started must not empty ours.

        Raises:
            UpstreamUnavailableError: No usable price list.
        """
        body = self._get("/model/info", {"authorization": f"Bearer {self.master_key}"})
        try:
            catalogue = read_catalogue(body)
        except ValueError as error:
            raise UpstreamUnavailableError("The price list cannot be read.") from error
        if not catalogue.prices:
            raise UpstreamUnavailableError("The price list has no usable price.")
        return catalogue

    def is_healthy(self) -> bool:
        """Whether the proxy answers at all. Asks without the key, and calls no model."""
        try:
            self._get("/health/liveliness", {})
        except UpstreamUnavailableError:
            return False
        return True

    def _get(self, path: str, headers: dict[str, str]) -> bytes:
        deadline = time.monotonic() + self.answer_timeout_s
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy and no .netrc of the machine
                with session.get(
                    self.base_url.rstrip("/") + path,
                    headers={**headers, "accept-encoding": "identity"},
                    timeout=(self.connect_timeout_s, self.answer_timeout_s),
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    return _bounded_body(answer, deadline)
        except (requests.RequestException, HTTPError) as error:
            raise UpstreamUnavailableError("The model server cannot be reached.") from error


def _bounded_body(answer: requests.Response, deadline: float) -> bytes:
    if answer.status_code != requests.codes.ok:
        raise UpstreamUnavailableError(f"The model server answered {answer.status_code}.")
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
