"""LiteLLM's own desk: its price list and whether it is alive."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import requests

from adapters.litellm.prices import read_price_list
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.domain.pricing import ModelPrice

_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteLLMGateway:
    """Asks a LiteLLM proxy. Nothing is kept between two questions: they are rare.

    Attributes:
        base_url: The proxy's address, a path prefix included, without ``/v1``.
        master_key: Goes to the proxy and nowhere else; redirects are not followed.
        connect_timeout_s: How long a connection may take.
        answer_timeout_s: How long the whole answer may take.
    """

    base_url: str
    master_key: str = field(repr=False)
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 15.0

    def fetch_prices(self) -> Sequence[ModelPrice]:
        """Return every model that has a usable price, by name.

        A list without a single usable price is no list: a proxy that has only just
        started must not empty ours.

        Raises:
            UpstreamUnavailableError: No usable price list.
        """
        body = self._get("/model/info", {"authorization": f"Bearer {self.master_key}"})
        try:
            prices = read_price_list(body)
        except ValueError as error:
            raise UpstreamUnavailableError("The price list cannot be read.") from error
        if not prices:
            raise UpstreamUnavailableError("The price list has no usable price.")
        return prices

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
                    if answer.status_code != requests.codes.ok:
                        raise UpstreamUnavailableError(
                            f"The model server answered {answer.status_code}."
                        )
                    return _bounded_body(answer, deadline)
        except requests.RequestException as error:
            raise UpstreamUnavailableError("The model server cannot be reached.") from error


def _bounded_body(answer: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    for block in answer.iter_content(_BLOCK_BYTES):
        body += block
        # The timeout of requests is for each read: drops of one byte would never meet it.
        if len(body) > _MAX_ANSWER_BYTES or time.monotonic() > deadline:
            raise UpstreamUnavailableError("The model server's answer is too long.")
    return bytes(body)
