"""The text of a prompt is told by itself, and its bound is a part of the prompt's."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.responses import Responses
from creditcore.ports.inference import Wire
from tests.unit.wires.asking import Asking

CHAT = Asking(ChatCompletions(), {})
MESSAGES = Asking(Messages(), {"max_tokens": 9})
RESPONSES = Asking(Responses(), {})
COMPLETIONS = Asking(Completions(), {})
EMBEDDINGS = Asking(Embeddings(), {})

UNSEEN = 256
IMAGE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
    "hgGAWjR9awAAAABJRU5ErkJggg=="
)


def text_of(asking: Asking, **fields: Any) -> list[tuple[str, str]]:
    """Return who says what, having seen that its bound is a part of the prompt's."""
    request = asking.parse(**fields)
    text = asking.wire.text_of(request)
    if text is None:
        return []
    assert text.bound <= request.prompt_bound
    return list(text.messages)


def beside_text(asking: Asking, **fields: Any) -> int:
    """Return how much of the prompt's bound its text is not."""
    request = asking.parse(**fields)
    return request.prompt_bound - asking.wire.text_of(request).bound


def test_a_chat_is_told_message_by_message() -> None:
    said = text_of(
        CHAT,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": "Hello"},
            {"role": "tool", "tool_call_id": "1", "content": "42"},
        ],
    )

    assert said == [("user", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "42")]


def test_a_message_of_anthropic_is_told_with_system_and_results() -> None:
    said = text_of(
        MESSAGES,
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": "Hi"},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "1", "content": "42"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "2",
                        "content": [{"type": "text", "text": "43"}],
                    },
                ],
            },
        ],
    )

    assert [text for _, text in said] == ["Be brief.", "Hi", "42", "43"]


def test_a_response_is_told_with_instructions_and_outputs() -> None:
    said = text_of(
        RESPONSES,
        instructions="Be brief.",
        input=[
            {"type": "message", "role": "user", "content": "Hi"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
            {"type": "function_call", "call_id": "1", "name": "sum", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "42"},
        ],
    )

    assert said == [("user", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "42")]
    assert text_of(RESPONSES, input="Hi") == [("user", "Hi")]


def test_prompts_and_texts_to_embed_are_told() -> None:
    assert text_of(COMPLETIONS, prompt="Once") == [("user", "Once")]
    assert text_of(EMBEDDINGS, input="Once") == [("user", "Once")]
    assert text_of(EMBEDDINGS, input=["Once", "upon"]) == [("user", "Once"), ("user", "upon")]


def test_what_is_counted_already_or_in_parts_is_not() -> None:
    assert text_of(COMPLETIONS, prompt=["Once", "upon"]) == []
    assert text_of(COMPLETIONS, prompt=[1, 2]) == []
    assert text_of(EMBEDDINGS, input=[1, 2]) == []


@pytest.mark.parametrize(
    "part",
    [
        {"type": "text"},
        {"type": "text", "text": 5},
        {"type": "text", "text": None},
        {"type": [], "text": "Hi"},
        {"text": "Hi"},
        "Hi",
        None,
    ],
    ids=str,
)
def test_what_a_model_has_written_oddly_is_left_to_its_bytes(part: object) -> None:
    thought = {"type": "reasoning", "content": [part, {"type": "text", "text": "So it is."}]}

    assert text_of(RESPONSES, input=[thought]) == [("user", "So it is.")]


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_what_is_blank_is_left_to_its_bytes(blank: str) -> None:
    assert text_of(CHAT, messages=[{"role": "user", "content": blank}]) == []


def test_a_plain_message_is_text_with_all_that_is_written_of_it() -> None:
    message = {"role": "user", "content": 'Say "Hi"\n'}
    request = CHAT.parse(messages=[message])

    text = CHAT.wire.text_of(request)
    assert text.bound == len(orjson.dumps(message)) + len('"model":"m"') + UNSEEN


def test_numbers_and_switches_are_shown_to_no_model() -> None:
    said = {"messages": [{"role": "user", "content": "Hi"}]}

    more = beside_text(CHAT, **said, temperature=0.25, max_tokens=9, logprobs=True)

    # Commas stay.
    assert more == beside_text(CHAT, **said) + 3


TOOLS = [{"type": "function", "function": {"name": "sum", "parameters": {"type": "object"}}}]


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "content": "Hi", "name": "a name that counts"}]},
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {
                    "role": "assistant",
                    "tool_calls": [
                        {
                            "id": "1",
                            "type": "function",
                            "function": {"name": "sum", "arguments": '{"of": [1, 2, 3]}'},
                        }
                    ],
                },
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Hi"},
                        {"type": "image_url", "image_url": {"url": IMAGE}},
                    ],
                }
            ]
        },
        {"messages": [{"role": "user", "content": "Hi"}], "tools": TOOLS},
        {
            "messages": [{"role": "user", "content": "Hi"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer"}},
        },
    ],
    ids=["name", "tool call", "image", "tools", "schema"],
)
def test_what_a_count_may_miss_keeps_its_own_bound(fields: dict[str, Any]) -> None:
    plain = beside_text(CHAT, messages=[{"role": "user", "content": "Hi"}])

    least = len(orjson.dumps(fields)) - len(
        orjson.dumps({"messages": [{"role": "user", "content": "Hi"}]})
    )
    if "image_url" in str(fields):
        least = CHAT.parse(**fields).media_bound.most
    assert beside_text(CHAT, **fields) >= plain + least
    assert text_of(CHAT, **fields) == [("user", "Hi")]


TEXTS = st.text(max_size=50)
PARTS = st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS})
    | st.just({"type": "image_url", "image_url": {"url": IMAGE}}),
    max_size=3,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "assistant", "system"]), "content": TEXTS | PARTS},
            optional={"name": TEXTS, "reasoning_content": TEXTS},
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_bound_of_a_text_is_its_own_and_covers_it(messages: list[dict[str, Any]]) -> None:
    request = CHAT.parse(messages=messages)
    text = CHAT.wire.text_of(request)

    without = orjson.dumps({**request.fields, "messages": []})
    if text is not None:
        size = sum(len(said.encode()) for _, said in text.messages)
        assert size + UNSEEN <= text.bound
        written = request.prompt_bound - request.media_bound.most
        assert text.bound <= written - len(without) + len('{"model":"m"}')


@pytest.mark.parametrize(
    ("wire", "fields"),
    [
        (Completions(), {"prompt": "Once upon a time"}),
        (Embeddings(), {"input": ["Once", "upon"]}),
    ],
)
def test_the_bound_of_a_bare_text_is_its_bytes(wire: Wire, fields: dict[str, Any]) -> None:
    request = Asking(wire, {}).parse(**fields)
    text = wire.text_of(request)

    assert text.bound <= request.prompt_bound
    assert request.prompt_bound - text.bound <= 16
