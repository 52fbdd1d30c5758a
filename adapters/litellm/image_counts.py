"""How a model counts an image, where it is known which model it is.

gpt-4o-mini counts 33 times what gpt-4o does, at a price per token that makes up for it. A hold
must cover that wherever it is not known which model is behind a name. It is known by the name
that its provider gives it, or because the operator has written down the ``base_model``, by which
LiteLLM prices it as well; never by the name that it is sold under.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from creditcore.domain.pricing import ImageCount

_REGION = r"[a-z]{2}(?:-[a-z]+){1,2}-[0-9]"
_HOST = (
    r"(?:anthropic|azure(?:_ai)?|bedrock(?:_[a-z]+)?|claude_platform|gemini|google|openai|openrouter"
    rf"|vertex_ai|converse|invoke|{_REGION}|apac|eu|us|us-gov|global(?:-standard)?)"
)
_MAKER = r"(?:(?:(?:apac|au|ca|eu|global|in|jp|us|us-gov)\.)?(?:anthropic|google|openai)\.)?"
_PREFIX = rf"(?:{_HOST}/)*{_MAKER}"
"""LiteLLM writes the provider before a model's name, Bedrock the region and the maker."""

_DATED = r"(?:-20[0-9]{2}-[0-9]{2}-[0-9]{2})?"
_GEMINI = frozenset({ImageCount.GEMINI_2, ImageCount.GEMINI_3})


class _Family(NamedTuple):
    """Models whose provider says how they count images.

    Attributes:
        names: Of its models, as a pattern.
        counts: How they count; of several, any may be how.
        prefix: What stands before the name.
    """

    names: str
    counts: frozenset[ImageCount]
    prefix: str = _PREFIX


def _families(**names: str) -> tuple[_Family, ...]:
    return tuple(_Family(each, frozenset({ImageCount[count]})) for count, each in names.items())


_FAMILIES = (
    *_families(
        IN_DEAR_TILES=rf"gpt-4o-mini{_DATED}",
        IN_TILES=r"chatgpt-4o.*|(?:gpt-4o|gpt-4\.1|gpt-4\.5|o1|o3)(?!-mini|-nano)(?:-.*)?"
        rf"|gpt-5(?:-chat(?:-latest)?|\.1)?{_DATED}",
        GPT_4_1_MINI=rf"(?:gpt-4\.1-mini|gpt-5-mini|o4-mini){_DATED}",
        GPT_4_1_NANO=rf"(?:gpt-4\.1-nano|gpt-5-nano){_DATED}",
        GPT_5_2=rf"gpt-5\.2{_DATED}",
        GPT_5_4=rf"gpt-5\.4{_DATED}",
        GPT_5_4_MINI=rf"gpt-5\.4-(?:mini|nano){_DATED}",
        GPT_5_5=rf"gpt-5\.5{_DATED}",
        GPT_5_6=rf"(?:gpt-5\.6(?:-sol|-terra|-luna)?|gpt-6(?:-astra)?){_DATED}",
        # Variants of which OpenAI's page says nothing.
        IN_PATCHES=r"(?:gpt-5|gpt-6|gpt-4\.1-mini|gpt-4\.1-nano|o4-mini)(?:[.-].*)?",
        CLAUDE_3=r"claude-3(?:[.-].*)?|claude-4-(?:opus|sonnet)(?:-20[0-9]{6})?"
        r"|claude-(?:haiku|opus|sonnet)-4(?:[.-][0-6])?(?:[-@:](?:20[0-9]{6}.*|v[0-9].*|default))?",
        CLAUDE_4_7=r"claude-.*",
        GEMINI_2=r"gemini-[12](?:[.-].*)?",
        GEMINI_3=r"gemini-3(?:[.-].*)?",
    ),
    # Such as gemini-flash-latest.
    _Family(r"gemini-(?!gemma)[a-z].*", _GEMINI),
    _Family(r"grok-.*", frozenset({ImageCount.GROK}), r"(?:xai|openrouter/x-ai)/"),
    _Family(
        r"pixtral-.*|mistral-small-(?:3-[12]-)?25(?:03|06)",
        frozenset({ImageCount.PIXTRAL}),
        "mistral/",
    ),
    _Family(
        r"(?:codestral|devstral|magistral|ministral|mistral)-.*",
        frozenset({ImageCount.MISTRAL}),
        "mistral/",
    ),
    _Family(r"(?:qwen|qvq)[0-9.]*-.*", frozenset({ImageCount.QWEN}), "dashscope/"),
)
"""The first that a name is one of counts."""

_KNOWN = [
    (re.compile(rf"{family.prefix}(?:{family.names})", re.DOTALL), family.counts)
    for family in _FAMILIES
]
_READS_AS = [
    (re.compile(rf"(?:.*[/.:])?(?:{family.names})", re.DOTALL | re.IGNORECASE), family.counts)
    for family in _FAMILIES
]
"""What is read into a name that says nothing for sure: only ever as a word beside another."""

_OWN_NAMES = re.compile(
    r"(?:openai|anthropic|gemini|vertex_ai|bedrock|openrouter)(?:[-_].*)?|xai|mistral|dashscope"
)
"""Providers that run models under the names that they have; others call them as they like.
OpenRouter passes the counts of their makers on (its page on usage accounting).
"""

_OWN_ADDRESS = re.compile(
    r"https://(?:(?:[a-z]+\.)?api\.openai\.com|api\.anthropic\.com|openrouter\.ai"
    r"|api\.x\.ai|api\.mistral\.ai|dashscope(?:-[a-z]+)?\.aliyuncs\.com"
    r"|generativelanguage\.googleapis\.com|(?:[a-z0-9-]+-)?aiplatform\.googleapis\.com"
    r"|bedrock(?:-runtime|-mantle)?\.[a-z0-9-]+\.amazonaws\.com)(?:/.*)?"
)
"""Where they do. At any other address there may be any model."""

_SMALL = re.compile(r"(?<![a-z])(?:mini|nano)(?![a-z])", re.IGNORECASE)
"""Such as gpt-4o-mini, which counts the most."""

_CUSTOM_NAME = re.compile(r"(?:.*/)?(?:arn:.*|[0-9]+)")
"""What an account calls a deployment of its own at Bedrock or Vertex: it names no model."""


def image_features(info: Mapping[str, Any], given: object) -> frozenset[str]:
    """Return the features that say how a deployment counts images; none where that is not known.

    Where its names say different things, each of them may be how.

    Args:
        info: What LiteLLM knows of its model, and what the operator has written beside that.
        given: Its ``litellm_params``.
    """
    given = given if isinstance(given, Mapping) else {}
    known = [_counts_of(name, _KNOWN) for name in _names(info, given)]
    if not known or not all(known):
        return frozenset()
    own = _own_names(info, given)
    read = [_counts_of(name, _READS_AS) for name in own]
    if any(not counts and _SMALL.search(str(name)) for name, counts in zip(own, read, strict=True)):
        return frozenset()
    return frozenset().union(*known, *read)


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


def _counts_of(
    name: object, patterns: Iterable[tuple[re.Pattern[str], frozenset[ImageCount]]]
) -> frozenset[ImageCount]:
    """Return how a model of this name counts images; nothing where it is of no family."""
    text = name if isinstance(name, str) else ""
    return next((counts for names, counts in patterns if names.fullmatch(text)), frozenset())
