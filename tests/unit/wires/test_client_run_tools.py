"""Tools that the client runs, though only the provider describes them, or shows them later."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.responses import Responses
from creditcore.ports.inference import InferenceRequest
from tests.unit.wires.asking import Asking
from tests.unit.wires.test_addresses import PICTURE

HELLO = [{"role": "user", "content": "hello"}]
messages = Asking(Messages(), {"messages": HELLO, "max_tokens": 9})
responses = Asking(Responses(), {"input": "hello"})
TOOL = {"name": "f", "description": "x" * 1_000, "input_schema": {"type": "object"}}
FUNCTION = {"type": "function", "name": "f", "parameters": {}}
ADDED = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "f"}}


def bound(request: InferenceRequest) -> int:
    assert request.prompt_bound is not None
    return request.prompt_bound


def told(*found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a conversation in which the client has looked for tools by itself."""
    call = {"type": "tool_use", "id": "t", "name": "ToolSearch", "input": {"query": "f"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": list(found)}
    return [
        *HELLO,
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]


def ruled(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [*HELLO, {"role": "system", "content": list(parts)}]


def test_a_tool_that_a_client_found_is_counted_as_often_as_it_is_shown() -> None:
    deferred = [{**TOOL, "defer_loading": True}]
    reference = {"type": "tool_reference", "tool_name": "f"}

    none, once, twice = (
        messages.parse(messages=told(*[reference] * times), tools=deferred) for times in range(3)
    )

    assert messages.sent(once)["messages"] == told(reference)
    assert messages.sent(once)["tools"] == deferred
    assert bound(once) - bound(none) > 1_000
    assert bound(twice) - bound(once) > 1_000


def test_a_reference_to_a_tool_stands_in_a_result_and_names_it() -> None:
    reference = {"type": "tool_reference"}

    assert messages.refused(messages=told(reference)).code == "invalid_value"
    assert messages.refused(messages=[{"role": "user", "content": [reference]}]).code == (
        "unsupported_parameter"
    )


def test_tools_may_come_and_go_within_a_conversation() -> None:
    described = {"type": "tool_definition", "definition": TOOL}
    gone = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "f"}}
    conversation = ruled({"type": "tool_addition", "tool": described}, ADDED, gone)

    request = messages.parse(messages=conversation)

    assert messages.sent(request)["messages"] == conversation
    assert bound(request) > 2 * 1_000 + bound(messages.parse(messages=HELLO))


@pytest.mark.parametrize(
    ("tool", "place"),
    [
        ({"type": "mcp_toolset_reference", "server_name": "s"}, "tool.type"),
        (
            {"type": "tool_definition", "definition": {"type": "web_search_20250305"}},
            "tool.definition.type",
        ),
        ({"type": "tool_reference"}, "tool.name"),
        ("f", "tool"),
    ],
)
def test_no_tool_of_the_provider_comes_within_a_conversation(tool: object, place: str) -> None:
    error = messages.refused(messages=ruled({"type": "tool_addition", "tool": tool}))

    assert error.param == f"messages[1].content[0].{place}"


def test_a_message_of_the_system_may_change_the_effort() -> None:
    rules = [
        {"role": "system", "output_config": {"effort": "low"}},
        {"role": "system", "content": "Be brief.", "output_config": {"effort": "low"}},
    ]

    assert messages.sent(messages.parse(messages=[*HELLO, *rules]))["messages"][1:] == rules


@pytest.mark.parametrize(
    "beta",
    [
        "computer-use-2025-11-24",
        "inline-tools-2026-09-15",
        "mid-conversation-output-config-2026-07-01",
        "mid-conversation-tool-changes-2026-07-01",
    ],
)
def test_their_betas_go_with_them(beta: str) -> None:
    heard = Messages().hearing({"anthropic-beta": beta}.get)

    assert heard.upstream_headers == {"anthropic-beta": beta}


def test_a_computer_is_held_for() -> None:
    screen = {"type": "computer_20251124", "name": "computer", "display_width_px": 1_024}

    request = messages.parse(tools=[screen])

    assert messages.sent(request)["tools"] == [screen]
    assert bound(request) - bound(messages.parse(tools=[TOOL])) > 1_235 - 1_100


@pytest.mark.parametrize("kind", ["apply_patch", "computer", "local_shell", "shell", "tool_search"])
def test_a_tool_that_only_openai_describes_is_served_and_held_for(kind: str) -> None:
    tool = {"type": kind, "environment": {"type": "local"}, "execution": "client"}

    plain, one, two = (responses.parse(tools=[FUNCTION, *[tool] * times]) for times in range(3))

    assert responses.sent(one)["tools"][1] == tool
    assert bound(one) - bound(plain) > 4_000
    assert bound(two) - bound(one) == bound(one) - bound(plain)


def test_a_shell_that_names_no_place_runs_at_the_client() -> None:
    sent = responses.sent(responses.parse(tools=[{"type": "shell"}]))

    assert sent["tools"] == [{"type": "shell", "environment": {"type": "local"}}]


@pytest.mark.parametrize(
    ("tool", "place"),
    [
        ({"type": "shell", "environment": {"type": "container_auto"}}, "environment.type"),
        ({"type": "shell", "environment": "c"}, "environment.type"),
        ({"type": "tool_search"}, "execution"),
        ({"type": "tool_search", "execution": "server"}, "execution"),
        ({"type": "namespace", "tools": [{"type": "shell"}]}, "tools[0].type"),
    ],
)
def test_what_the_provider_would_run_is_told_how_to_run_it(
    tool: dict[str, Any], place: str
) -> None:
    error = responses.refused(tools=[tool])

    assert (error.param, error.code) == (f"tools[0].{place}", "unsupported_parameter")
    assert "None" not in str(error)


def test_what_such_tools_were_called_with_and_answered_goes_back() -> None:
    items = [
        {"type": "shell_call", "call_id": "1", "action": {"commands": ["ls"]}},
        {"type": "shell_call_output", "call_id": "1", "output": [{"stdout": "x" * 100}]},
        {"type": "local_shell_call", "call_id": "2", "action": {"type": "exec"}},
        {"type": "local_shell_call_output", "id": "2", "output": "{}"},
        {"type": "apply_patch_call", "call_id": "3", "operation": {"diff": "+x"}},
        {"type": "apply_patch_call_output", "call_id": "3", "status": "completed"},
        {"type": "tool_search_call", "call_id": "4", "execution": "client", "arguments": {}},
        {"type": "tool_search_output", "call_id": "4", "tools": [FUNCTION]},
        {"type": "additional_tools", "role": "developer", "tools": [FUNCTION]},
    ]

    request = responses.parse(input=[*HELLO, *items])

    assert responses.sent(request)["input"][1:] == items
    assert request.prompt_estimate > 25


def test_tools_that_come_later_are_those_that_the_client_runs() -> None:
    item = {"type": "tool_search_output", "call_id": "4", "tools": [{"type": "web_search"}]}

    assert responses.refused(input=[*HELLO, item]).param == "input[1].tools[0].type"


def test_what_a_computer_shows_is_an_image() -> None:
    def shown(**output: Any) -> dict[str, Any]:
        screenshot = {"type": "computer_screenshot", **output}
        return {"type": "computer_call_output", "call_id": "1", "output": screenshot}

    url = f"data:image/png;base64,{PICTURE}"

    assert bound(responses.parse(input=[shown(image_url=url)])) > 1_000
    assert responses.refused(input=[shown(file_id="f")]).param == "input[0].output.file_id"
    assert responses.refused(input=[{**shown(), "output": "x"}]).param == "input[0].output"


def test_a_patch_that_no_report_counts_is_counted_by_its_length() -> None:
    patch = {"type": "apply_patch_call", "operation": {"type": "update_file", "diff": "+" * 400}}
    meter = responses.wire.meter(responses.parse(), receipt=lambda _: {}, explain=failure_within)

    meter.feed(orjson.dumps({"id": "r", "output": [patch]}))
    meter.finish()

    assert meter.delivered_tokens > 100
