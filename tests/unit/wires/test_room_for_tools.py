"""Where a model is told about tools, there is room for what its provider says of them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.responses import Responses
from creditcore.domain.pricing import ImageCount
from creditcore.domain.pricing.text_bound import text_bound
from tests.unit.wires.asking import Asking

CHAT = Asking(ChatCompletions(), {"messages": [{"role": "user", "content": "Hi"}]})
MESSAGES = Asking(Messages(), {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]})
RESPONSES = Asking(Responses(), {"input": "Hi"})

SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
ADDED = {"type": "tool_definition", "definition": {"name": "look", "input_schema": {}}}
ADDS_TOOL = {"role": "system", "content": [{"type": "tool_addition", "tool": ADDED}]}
LATER = {
    "type": "additional_tools",
    "role": "developer",
    "tools": [{"type": "custom", "name": "a"}],
}

CLAUDE = frozenset({ImageCount.CLAUDE_4_7})
MOST_FOR_TOOLS = 800
"""The most that Anthropic's page on tool use has, about."""


def room(asking: Asking, fields: dict[str, Any]) -> int:
    """Return what a prompt is held for on Claude, beside what is written of it."""
    request = asking.parse(**fields)
    assert request.prompt_bound is not None
    by_bytes = request.prompt_bound
    written = by_bytes - request.text_size.unseen
    return text_bound(by_bytes, request.text_size, CLAUDE) - written


@pytest.mark.parametrize(
    ("asking", "fields"),
    [
        (CHAT, {"tools": [{"type": "function", "function": {"name": "look"}}]}),
        (CHAT, {"functions": [{"name": "look"}]}),
        (CHAT, {"response_format": SCHEMA}),
        (CHAT, {"response_format": {"type": "json_object"}}),
        (MESSAGES, {"tools": [{"name": "look", "input_schema": {}}]}),
        (MESSAGES, {"output_format": SCHEMA}),
        (MESSAGES, {"output_config": {"format": SCHEMA, "effort": "low"}}),
        (MESSAGES, {"messages": [*MESSAGES.minimal["messages"], ADDS_TOOL]}),
        (RESPONSES, {"tools": [{"type": "custom", "name": "look"}]}),
        (RESPONSES, {"text": {"format": SCHEMA}}),
        (RESPONSES, {"input": [{"role": "user", "content": "Hi"}, LATER]}),
    ],
)
def test_there_is_room_for_what_is_said_of_tools(asking: Asking, fields: dict[str, Any]) -> None:
    assert room(asking, fields) >= MOST_FOR_TOOLS


@pytest.mark.parametrize(
    ("asking", "fields"),
    [
        (CHAT, {}),
        (CHAT, {"response_format": {"type": "text"}}),
        (MESSAGES, {"output_config": {"effort": "low"}}),
        (RESPONSES, {"text": {"verbosity": "low"}}),
        (RESPONSES, {"text": {"format": {"type": "text"}}}),
    ],
)
def test_there_is_none_where_no_tools_are(asking: Asking, fields: dict[str, Any]) -> None:
    assert room(asking, fields) == 32
