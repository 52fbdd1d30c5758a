"""A service that knows the tokenizers of models, asked how many tokens a text is."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from creditcore.domain.pricing.text_bound import PLAIN_TEXT, TextSize


class PromptText(NamedTuple):
    """The text of a prompt, as far as it can be counted by itself.

    Attributes:
        messages: Who says it, ``user`` or ``assistant``, and what: none of them blank.
        bound: What the bound of the prompt has for it, and for what is added to it unseen.
        size: What else is known of it, as of the prompt.
    """

    messages: tuple[tuple[str, str], ...]
    bound: int
    size: TextSize = PLAIN_TEXT


class PromptCount(NamedTuple):
    """How many tokens a text is.

    Attributes:
        tokens: One at least.
        by_provider: Whether the model's own provider has counted, rather than a stand-in.
    """

    tokens: int
    by_provider: bool


class PromptCounts(Protocol):
    """Counts text, at the price of a call over the network."""

    def count(self, model: str, text: PromptText) -> PromptCount | None:
        """Return how many tokens a text is for a model; None where that is not told soon."""


class NoPromptCounts:
    """Where no such service is asked: holds are by what the text itself tells, always."""

    def count(self, model: str, text: PromptText) -> None:  # noqa: ARG002 - none is asked
        """Return nothing."""
        return
