"""What models can do besides text, in words, as far as the price list says so."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask

FEATURES = {
    "vision": "Vision",
    "pdf_input": "PDF",
    "function_calling": "Tools",
    "prompt_caching": "Prompt caching",
    "reasoning": "Reasoning",
    "response_schema": "Structured output",
}
"""By the word of the price list; a feature that is not here is not for people."""


def features_shown(told: Collection[str]) -> list[str]:
    """Return the words that people look for among those of the price list, in one order."""
    return [name for name in FEATURES if name in told]


def register(app: Flask) -> None:
    """Make the filter known to every template."""
    app.jinja_env.filters.update(feature=FEATURES.__getitem__)
