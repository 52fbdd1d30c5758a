"""Counts of requests, for clients that ask how large theirs are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from creditcore.ports.prompt_counts import PromptText


class RequestToCount(NamedTuple):
    """A request whose tokens are asked for.

    Attributes:
        fields: What of it is counted, as it would go to the model server, with the model.
        written: The same as bytes.
        texts: Every text in it that a tokenizer may be given.
        text: What of it can be counted as text by itself; None without any.
        estimate: About how many tokens all of it is.
        estimate_beside: About how many of these are not of ``text``.
    """

    fields: Mapping[str, Any]
    written: bytes
    texts: Sequence[str]
    text: PromptText | None
    estimate: int
    estimate_beside: int

    @property
    def model(self) -> str:
        """The model that would be asked."""
        name: str = self.fields["model"]
        return name


class TokenCounter(Protocol):
    """The protocol in which such counts are asked for and told."""

    @property
    def endpoint(self) -> str:
        """The route."""

    def read(self, body: bytes) -> RequestToCount:
        """Understand a request body, and estimate its size.

        Raises:
            InvalidRequestError: A call with it would be refused; the error names the field.
        """

    def document(self, tokens: int) -> bytes:
        """Return the answer."""


class RequestCounts(Protocol):
    """Counts requests, at the price of a call over the network."""

    def count_request(self, request: RequestToCount) -> int | None:
        """Return how many tokens a request is, one at least; None where that is not told soon."""
