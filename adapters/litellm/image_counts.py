"""How a model counts an image, where it is known which model it is.

gpt-4o-mini counts 33 times what gpt-4o does, at a price per token that makes up for it. A hold
must cover that wherever it is not known which model is behind a name. It is known by the name
that its provider gives it, or because the operator has written down the ``base_model``, by which
LiteLLM prices it as well; never by the name that it is sold under.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from creditcore.domain.pricing import IMAGES_IN_PATCHES, IMAGES_IN_TILES, IMAGES_SCALED_DOWN

_REGION = r"[a-z]{2}(?:-[a-z]+){1,2}-[0-9]"
_HOST = (
    r"(?:anthropic|azure(?:_ai)?|bedrock(?:_[a-z]+)?|claude_platform|gemini|google|openai|openrouter"
    rf"|vertex_ai|converse|invoke|{_REGION}|apac|eu|us|us-gov|global(?:-standard)?)"
)
_MAKER = r"(?:(?:(?:apac|au|ca|eu|global|in|jp|us|us-gov)\.)?(?:anthropic|google|openai)\.)?"
_PREFIX = rf"(?:{_HOST}/)*{_MAKER}"
"""LiteLLM writes the provider before a model's name, Bedrock the region and the maker."""

_MODELS = {
    IMAGES_IN_TILES: r"chatgpt-4o.*|(?:gpt-4o|gpt-4\.1|gpt-4\.5|o1|o3)(?!-mini|-nano)(?:-.*)?",
    IMAGES_SCALED_DOWN: r"(?:claude|gemini)-.*",
    IMAGES_IN_PATCHES: r"(?:gpt-5|gpt-6|gpt-4\.1-mini|gpt-4\.1-nano|o4-mini)(?:[.-].*)?",
}
_KNOWN = {
    feature: re.compile(rf"{_PREFIX}(?:{names})", re.DOTALL) for feature, names in _MODELS.items()
}

_OWN_NAMES = re.compile(r"(?:openai|anthropic|gemini|vertex_ai|bedrock|openrouter)(?:[-_].*)?")
"""Providers that run models under the names that they have; others call them as they like.
OpenRouter passes the counts of their makers on (its page on usage accounting).
"""

_OWN_ADDRESS = re.compile(
    r"https://(?:(?:[a-z]+\.)?api\.openai\.com|api\.anthropic\.com|openrouter\.ai"
    r"|generativelanguage\.googleapis\.com|(?:[a-z0-9-]+-)?aiplatform\.googleapis\.com"
    r"|bedrock(?:-runtime|-mantle)?\.[a-z0-9-]+\.amazonaws\.com)(?:/.*)?"
)
"""Where they do. At any other address there may be any model."""

_READS_AS = {
    feature: re.compile(rf"(?:.*[/.:])?(?:{names})", re.DOTALL | re.IGNORECASE)
    for feature, names in _MODELS.items()
}
"""What is read into a name that says nothing for sure: only ever as a word against another."""

_SMALL = re.compile(r"(?<![a-z])(?:mini|nano)(?![a-z])", re.IGNORECASE)
"""Such as gpt-4o-mini, which counts the most."""

_CUSTOM_NAME = re.compile(r"(?:.*/)?(?:arn:.*|[0-9]+)")
"""What an account calls a deployment of its own at Bedrock or Vertex: it names no model."""


def image_features(info: Mapping[str, Any], given: object) -> frozenset[str]:
    """Return the features that say how a deployment counts images; none where that is not known.

    Args:
        info: What LiteLLM knows of its model, and what the operator has written beside that.
        given: Its ``litellm_params``.
    """
    given = given if isinstance(given, Mapping) else {}
    names, own = _names(info, given), _own_names(info, given)
    return frozenset(
        feature
        for feature, known in _KNOWN.items()
        if names
        and _all_are(names, known)
        and not any(_reads_as_another(str(name), feature) for name in own)
    )


def _names(info: Mapping[str, Any], given: Mapping[str, Any]) -> list[object]:
    """Return the names that tell which model a deployment is."""
    stated = _written(info.get("base_model"), given.get("base_model"))
    address = given.get("api_base") or given.get("base_url")
    if address and not _OWN_ADDRESS.fullmatch(str(address)):
        return stated
    if not _OWN_NAMES.fullmatch(str(info.get("litellm_provider"))):
        return stated
    own = _own_names(info, given)
    if stated:
        own = [name for name in own if not _CUSTOM_NAME.fullmatch(str(name))]
    return [*stated, *own]


def _own_names(info: Mapping[str, Any], given: Mapping[str, Any]) -> list[object]:
    return _written(info.get("key"), given.get("model"))


def _written(*names: object) -> list[object]:
    return [name for name in names if name]


def _all_are(names: list[object], known: re.Pattern[str]) -> bool:
    return all(isinstance(name, str) and known.fullmatch(name) for name in names)


def _reads_as_another(name: str, feature: str) -> bool:
    """Whether a name, which need not say anything, speaks against a way of counting."""
    families = {each for each, pattern in _READS_AS.items() if pattern.fullmatch(name)}
    return feature not in families if families else bool(_SMALL.search(name))
