"""What the installed SDKs of OpenAI and Anthropic can send is known here, by name.

A new release that adds a parameter, a kind of content or a kind of tool fails a test with its name:
then it is to be served, dropped, bounded or refused on purpose.
"""

from __future__ import annotations

import typing
from typing import Any, get_args, get_origin, get_type_hints

import anthropic.types as at_anthropic
import orjson
import pytest
from anthropic.types import message_create_params
from openai.types import (
    completion_create_params,
    embedding_create_params,
    image_generate_params,
    moderation_create_params,
)
from openai.types import responses as of_responses
from openai.types.audio import speech_create_params, transcription_create_params
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionToolUnionParam
from openai.types.chat import completion_create_params as chat_create_params
from openai.types.responses import response_create_params

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.images import Images
from adapters.wires.openai.moderations import Moderations
from adapters.wires.openai.responses import Responses
from adapters.wires.openai.speech import Speech
from adapters.wires.openai.transcriptions import Transcriptions
from creditcore.domain.errors import InvalidRequestError
from creditcore.ports.inference import Wire
from tests.unit.wires.test_transcriptions import Sound

HELLO = [{"role": "user", "content": "hello"}]
CHAT: tuple[Wire, dict[str, Any]] = (ChatCompletions(), {"messages": HELLO})
RESPONSES: tuple[Wire, dict[str, Any]] = (Responses(), {"input": "hello"})
MESSAGES: tuple[Wire, dict[str, Any]] = (Messages(), {"messages": HELLO, "max_tokens": 9})

PARAMETERS: list[tuple[Wire, dict[str, Any], Any]] = [
    (*CHAT, chat_create_params.CompletionCreateParamsBase),
    (Completions(), {"prompt": "x"}, completion_create_params.CompletionCreateParamsBase),
    (Embeddings(), {"input": "x"}, embedding_create_params.EmbeddingCreateParams),
    (*RESPONSES, response_create_params.ResponseCreateParamsBase),
    (Images(), {"prompt": "x"}, image_generate_params.ImageGenerateParamsBase),
    (Speech(), {"input": "x", "voice": "y"}, speech_create_params.SpeechCreateParams),
    (Moderations(), {"input": "x"}, moderation_create_params.ModerationCreateParams),
    (
        Transcriptions(Sound(b"x")),
        {},
        transcription_create_params.TranscriptionCreateParamsBase,
    ),
    (*MESSAGES, message_create_params.MessageCreateParamsBase),
]


def refusal(wire: Wire, fields: dict[str, Any]) -> InvalidRequestError | None:
    try:
        wire.parse(orjson.dumps({"model": "m", **fields}))
    except InvalidRequestError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("wire", "minimal", "declared"), PARAMETERS, ids=[wire.endpoint for wire, _, _ in PARAMETERS]
)
def test_every_parameter_of_the_sdk_is_known(
    wire: Wire, minimal: dict[str, Any], declared: type
) -> None:
    names = {name for part in declared.__mro__ for name in getattr(part, "__annotations__", ())}

    unknown = set()
    for name in names:
        error = refusal(wire, {**minimal, name: {"?": 1}})
        if error is not None and error.code == "unknown_parameter" and error.param == name:
            unknown.add(name)

    assert names
    assert unknown == set()


def kinds(declared: Any) -> set[str]:
    """Return what may stand under ``type`` in a union of typed dictionaries."""
    found: set[str] = set()
    for member in get_args(declared) or [declared]:
        if get_origin(member) is not None:
            found |= kinds(member)
        elif "type" in getattr(member, "__annotations__", {}):
            found |= set(_words(get_type_hints(member)["type"]))
    return found


def _words(hint: Any) -> typing.Iterator[str]:
    if isinstance(hint, str):
        yield hint
    for inner in get_args(hint):
        yield from _words(inner)


