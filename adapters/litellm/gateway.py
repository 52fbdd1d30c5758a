"""LiteLLM's own desk: its price list and whether it is alive."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.litellm.admin import AdminClient, Answer
from adapters.litellm.prices import read_catalogue
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.ports.model_gateway import Catalogue

_OK = 200


@dataclass(frozen=True, slots=True)
class LiteLLMGateway:
    """What a LiteLLM proxy offers.

    Attributes:
        admin: How it is asked.
    """

    admin: AdminClient

    def fetch_catalogue(self) -> Catalogue:
        """Return the models, and which of them have a usable price.

        A list without a single usable price is no list: a proxy that has only just
        started must not empty ours.

        Raises:
            UpstreamUnavailableError: No usable price list.
        """
        body = _found(self.admin.get("/model/info")).body
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
            _found(self.admin.get_openly("/health/liveliness"))
        except UpstreamUnavailableError:
            return False
        return True


def _found(answer: Answer) -> Answer:
    if answer.status != _OK:
        raise UpstreamUnavailableError(f"The model server answered {answer.status}.")
    return answer
