"""What clients note beside a message for themselves."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from tests.unit.wires.asking import Asking

HELLO = {"role": "user", "content": "hello"}
ANSWER = {"role": "assistant", "content": "hi"}
BOTH = pytest.mark.parametrize(
    "asking",
    [Asking(ChatCompletions(), {}), Asking(Messages(), {"max_tokens": 9})],
    ids=["chat", "messages"],
)


def noted(**beside: Any) -> list[dict[str, Any]]:
    return [HELLO, {**ANSWER, **beside}, HELLO]


@BOTH
@pytest.mark.parametrize(
    "beside",
    [
        {"createdAt": "2026-11-30T20:00:00.000Z", "isError": False, "weight": 1},
        {"stop_reason": "end_turn", "type": "message", "usage": {"input_tokens": 1}},
        {"files": [], "additional_kwargs": {}, "mask": "", "score": 0.5},
        {"uuid": "c1a9b8d2-6a53-4f0e-9a51-2a6c9f1f0c11", "metadata": {"source": "a tool"}},
    ],
)
def test_a_message_goes_without_the_notes_beside_it(asking: Asking, beside: dict[str, Any]) -> None:
    assert asking.sent(asking.parse(messages=noted(**beside)))["messages"] == noted()


@BOTH
@pytest.mark.parametrize(
    "value",
    [
        "as it was said before",
        "x" * 129,
        "two\nlines",
        "\u4f60\u597d\u5417",
        ["a.png"],
        {"text": "hello"},
    ],
)
def test_what_may_be_meant_for_the_model_is_not_lost(asking: Asking, value: object) -> None:
    error = asking.refused(messages=noted(context=value))

    assert (error.param, error.code) == ("messages[1].context", "unknown_parameter")


@BOTH
@pytest.mark.parametrize("said", [{}, {"content": ""}, {"content": None}])
def test_a_word_beside_nothing_may_be_the_message(asking: Asking, said: dict[str, Any]) -> None:
    error = asking.refused(messages=[{"role": "user", "text": "hello", **said}])

    assert error.param == "messages[0].text"


@pytest.mark.parametrize("name", ["reasoning_text", "reasoning_opaque"])
def test_reasoning_goes_back_under_the_name_that_it_came_with(name: str) -> None:
    asking = Asking(ChatCompletions(), {})

    request = asking.parse(messages=noted(**{name: "because " * 50}))

    assert asking.sent(request)["messages"][1][name] == "because " * 50
    assert request.prompt_estimate > 100
