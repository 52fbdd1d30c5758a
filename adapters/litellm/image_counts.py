"""Which models are known to count an image moderately: by their provider's own name for them.

gpt-4o-mini counts 33 times what gpt-4o does, at a price per token that makes up for it. A hold
must cover that wherever it is not known which model is behind a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_MODERATE = re.compile(
    r"(?:[a-z_]+/)?(?:[a-z-]+\.)?(?:anthropic[./])?"
    r"(?:claude-|gemini-|gpt-4o(?!-mini)|chatgpt-4o|gpt-4\.[15]|gpt-[5-6]|o[13](?:-|$)|o4-mini).*"
)
_OWN_NAMES = re.compile(r"(?:openai|anthropic|gemini|vertex_ai|bedrock)(?:[-_].*)?")
"""Providers that run models under the names that they have; others call them as they like."""


def counts_moderately(info: Mapping[str, Any], given: object) -> bool:
    """Whether a deployment is known to count an image for what is usual, or little more.

    Args:
        info: What LiteLLM knows of its model.
        given: Its ``litellm_params``; a deployment at an address of the operator's own may be
            any model.
    """
    given = given if isinstance(given, Mapping) else {}
    if given.get("api_base") or given.get("base_url"):
        return False
    if not _OWN_NAMES.fullmatch(str(info.get("litellm_provider"))):
        return False
    names = [info.get("base_model"), info.get("key"), given.get("base_model"), given.get("model")]
    known = [name for name in names if name]
    return bool(known) and all(
        isinstance(name, str) and _MODERATE.fullmatch(name) for name in known
    )