# What is served of it; all else in the table is refused by its place.
KINDS: dict[str, tuple[Any, set[str], set[str]]] = {
    "content of chat": (
        ChatCompletionContentPartParam,
        {"file", "image_url", "text"},
        {"input_audio"},
    ),
    "tools of chat": (ChatCompletionToolUnionParam, {"custom", "function"}, set()),
    "content of responses": (
        of_responses.ResponseInputContentParam,
        {"input_file", "input_image", "input_text"},
        set(),
    ),
    "input of responses": (
        of_responses.ResponseInputItemParam,
        {
            "additional_tools",
            "apply_patch_call",
            "apply_patch_call_output",
            "computer_call",
            "computer_call_output",
            "custom_tool_call",
            "custom_tool_call_output",
            "function_call",
            "function_call_output",
            "local_shell_call",
            "local_shell_call_output",
            "message",
            "reasoning",
            "shell_call",
            "shell_call_output",
            "tool_search_call",
            "tool_search_output",
        },
        # Tools of the provider, what it stores, and what changes a conversation there.
        {
            "code_interpreter_call",
            "compaction",
            "compaction_trigger",
            "configuration_update",
            "file_search_call",
            "image_generation_call",
            "item_reference",
            "mcp_approval_request",
            "mcp_approval_response",
            "mcp_call",
            "mcp_list_tools",
            "program",
            "program_output",
            "web_search_call",
        },
    ),
    "tools of responses": (
        of_responses.ToolParam,
        {
            "apply_patch",
            "computer",
            "custom",
            "function",
            "local_shell",
            "namespace",
            "shell",
            "tool_search",
        },
        {
            "code_interpreter",
            "computer_use_preview",
            "file_search",
            "image_generation",
            "mcp",
            "programmatic_tool_calling",
            "web_search",
            "web_search_2025_08_26",
            "web_search_preview",
            "web_search_preview_2025_03_11",
        },
    ),
    "content of messages": (
        at_anthropic.ContentBlockParam,
        {
            "document",
            "image",
            "redacted_thinking",
            "search_result",
            "text",
            "thinking",
            "tool_result",
            "tool_use",
        },
        {
            "bash_code_execution_tool_result",
            "code_execution_tool_result",
            "container_upload",
            "server_tool_use",
            "text_editor_code_execution_tool_result",
            "tool_search_tool_result",
            "web_fetch_tool_result",
            "web_search_tool_result",
        },
    ),
    "tools of messages": (
        at_anthropic.ToolUnionParam,
        {
            "bash_20250124",
            "custom",
            "memory_20250818",
            "text_editor_20250124",
            "text_editor_20250429",
            "text_editor_20250728",
        },
        {
            "browser_toolset_20260801",
            "code_execution_20250522",
            "code_execution_20250825",
            "code_execution_20260120",
            "code_execution_20260521",
            "computer_toolset_20260801",
            "tool_search_tool_bm25",
            "tool_search_tool_bm25_20251119",
            "tool_search_tool_regex",
            "tool_search_tool_regex_20251119",
            "web_fetch_20250910",
            "web_fetch_20260209",
            "web_fetch_20260309",
            "web_fetch_20260318",
            "web_search_20250305",
            "web_search_20260209",
            "web_search_20260318",
        },
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_that_the_sdk_can_send_has_its_verdict(name: str) -> None:
    declared, served, refused = KINDS[name]

    assert kinds(declared) == served | refused


def asking(name: str, kind: str) -> tuple[Wire, dict[str, Any]]:
    """Return a request with a thing of this kind and nothing else in it."""
    thing: dict[str, Any] = {"type": kind}
    of_chat = "chat" in name
    wire, minimal = CHAT if of_chat else RESPONSES if "responses" in name else MESSAGES
    if name.startswith("tools"):
        return wire, {**minimal, "tools": [{**thing, "tools": [], "execution": "client"}]}
    if name.startswith("input"):
        return wire, {**minimal, "input": [{**thing, "role": "user", "content": "", "output": ""}]}
    messages = [{"role": "user", "content": [thing]}]
    return wire, {**minimal, "input" if "responses" in name else "messages": messages}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, (_, _, no) in KINDS.items() for kind in sorted(no)]
)
def test_what_is_not_served_is_refused_by_its_place(name: str, kind: str) -> None:
    error = refusal(*asking(name, kind))

    assert error is not None
    assert error.code == "unsupported_parameter"
    assert (error.param or "").endswith(".type")


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, (_, yes, _) in KINDS.items() for kind in sorted(yes)]
)
def test_what_is_served_is_not_refused_for_its_kind(name: str, kind: str) -> None:
    error = refusal(*asking(name, kind))

    assert error is None or error.code != "unsupported_parameter"
