"""Rough counts of requests, for clients that ask how large theirs are."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class TokenCount(NamedTuple):
    """How large a request is, without asking a model."""

    model: str
    tokens: int


class TokenCounter(Protocol):
    """Counts a request of one protocol, roughly, for nothing."""

    @property
    def endpoint(self) -> str:
        """The route."""

    def count(self, body: bytes) -> TokenCount:
        """Count a request body.

        Raises:
            InvalidRequestError: A call with it would be refused; the error names the field.
        """

    def document(self, count: TokenCount) -> bytes:
        """Return the answer."""
