"""Fields that a program sends although nobody has filled them in, or in another spelling."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.responses import Responses
from tests.unit.wires.asking import Asking

HELLO = [{"role": "user", "content": "hello"}]
CHAT = Asking(ChatCompletions(), {"messages": HELLO})
RESPONSES = Asking(Responses(), {"input": "hello"})
MESSAGES = Asking(Messages(), {"messages": HELLO, "max_tokens": 9})
ALL = [
    CHAT,
    RESPONSES,
    MESSAGES,
    Asking(Completions(), {"prompt": "hello"}),
    Asking(Embeddings(), {"input": "hello"}),
]
EVERYWHERE = pytest.mark.parametrize("asking", ALL, ids=[it.wire.endpoint for it in ALL])


@EVERYWHERE
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("container", {}),
        ("conversation", {}),
        ("extra_body", {}),
        ("fallbacks", []),
        ("n_probs", False),
        ("previous_response_id", ""),
        ("provider", {}),
        ("tags", []),
        ("unheard_of", ""),
    ],
)
def test_an_empty_field_means_what_absence_means(asking: Asking, name: str, value: Any) -> None:
    assert asking.sent(asking.parse(**{name: value})) == asking.sent(asking.parse())


@EVERYWHERE
@pytest.mark.parametrize("name", ["search_parameters", "web_search_options"])
def test_a_search_is_asked_for_even_by_an_empty_field(asking: Asking, name: str) -> None:
    error = asking.refused(**{name: {}})

    assert error.code == "unsupported_parameter"
    assert str(error).endswith("run them yourself as a tool.")


@EVERYWHERE
@pytest.mark.parametrize("name", ["n_probs", "unheard_of"])
def test_zero_is_a_number_that_somebody_filled_in(asking: Asking, name: str) -> None:
    assert asking.refused(**{name: 0}).code == "unknown_parameter"


@EVERYWHERE
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("drop_params", True),
        ("mcp_servers", [{"type": "url"}]),
        ("provider", {"order": ["x"]}),
        ("speed", "fast"),
    ],
)
def test_what_is_refused_says_what_to_do_instead(asking: Asking, name: str, value: Any) -> None:
    said = str(asking.refused(**{name: value}))

    assert said.startswith(f"{name!r} is not supported here. ")
    assert said.endswith(".")


@pytest.mark.parametrize("asking", [CHAT, MESSAGES], ids=["chat", "messages"])
def test_a_whole_number_may_be_written_with_a_point(asking: Asking) -> None:
    request = asking.parse(max_tokens=1024.0, top_k=40.0)

    assert request.output_limit == 1_024
    assert (asking.sent(request)["max_tokens"], asking.sent(request)["top_k"]) == (1_024, 40)
    assert type(asking.sent(request)["top_k"]) is int


@pytest.mark.parametrize("value", [1.5, 1e300, "1024", True])
def test_no_other_value_is_a_whole_number(value: object) -> None:
    assert CHAT.refused(max_tokens=value).param == "max_tokens"
    assert CHAT.refused(seed=value).param == "seed"


@pytest.mark.parametrize(
    ("asking", "name"),
    [(CHAT, "max_tokens"), (CHAT, "max_completion_tokens"), (RESPONSES, "max_output_tokens")],
)
def test_minus_one_is_no_limit(asking: Asking, name: str) -> None:
    request = asking.parse(**{name: -1})

    assert request.output_limit is None
    assert name not in asking.sent(request)
    assert (
        asking.sent(request, output_bound=7)[
            name if name != "max_completion_tokens" else ("max_tokens")
        ]
        == 7
    )


def test_context_management_may_be_without_edits() -> None:
    assert MESSAGES.sent(MESSAGES.parse(context_management={}))["context_management"] == {}


@pytest.mark.parametrize("asking", [CHAT, RESPONSES, ALL[3]])
def test_options_of_a_stream_that_are_not_known_are_no_reason_to_refuse(asking: Asking) -> None:
    options = {"reasoning_summary_delivery": "sequential_cutoff", "include_usage": None}

    whole, streamed = (
        asking.parse(stream_options=options),
        asking.parse(stream=True, stream_options=options),
    )

    assert "stream_options" not in asking.sent(whole)
    assert asking.sent(streamed) == asking.sent(asking.parse(stream=True))


def test_what_tools_of_the_provider_would_leave_in_an_answer_is_not_asked_for() -> None:
    wanted = ["web_search_call.action.sources", "message.output_text.logprobs"]

    sent = RESPONSES.sent(RESPONSES.parse(include=wanted))

    assert sent["include"] == ["message.output_text.logprobs", "reasoning.encrypted_content"]


def test_an_item_whose_type_is_null_is_a_message() -> None:
    request = RESPONSES.parse(input=[{"type": None, **HELLO[0]}])

    assert RESPONSES.sent(request)["input"] == HELLO
