"""The model server's own desk: its price list and its health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from creditcore.domain.pricing import ModelPrice


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of a model server.

    Attributes:
        prices: Models with a usable price, by name.
        unpriced: Names of models without one; they are not sold.
        faults: Why, by name, each in words that end a sentence.
    """

    prices: Sequence[ModelPrice]
    unpriced: Sequence[str] = ()
    faults: Mapping[str, str] = field(default_factory=dict)


class ModelGateway(Protocol):
    """What the model server offers. Never called while a database transaction is open."""

    def fetch_catalogue(self) -> Catalogue:
        """Return the models, and which of them have a usable price.

        Raises:
            UpstreamUnavailableError: No usable price list.
        """

    def is_healthy(self) -> bool:
        """Whether it answers at all."""
