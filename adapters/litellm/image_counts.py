"""How a model counts an image, where that is known: by its provider's own name for it.

gpt-4o-mini counts 33 times what gpt-4o does, at a price per token that makes up for it. A hold
must cover that wherever it is not known which model is behind a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from creditcore.domain.pricing import IMAGES_IN_PATCHES, IMAGES_IN_TILES, IMAGES_SCALED_DOWN

_PROVIDER = r"(?:[a-z_]+/)?(?:[a-z-]+\.)?(?:anthropic[./])?"
_IN_TILES = re.compile(
    rf"{_PROVIDER}(?:chatgpt-4o.*|(?:gpt-4o|gpt-4\.1|gpt-4\.5|o1|o3)(?!-mini|-nano)(?:-.*)?)"
)
_SCALED_DOWN = re.compile(rf"{_PROVIDER}(?:claude-.*|gemini-.*)|{_IN_TILES.pattern}")
_IN_PATCHES = re.compile(
    rf"{_PROVIDER}(?:gpt-5|gpt-6|gpt-4\.1-mini|gpt-4\.1-nano|o4-mini)(?:[.-].*)?"
)
_OWN_NAMES = re.compile(r"(?:openai|anthropic|gemini|vertex_ai|bedrock)(?:[-_].*)?")
"""Providers that run models under the names that they have; others call them as they like."""


def image_features(info: Mapping[str, Any], given: object) -> frozenset[str]:
    """Return the features that say how a deployment counts images; none where that is not known.

    Args:
        info: What LiteLLM knows of its model.
        given: Its ``litellm_params``; a deployment at an address of the operator's own may be
            any model.
    """
    given = given if isinstance(given, Mapping) else {}
    if given.get("api_base") or given.get("base_url"):
        return frozenset()
    if not _OWN_NAMES.fullmatch(str(info.get("litellm_provider"))):
        return frozenset()
    named = [info.get("base_model"), info.get("key"), given.get("base_model"), given.get("model")]
    names = [name for name in named if name]
    if _all_are(names, _IN_TILES):
        return frozenset({IMAGES_IN_TILES, IMAGES_SCALED_DOWN})
    if _all_are(names, _SCALED_DOWN):
        return frozenset({IMAGES_SCALED_DOWN})
    return frozenset({IMAGES_IN_PATCHES}) if _all_are(names, _IN_PATCHES) else frozenset()


def _all_are(names: list[object], known: re.Pattern[str]) -> bool:
    return bool(names) and all(isinstance(name, str) and known.fullmatch(name) for name in names)
