"""Tools that the client runs: those it describes, and those whose description Anthropic has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from adapters.wires.body import encode_body
from adapters.wires.prompt import Prompt
from adapters.wires.tools import check_tools

_CUSTOM = "custom"
_DESCRIBED_THERE = re.compile(r"(bash|computer|memory|text_editor)_20(?:2[5-9]|[3-9][0-9])[0-9]{4}")
"""Those of 2024 need a beta, which is left out; that of the computers behind them goes through."""

_USUAL_TOKENS = {"bash": 245, "computer": 1_235, "memory": 700, "text_editor": 700}
"""What Anthropic adds for one, as its pages on these tools say; on the memory they say nothing."""

_MOST_TOKENS = 4_096
"""More than is added for any: how to use the memory takes less than a page."""


def read_own_tools(value: object, prompt: Prompt) -> None:
    """Let tools pass that the client runs, and count the descriptions that are not here.

    Raises:
        InvalidRequestError: One of them is something else; ``param`` names its place.
    """
    tools = value if isinstance(value, list) else []
    described_there = [
        named
        for tool in tools
        if isinstance(tool, dict)
        and isinstance(kind := tool.get("type"), str)
        and (named := _DESCRIBED_THERE.fullmatch(kind))
    ]
    check_tools(value, {_CUSTOM}, beside={named[0] for named in described_there}, default=_CUSTOM)
    for named in described_there:
        prompt.add_unseen(most=_MOST_TOKENS, usual=_USUAL_TOKENS[named[1]])


def count_references(names: Sequence[str], tools: Sequence[object], prompt: Prompt) -> None:
    """Count the tools that messages refer to: each is shown where it is referred to.

    A client that looks for tools by itself answers so (Claude Code with ENABLE_TOOL_SEARCH).

    Args:
        names: Of tools, each as often as it is referred to.
        tools: Those that the request describes, in any place.
        prompt: Where they are counted.
    """
    if not names:
        return
    times = Counter(names)
    for tool in tools:
        if isinstance(tool, dict) and isinstance(name := tool.get("name"), str):
            prompt.add_unseen(most=times[name] * len(encode_body(tool)), usual=0)
