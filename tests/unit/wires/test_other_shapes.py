"""Errors and usage in the shapes of other servers than OpenAI's and Anthropic's."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within, refusal
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.responses import Responses
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Meter, Wire

HELLO = [{"role": "user", "content": "hello"}]
CHAT, MESSAGES, RESPONSES = ChatCompletions(), Messages(), Responses()
MINIMAL: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HELLO, "stream_options": {"include_usage": True}},
    "/v1/completions": {"prompt": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": HELLO, "max_tokens": 9},
    "/v1/embeddings": {"input": "hello"},
}
DONE = b"data: [DONE]\n\n"


def a_meter(wire: Wire, *, stream: bool = True) -> Meter:
    fields = {"model": "m", **MINIMAL[wire.endpoint]}
    if not stream:
        fields.pop("stream_options", None)
    request = wire.parse(orjson.dumps({**fields, "stream": stream}))
    return wire.meter(request, receipt=lambda _: {"cost": "1"}, explain=failure_within)


def event(document: object) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def chunk(finish_reason: str | None = None, **beside: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": "hi"}, "finish_reason": finish_reason}
    return event({"id": "c", "choices": [choice], **beside})


VLLM = {"object": "error", "message": "Died.", "type": "InternalServerError", "code": 500}
ERRORS: list[tuple[Any, int, str]] = [
    (VLLM, 500, "Died."),
    ({"message": "Died.", "code": 503}, 503, "Died."),
    ({"code": 500, "msg": "Died.", "success": False}, 500, "Died."),
    ({"error_code": 336003, "error_msg": "Died."}, 502, "Died."),
    ({"errors": [{"message": "Died."}]}, 502, "Died."),
    ([{"error": {"code": 503, "message": "Died.", "status": "UNAVAILABLE"}}], 503, "Died."),
    ({"choices": None, "base_resp": {"status_code": 1000, "status_msg": "Died."}}, 502, "Died."),
    (
        {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 20 seconds."},
        429,
        "The model receives too many requests right now. Try again in 20s.",
    ),
]


@pytest.mark.parametrize("wire", [CHAT, Completions(), RESPONSES, MESSAGES])
@pytest.mark.parametrize(("error", "status", "message"), ERRORS)
def test_an_error_of_any_shape_is_one(wire: Wire, error: Any, status: int, message: str) -> None:
    streamed, plain = a_meter(wire), a_meter(wire, stream=False)

    streamed.feed(event(error) + DONE)
    plain.feed(orjson.dumps(error))
    plain.finish()

    assert (streamed.error, streamed.complete) == (message, False)
    assert plain.failure is not None
    assert (getattr(plain.failure, "status", None), str(plain.failure)) == (status, message)


def test_a_refusal_keeps_what_the_client_can_act_on_whatever_its_shape() -> None:
    words = "This model's maximum context length is 8 tokens."
    for body in ({**VLLM, "message": words}, {"detail": words}, [{"error": {"message": words}}]):
        error = refusal(400, orjson.dumps(body), retry_after=None)
        assert (error.code, str(error)) == ("context_length_exceeded", words)


def test_a_wrong_address_is_no_wrong_request() -> None:
    error = refusal(404, b'{"detail":"Not Found"}', retry_after=None)

    assert isinstance(error, UpstreamUnavailableError)


@pytest.mark.parametrize(
    "words",
    [
        "Your credit balance is too low to access the Anthropic API.",
        "insufficient balance (1008)",
        "Billing hard limit has been reached",
        "API key not valid. Please pass a valid API key.",
        "Your organization must be verified to stream this model.",
    ],
)
def test_the_operators_account_at_a_provider_is_no_business_of_clients(words: str) -> None:
    error = refusal(400, orjson.dumps({"error": {"message": words}}), retry_after=None)

    assert isinstance(error, UpstreamUnavailableError)
    assert str(failure_within({"message": words})) == str(error)


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum prompt length is 131072 but the request contains 150000 tokens.",
        "prompt token count of 150000 exceeds the limit of 128000",
        "invalid params, context window exceeds limit (2013)",
        "Invalid request: Your request exceeded model token limit: 262144",
        "Prompt exceeds max length",
        "Range of input length should be [1, 98304]",
        "The number of tokens to keep from the initial prompt is greater than the context length.",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193.",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081",
        "Input tokens exceed the configured limit of 272000 tokens.",
    ],
)
def test_a_full_context_is_known_by_further_words(words: str) -> None:
    assert failure_within({"message": words}).code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 2m59.56s.", 180),
        ("Please try again in 1h12m0s", 4_320),
        ("Please retry in 34.07s.", 35),
        ("Please wait 12 seconds before retrying", 12),
        ("Retry after 30s", 30),
        ("Try again in 1 minute.", 60),
        ("Try again in 250ms", 1),
        ("Try again in a while", None),
    ],
)
def test_a_wait_is_read_in_any_unit(words: str, seconds: int | None) -> None:
    error = refusal(429, orjson.dumps({"error": {"message": words}}), retry_after=None)

    assert getattr(error, "retry_after_s", None) == seconds


GEMINI = {"promptTokenCount": 9, "candidatesTokenCount": 3, "thoughtsTokenCount": 2}
REPORTS: list[dict[str, Any]] = [
    {"prompt_tokens": 9, "total_tokens": 14},
    {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 14},
    {"completion_tokens": 5, "total_tokens": 14},
    {"promptTokens": 9, "completionTokens": 5},
    {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14},
    {"prompt_eval_count": 9, "eval_count": 5},
    {"prompt_cache_miss_tokens": 9, "completion_tokens": 5},
]


@pytest.mark.parametrize("wire", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("report", REPORTS)
def test_counts_are_found_under_other_names(wire: Wire, report: dict[str, Any]) -> None:
    meter = a_meter(wire, stream=False)

    meter.feed(orjson.dumps({"choices": [], "content": [], "output": [], "usage": report}))
    meter.finish()

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=5)


@pytest.mark.parametrize("wire", [CHAT, MESSAGES])
def test_hits_and_misses_of_the_cache_are_the_prompt(wire: Wire) -> None:
    meter = a_meter(wire, stream=False)
    usage = {"prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5, "completion_tokens": 5}

    meter.feed(orjson.dumps({"choices": [], "content": [], "usage": usage}))
    meter.finish()

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=5, cached_tokens=4)


def test_a_total_that_counts_the_cache_tells_no_side() -> None:
    meter = a_meter(MESSAGES, stream=False)
    usage = {"input_tokens": 9, "cache_read_input_tokens": 5, "total_tokens": 14}

    meter.feed(orjson.dumps({"content": [], "usage": usage}))
    meter.finish()

    assert meter.usage == Usage(prompt_tokens=14, cached_tokens=5)


def test_a_total_is_no_output_of_an_embedding() -> None:
    meter = a_meter(Embeddings(), stream=False)

    meter.feed(orjson.dumps({"data": [], "usage": {"prompt_tokens": 0, "total_tokens": 9}}))
    meter.finish()

    assert meter.usage == Usage(prompt_tokens=9)


@pytest.mark.parametrize("place", ["x_groq", "choice", "metadata"])
def test_usage_of_a_document_is_found_where_it_is_written(place: str) -> None:
    choice: dict[str, Any] = {"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}
    document: dict[str, Any] = {"choices": [choice]}
    usage = {"prompt_tokens": 9, "completion_tokens": 5}
    if place == "choice":
        choice["usage"] = usage
    elif place == "x_groq":
        document["x_groq"] = {"usage": usage}
    else:
        document["usageMetadata"] = {**GEMINI, "totalTokenCount": 14}
    meter = a_meter(CHAT, stream=False)

    meter.feed(orjson.dumps(document))
    meter.finish()

    assert meter.usage is not None
    assert (meter.usage.prompt_tokens, meter.usage.completion_tokens) == (9, 5)


def test_the_word_null_is_no_end() -> None:
    meter = a_meter(CHAT)

    meter.feed(chunk("null"))
    meter.finish()

    assert meter.error == "The answer broke off."


def message(
    begin: dict[str, int], end: dict[str, Any], *, stop: dict[str, Any] | None = None
) -> bytes:
    delta = {"type": "text_delta", "text": "hello"}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "usage": begin}},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, **end},
    ]
    if stop is not None:
        events.append({"type": "message_stop", **stop})
    return b"".join(map(event, events))


def in_messages(read: int, cached: int, written: int = 0) -> dict[str, int]:
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return dict(zip(names, (read, cached, written), strict=True))


@pytest.mark.parametrize(
    ("begin", "end", "prompt", "cached", "written"),
    [
        (in_messages(1000, 0), in_messages(0, 1000), 1000, 1000, 0),
        (in_messages(200, 800), in_messages(1000, 0), 1000, 0, 0),
        (in_messages(10, 0, 800), in_messages(10, 800, 0), 810, 800, 0),
        # Fewer than before: what is left out, not what was read.
        (in_messages(200, 800), in_messages(200, 0), 1000, 800, 0),
        (in_messages(1000, 0), in_messages(0, 0), 1000, 0, 0),
        # More than before: a 0 replaces no input, unless the report says that it is whole.
        (in_messages(1000, 0), in_messages(0, 3000), 4000, 3000, 0),
        (in_messages(1000, 0), in_messages(0, 3000) | {"total_tokens": 3050}, 3000, 3000, 0),
        (in_messages(10, 0, 800), in_messages(30, 900, 0), 930, 900, 0),
    ],
)
def test_tokens_that_turn_out_to_be_of_the_cache_are_counted_once(
    begin: dict[str, int], end: dict[str, int], prompt: int, cached: int, written: int
) -> None:
    meter = a_meter(MESSAGES)

    meter.feed(message(begin, {"usage": {**end, "output_tokens": 50}}, stop={}))

    assert meter.usage == Usage(
        prompt_tokens=prompt,
        completion_tokens=50,
        cached_tokens=cached,
        cache_write_tokens=written,
    )


def test_usage_of_a_message_is_found_where_it_is_written() -> None:
    usage = {"input_tokens": 9, "output_tokens": 5}
    bedrock = {"inputTokenCount": 9, "outputTokenCount": 5}
    for end, stop in (
        ({"delta": {"stop_reason": "end_turn", "usage": usage}}, {}),
        ({}, {"usage": usage}),
        ({}, {"amazon-bedrock-invocationMetrics": bedrock}),
        # What was told with the end stands.
        ({"usage": usage}, {"usage": {"input_tokens": 90, "output_tokens": 50}}),
    ):
        meter = a_meter(MESSAGES)
        meter.feed(message({}, end, stop=stop))
        assert meter.usage == Usage(prompt_tokens=9, completion_tokens=5)


def test_a_message_that_lacks_only_its_last_event_gets_it() -> None:
    for stop in (None, {}):
        meter = a_meter(MESSAGES)
        given = meter.feed(message({}, {"usage": {"output_tokens": 5}}, stop=stop))
        given += meter.finish()
        assert given.count(b"event: message_stop\n") == 1
        assert meter.error is None


def test_text_that_a_block_begins_with_is_delivered() -> None:
    meter = a_meter(MESSAGES)

    meter.feed(event({"type": "content_block_start", "content_block": {"text": "a" * 400}}))

    assert meter.delivered_tokens == 100


def test_usage_beside_a_response_is_its_usage() -> None:
    meter = a_meter(RESPONSES)
    usage = {"input_tokens": 9, "output_tokens": 5}
    end = {"type": "response.completed", "response": {"id": "r", "output": []}, "usage": usage}

    meter.feed(event(end))

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=5)


def begin(message: dict[str, Any], **beside: Any) -> bytes:
    return event({"type": "message_start", "message": {"id": "m", **message}, **beside})


@pytest.mark.parametrize(
    "begun",
    [
        begin({"usage": {"input_tokens": 9}}),
        begin({}, usage={"input_tokens": 9}),
        begin({}) + begin({"usage": {"input_tokens": 9, "output_tokens": 3}}),
        begin({"usage": {"input_tokens": 0}}) + begin({"usage": {"input_tokens": 9}}),
        begin({"usage": {"input_tokens": 9}}) + begin({"usage": {"input_tokens": 70}}),
    ],
    ids=["in it", "beside it", "in a second one", "in the second one", "in the first one"],
)
def test_input_that_a_message_begins_with_is_charged_where_it_breaks_off(begun: bytes) -> None:
    meter = a_meter(MESSAGES)
    delta = {"type": "text_delta", "text": "hello"}

    given = meter.feed(begun)
    meter.feed(event({"type": "content_block_delta", "index": 0, "delta": delta}))
    meter.finish()

    assert given.count(b"event: message_start\n") == 1
    assert meter.usage == Usage(prompt_tokens=9)
    assert meter.is_outdated


@pytest.mark.parametrize("kind", ["response.created", "response.in_progress"])
def test_input_that_a_response_begins_with_is_charged_where_it_breaks_off(kind: str) -> None:
    meter = a_meter(RESPONSES)
    usage = {"input_tokens": 9, "output_tokens": 1, "cost": 5}

    given = meter.feed(event({"type": kind, "response": {"id": "r", "usage": usage}}))
    meter.feed(event({"type": "response.output_text.delta", "delta": "hello"}))
    meter.finish()

    assert b"cost" not in given
    assert meter.usage == Usage(prompt_tokens=9)
    assert meter.is_outdated


NOTHING: list[dict[str, Any] | None] = [
    None,
    {},
    {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
]


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("stream", [True, False])
def test_usage_that_counts_nothing_hides_none_that_stands_elsewhere(
    nothing: dict[str, Any] | None, *, stream: bool
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5}
    timings = {"cache_n": 4, "prompt_n": 5, "predicted_n": 5, "predicted_ms": 1.5}
    said = "delta" if stream else "message"
    for elsewhere, cached in (({"x_groq": {"usage": usage}}, 0), ({"timings": timings}, 4)):
        meter = a_meter(CHAT, stream=stream)
        choice = {"index": 0, said: {"content": "hi"}, "finish_reason": "stop"}
        document = {"id": "c", "choices": [choice], "usage": nothing, **elsewhere}

        meter.feed(event(document) + DONE if stream else orjson.dumps(document))
        meter.finish()

        assert meter.usage == Usage(prompt_tokens=9, completion_tokens=5, cached_tokens=cached)


@pytest.mark.parametrize(
    ("reported", "prompt", "completion"),
    [
        ({"timings": {"cache_n": 4, "prompt_n": 5, "predicted_n": 2}}, 9, 2),
        ({"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 2}}, 9, 2),
        ({"usage": {"input_tokens": 9, "output_tokens": 2}}, 9, 2),
        ({"usage": {"completion_tokens": 2}}, 0, 2),
    ],
)
@pytest.mark.parametrize("wire", [CHAT, Completions()])
def test_a_client_that_asks_for_usage_finds_the_names_that_it_knows(
    wire: Wire, reported: dict[str, Any], prompt: int, completion: int
) -> None:
    said = {"text": "hi", "delta": {"content": "hi"}}
    choice = {"index": 0, **said, "finish_reason": "stop"}
    fields = {"model": "m", "stream": True, **MINIMAL[wire.endpoint]}
    request = wire.parse(orjson.dumps({**fields, "stream_options": {"include_usage": True}}))
    meter = wire.meter(request, receipt=lambda _: {"cost": "1"}, explain=failure_within)

    given = meter.feed(event({"id": "c", "choices": [choice], **reported}))

    usage = orjson.loads(given.removeprefix(b"data: "))["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (prompt, completion)
    assert (usage["total_tokens"], usage["cost"]) == (prompt + completion, "1")
