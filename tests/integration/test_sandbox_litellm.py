"""The LiteLLM stand-in answers as the recorded proxy did, and misbehaves when a prompt says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.integration.sandbox_client import Client, text_of
from tests.stack import PATIENCE_S

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "enum": ["Nairobi"]},
                "days": {"type": "integer"},
            },
        },
    },
}


def test_plain_answer_has_the_recorded_shape(litellm: Client) -> None:
    answer = litellm.chat("one two three").json()

    assert answer["object"] == "chat.completion"
    (choice,) = answer["choices"]
    assert (choice["finish_reason"], choice["message"]["role"]) == ("stop", "assistant")
    words = len(choice["message"]["content"].split())
    assert answer["usage"] == {
        "completion_tokens": words,
        "prompt_tokens": 7,
        "total_tokens": 7 + words,
        "completion_tokens_details": {"reasoning_tokens": 0},
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def test_headers_tell_what_a_gateway_must_hide(litellm: Client) -> None:
    litellm.http.headers["x-litellm-call-id"] = "call-7"

    plain = litellm.chat("[[sim prompt=1000 tokens=500]]").headers
    streamed = litellm.chat(stream=True).headers

    assert plain["x-litellm-call-id"] == streamed["x-litellm-call-id"] == "call-7"
    assert float(plain["x-litellm-response-cost"]) == pytest.approx(1000 * 1e-6 + 500 * 4e-6)
    assert "x-litellm-response-cost" not in streamed
    assert {"x-litellm-model-id", "x-litellm-model-api-base", "llm_provider-x-request-id"} <= {
        *plain
    } & {*streamed}


def test_unpriced_model_has_no_cost_header(litellm: Client) -> None:
    assert "x-litellm-response-cost" not in litellm.chat(model="demo-unpriced").headers


def test_both_spellings_of_the_route_answer(litellm: Client) -> None:
    body = {"model": "demo-chat", "messages": [{"role": "user", "content": "hi"}]}

    answer = litellm.http.post(f"{litellm.base}/chat/completions", json=body, timeout=PATIENCE_S)

    assert answer.status_code == 200


def test_several_choices_cost_several_times(litellm: Client) -> None:
    answer = litellm.chat("[[sim tokens=5]]", n=3).json()

    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert answer["usage"]["completion_tokens"] == 15


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_output_stops_at_the_limit(litellm: Client, field: str) -> None:
    limit: dict[str, Any] = {field: 2}

    answer = litellm.chat("[[sim tokens=9]]", **limit).json()

    assert answer["choices"][0]["message"]["content"] == "token 0 token 1"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 2


def test_reasoning_counts_against_the_limit(litellm: Client) -> None:
    usage = litellm.chat("[[sim tokens=9 reasoning=4]]", max_tokens=6).json()["usage"]

    assert (usage["completion_tokens"], usage["completion_tokens_details"]["reasoning_tokens"]) == (
        6,
        4,
    )


def test_faulty_provider_ignores_the_limit(litellm: Client) -> None:
    assert (
        litellm.chat("[[sim tokens=9 ignore_max=1]]", max_tokens=2).json()["usage"][
            "completion_tokens"
        ]
        == 9
    )


def test_reasoning_model_reasons_unasked(litellm: Client) -> None:
    usage = litellm.chat("[[sim tokens=3]]", model="demo-reasoning").json()["usage"]

    assert (
        usage["completion_tokens"] == 3 + usage["completion_tokens_details"]["reasoning_tokens"] > 3
    )


def test_long_prompts_reach_the_upper_price_tier(litellm: Client) -> None:
    answer = litellm.chat(
        "[[sim tokens=10 prompt=200001 cached=1000 cache_write=500]]", model="claude-sonnet-4-5"
    )

    expected = 198501 * 6e-6 + 1000 * 6e-7 + 500 * 7.5e-6 + 10 * 2.25e-5
    assert float(answer.headers["x-litellm-response-cost"]) == pytest.approx(expected)
    usage = answer.json()["usage"]
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (1000, 500)


def test_image_parts_are_accepted(litellm: Client) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}

    answer = litellm.chat([{"type": "text", "text": "look [[sim tokens=2]]"}, image]).json()

    assert answer["choices"][0]["message"]["content"] == "token 0 token 1"
    assert answer["usage"]["prompt_tokens"] == 3 + 4 + 250


def test_json_is_answered_when_wanted(litellm: Client) -> None:
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}, "tags": {"type": "array"}},
    }

    plain = litellm.chat(response_format={"type": "json_object"}).json()
    shaped = litellm.chat(
        response_format={"type": "json_schema", "json_schema": {"schema": schema}}
    ).json()

    assert "answer" in json.loads(plain["choices"][0]["message"]["content"])
    assert json.loads(shaped["choices"][0]["message"]["content"]) == {
        "ok": True,
        "tags": ["example"],
    }


def test_tool_is_called_and_its_result_answered_in_text(litellm: Client) -> None:
    user = {"role": "user", "content": "weather?"}
    message = litellm.chat(messages=[user], tools=[WEATHER]).json()["choices"][0]["message"]
    call = message["tool_calls"][0]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}

    after = litellm.chat(messages=[user, message, result], tools=[WEATHER]).json()["choices"][0]

    assert message["content"] is None
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Nairobi", "days": 1}
    assert (after["finish_reason"], bool(after["message"]["content"])) == ("stop", True)


def test_a_script_names_the_tool_and_its_argument(litellm: Client) -> None:
    other = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    order = "[[sim tool=get_weather argument='city=Kisumu, by the lake']]"

    [called, unknown] = [
        litellm.chat(order, tools=tools).json()["choices"][0]
        for tools in ([other, WEATHER], [other])
    ]

    [call] = called["message"]["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"])["city"] == "Kisumu, by the lake"
    assert unknown["finish_reason"] == "stop"


def test_no_tool_is_called_when_forbidden(litellm: Client) -> None:
    assert (
        litellm.chat(tools=[WEATHER], tool_choice="none").json()["choices"][0]["finish_reason"]
        == "stop"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"function": 1}, 2], "tool_choice": {"function": 3}},
        {
            "tools": [
                {
                    "function": {
                        "name": "f",
                        "parameters": {"type": "object", "properties": {"a": True}},
                    }
                }
            ]
        },
        {"response_format": {"type": "json_schema", "json_schema": 1}},
        {"stream_options": 1, "n": "x", "max_tokens": -1},
    ],
)
def test_odd_fields_do_no_harm(litellm: Client, fields: dict[str, Any]) -> None:
    assert litellm.chat(**fields).status_code == 200


def test_stream_has_the_recorded_shape(litellm: Client) -> None:
    events = litellm.events("[[sim tokens=2]]")

    *chunks, finish, usage, done = events
    assert [chunk["choices"] for chunk in chunks] == [
        [{"index": 0, "delta": {"role": "assistant", "content": "token 0"}}],
        [{"index": 0, "delta": {"content": " token 1"}}],
    ]
    assert finish["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert not any("usage" in chunk for chunk in [*chunks, finish])
    assert usage["choices"] == [{"index": 0, "delta": {}}]
    assert usage["usage"]["completion_tokens"] == 2
    assert done == "[DONE]"


def test_usage_comes_only_when_asked_for(litellm: Client) -> None:
    assert not any("usage" in event for event in litellm.events(stream_options={})[:-1])


def test_default_stream_arrives_word_by_word(litellm: Client) -> None:
    events = litellm.events()

    assert text_of(events).startswith("Hello from the sandbox.")
    assert len(events) > 10


def test_tool_arguments_stream_in_pieces(litellm: Client) -> None:
    events = litellm.events(tools=[WEATHER])

    deltas = [event["choices"][0]["delta"]["tool_calls"][0] for event in events[:-3]]
    assert deltas[0]["function"]["name"] == "get_weather"
    assert all("id" not in delta for delta in deltas[1:])
    assert (
        json.loads("".join(delta["function"]["arguments"] for delta in deltas))["city"] == "Nairobi"
    )
    assert events[-3]["choices"][0]["finish_reason"] == "tool_calls"


def test_choices_stream_side_by_side(litellm: Client) -> None:
    events = litellm.events("[[sim tokens=2]]", n=2)

    assert [event["choices"][0]["index"] for event in events[:6]] == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("kind", "completion"),
    [("zero", 0), ("negative", -3), ("absurd", 10**15), ("string", "3"), ("missing", None)],
)
def test_usage_can_be_falsified(litellm: Client, kind: str, completion: object) -> None:
    prompt = f"[[sim tokens=3 usage={kind}]]"

    streamed = [
        event["usage"]["completion_tokens"]
        for event in litellm.events(prompt)[:-1]
        if "usage" in event
    ]
    plain = litellm.chat(prompt).json().get("usage", {}).get("completion_tokens")

    assert streamed == ([] if completion is None else [completion])
    assert plain == completion


def test_reported_cost_can_be_falsified(litellm: Client) -> None:
    prompt = "[[sim tokens=3 cost=0.5]]"

    assert litellm.events(prompt)[-2]["usage"]["cost"] == 0.5
    assert litellm.chat(prompt).headers["x-litellm-response-cost"] == "0.5"


def test_early_usage_rides_on_text(litellm: Client) -> None:
    events = litellm.events("[[sim tokens=2 usage_early=1]]")

    (chunk,) = [event for event in events[:-1] if "usage" in event]
    assert chunk["choices"][0]["delta"]["content"] == " token 1"


def test_stream_can_look_like_openai(litellm: Client) -> None:
    events = litellm.events("[[sim tokens=2 openai=1]]")

    assert [event["usage"] for event in events[:-2]] == [None, None, None]
    assert events[-2]["choices"] == []


def test_done_can_be_missing(litellm: Client) -> None:
    assert litellm.events("[[sim tokens=2 done=0]]")[-1]["usage"]["completion_tokens"] == 2


def test_error_in_the_stream_ends_it(litellm: Client) -> None:
    events = litellm.events("[[sim tokens=9 error_after=2]]")

    assert text_of(events) == "token 0 token 1"
    assert events[-1]["error"]["code"] == "500"


@pytest.mark.parametrize("stream", [True, False])
def test_connection_can_be_cut(litellm: Client, stream: bool) -> None:
    with pytest.raises(requests.RequestException):
        _ = litellm.chat("[[sim tokens=9 cut_after=3]]", stream=stream).content

    call = litellm.last_call(lambda call: call["ended_at"] is not None)
    assert (call["finished"], call["tokens_sent"]) == (False, 3 if stream else 0)


def test_lines_can_end_in_crlf_with_comments_between(litellm: Client) -> None:
    raw = litellm.chat("[[sim tokens=2 crlf=1 comment=1]]", stream=True).content

    assert raw.count(b": OPENROUTER PROCESSING\r\n\r\n") == 2
    assert raw.replace(b"\r\n", b"").count(b"\n") == 0


def test_bytes_can_drip(litellm: Client) -> None:
    with litellm.chat("[[sim tokens=2 drip_bytes=7]]", stream=True) as answer:
        pieces = list(answer.iter_content(None))

    assert max(map(len, pieces)) <= 7
    assert b"".join(pieces).endswith(b"data: [DONE]\n\n")


def test_delays_spread_the_tokens(litellm: Client) -> None:
    with litellm.chat("[[sim tokens=4 first_ms=60 delay_ms=40]]", stream=True) as answer:
        _ = answer.content

    call = litellm.last_call(lambda call: call["finished"])
    assert call["ended_at"] - call["started_at"] >= 0.06 + 3 * 0.04


@pytest.mark.parametrize(
    "prompt",
    ["[[sim tokens=9 hang_after=2]]", "[[sim tokens=9 delay_ms=60000]]", "[[sim tokens=200000]]"],
)
def test_leaving_a_stream_is_noticed(litellm: Client, prompt: str) -> None:
    answer = litellm.chat(prompt, stream=True)
    # The iterator has to stay alive: forgetting it closes the connection.
    parts = answer.iter_content(1)
    next(parts)
    assert litellm.calls(summary=1) == {"total": 1, "open": 1, "max_open": 1}

    answer.close()

    call = litellm.last_call(lambda call: call["ended_at"] is not None)
    assert (call["closed_by_client"], call["finished"]) == (True, False)
    assert litellm.calls(summary=1)["open"] == 0


@pytest.mark.parametrize("prompt", ["[[sim hang=1]]", "[[sim first_ms=60000]]"])
def test_leaving_before_the_headers_is_noticed(litellm: Client, prompt: str) -> None:
    body = {"model": "demo-chat", "messages": [{"role": "user", "content": prompt}]}
    with pytest.raises(requests.ReadTimeout):
        litellm.http.post(
            f"{litellm.base}/v1/chat/completions", json=body, timeout=(PATIENCE_S, 0.2)
        )

    call = litellm.last_call(lambda call: call["ended_at"] is not None)

    assert (call["closed_by_client"], call["status"]) == (True, 0)
