"""Tools that the client runs: those it describes, and those whose description Anthropic has."""

from __future__ import annotations

import re

from adapters.wires.tools import check_tools

_CUSTOM = "custom"
_DESCRIBED_THERE = re.compile(r"(?:bash|memory|text_editor)_20(?:2[5-9]|[3-9][0-9])[0-9]{4}")
"""Those of 2024 need a beta, which is left out."""

_MOST_TOKENS = 4_096
"""What Anthropic adds for one: 245 tokens for the shell and 700 for the editor, as its pages on
these tools say, and less than a page about the use of the memory."""


def check_own_tools(value: object) -> int:
    """Let tools pass that the client runs; return tokens of descriptions that are not here.

    Raises:
        InvalidRequestError: One of them is something else; ``param`` names its place.
    """
    tools = value if isinstance(value, list) else []
    described_there = [
        kind
        for tool in tools
        if isinstance(tool, dict)
        and isinstance(kind := tool.get("type"), str)
        and _DESCRIBED_THERE.fullmatch(kind)
    ]
    check_tools(value, {_CUSTOM}, beside=set(described_there), default=_CUSTOM)
    return len(described_there) * _MOST_TOKENS
