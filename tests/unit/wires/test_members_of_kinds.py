"""What providers, relays and clients of today send beside what was met in the field."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within, refusal
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.responses import Responses
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Meter
from tests.unit.wires.asking import Asking

HELLO = [{"role": "user", "content": "hi"}]
chat, embeddings = (
    Asking(ChatCompletions(), {"messages": HELLO}),
    Asking(Embeddings(), {"input": "hi"}),
)
COUNTS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def a_meter(*, stream: bool = True) -> Meter:
    request = chat.parse(stream=stream)
    return chat.wire.meter(request, receipt=lambda _: {"cost": "1"}, explain=failure_within)


def event(document: object) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def chunk(content: str, finish_reason: str | None = None, **beside: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return {"id": "c", "choices": [choice], **beside}


def test_how_an_answer_is_decoded_and_shown_is_passed_on() -> None:
    of_groq = {"reasoning_format": "parsed", "disable_tool_validation": True}
    of_vllm = {
        "guided_json": {"type": "object"},
        "stop_token_ids": [2],
        "skip_special_tokens": True,
    }
    of_sglang = {"separate_reasoning": True}
    passed = {**of_groq, **of_vllm, **of_sglang}

    sent = chat.sent(chat.parse(**passed, priority=9, timings_per_token=True, thread_id="t"))

    assert passed.items() <= sent.items()
    assert sent.keys().isdisjoint({"priority", "timings_per_token", "thread_id"})


def test_how_local_servers_sample_is_passed_on() -> None:
    of_llama_cpp = {"mirostat": 0, "repeat_last_n": 64, "grammar": "root ::= 'a'", "tfs_z": 1}
    of_koboldcpp = {"xtc_probability": 0.1, "dry_multiplier": 0.8, "dry_sequence_breakers": ["."]}
    of_vllm = {"bad_words": ["a"], "allowed_token_ids": [1], "guided_decoding_backend": "auto"}
    of_litellm = {"cache_control": {"type": "ephemeral"}}
    passed = {**of_llama_cpp, **of_koboldcpp, **of_vllm, **of_litellm, "regex": "a", "ebnf": "b"}

    request = chat.parse(**passed, samplers=["top_k"], slot_id=-1)

    assert passed.items() <= chat.sent(request).items()
    assert chat.sent(request).keys().isdisjoint({"samplers", "slot_id"})
    assert not request.long_cache
    assert chat.parse(cache_control={"type": "ephemeral", "ttl": "1h"}).long_cache


@pytest.mark.parametrize(
    ("name", "harmless", "costly"),
    [
        ("plugins", [], [{"id": "web"}]),  # OpenRouter
        ("models", [], ["another"]),
        ("transforms", [], ["middle-out"]),
        ("service_tier", "on_demand", "flex"),  # Groq
        ("search_parameters", {"mode": "off"}, {"mode": "auto"}),  # xAI
        ("enable_search", False, True),  # Qwen
        ("vl_high_resolution_images", False, True),
        ("deferred", False, True),
        ("best_of", 1, 2),  # vLLM
    ],
)
def test_what_costs_by_use_is_taken_where_it_is_off(name: str, harmless: Any, costly: Any) -> None:
    assert name not in chat.sent(chat.parse(**{name: harmless}))
    assert chat.refused(**{name: costly}).code == "unsupported_parameter"


def test_filters_are_the_operators_alone() -> None:
    off = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]

    error = chat.refused(safety_settings=off)

    assert (error.param, error.code) == ("safety_settings", "unsupported_parameter")
    assert str(error).endswith("The operator sets them.")
    assert "safety_settings" not in chat.sent(chat.parse(safety_settings=[]))


@pytest.mark.parametrize("name", ["chat_template", "documents", "mm_processor_kwargs"])
def test_what_shows_a_model_more_than_was_measured_is_refused(name: str) -> None:
    assert chat.refused(**{name: {"a": 1}}).code == "unknown_parameter"


def test_an_answer_as_helpers_of_an_sdk_keep_it_can_be_sent_back() -> None:
    kept = {"parsed": {"a": 1}, "citations": ["https://example.com"], "token_ids": [1, 2]}
    answer = {"role": "assistant", "content": '{"a":1}'}

    request = chat.parse(messages=[*HELLO, {**answer, **kept}, *HELLO])

    assert chat.sent(request)["messages"][1] == answer


@pytest.mark.parametrize(
    ("name", "harmless", "costly"),
    [
        ("mcp_servers", [], [{"type": "url", "url": "https://a.example"}]),
        ("speed", "standard", "fast"),
        ("fallbacks", [], [{"model": "another"}]),
    ],
)
def test_messages_take_what_is_off_by_its_value(name: str, harmless: Any, costly: Any) -> None:
    messages = Asking(Messages(), {"messages": HELLO, "max_tokens": 9})

    assert name not in messages.sent(messages.parse(**{name: harmless}))
    assert messages.refused(**{name: costly}).code == "unsupported_parameter"


@pytest.mark.parametrize("marks", [0, 1])
def test_a_mark_before_a_body_is_passed_over(marks: int) -> None:
    body = b"\xef\xbb\xbf" * marks + orjson.dumps({"model": "m", "messages": HELLO})

    assert ChatCompletions().parse(body).model == "m"
    with pytest.raises(InvalidRequestError):
        ChatCompletions().parse(b"\xef\xbb\xbf" * 10_000 + body)


def test_embeddings_take_the_fields_of_their_makers() -> None:
    passed = {
        "add_special_tokens": False,
        "embedding_types": ["float"],
        "output_dtype": "int8",
        "task_type": "RETRIEVAL_QUERY",
    }

    sent = embeddings.sent(embeddings.parse(**passed, keep_alive="5m", metadata={}))

    assert sent == {"model": "m", "input": "hi", **passed}


@pytest.mark.parametrize("code", ["tool_use_failed", "json_validate_failed", "moderation_blocked"])
def test_what_groq_could_not_read_and_openai_did_not_make_keeps_its_code(code: str) -> None:
    error = {"message": "Failed to call a function.", "type": "invalid_request_error", "code": code}

    refused = refusal(400, orjson.dumps({"error": error}), retry_after=None)

    assert refused.code == code
    assert failure_within(error).code == code


def test_units_that_cohere_bills_are_the_usage() -> None:
    meter = a_meter()
    usage = {
        "billed_units": {"input_tokens": 10, "output_tokens": 5},
        "tokens": {"input_tokens": 80, "output_tokens": 9},
    }

    meter.feed(event(chunk("hello", "COMPLETE", usage=usage)))
    meter.finish()

    assert (meter.usage, meter.error) == (Usage(prompt_tokens=10, completion_tokens=5), None)


def test_what_mistral_read_from_its_cache_is_cached() -> None:
    meter = a_meter()

    meter.feed(event(chunk("hello", "stop", usage={**COUNTS, "num_cached_tokens": 8})))

    assert meter.usage == Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=8)


@pytest.mark.parametrize(
    "problem",
    [
        {"detail": "Died."},  # FastAPI's
        {"type": "about:blank", "status": 503, "title": "Bad", "detail": "Died."},  # NVIDIA's
    ],
)
def test_an_error_that_is_only_a_detail_is_told(problem: dict[str, Any]) -> None:
    plain, streamed = a_meter(stream=False), a_meter()

    plain.feed(orjson.dumps(problem))
    plain.finish()
    streamed.feed(event(problem))

    assert str(plain.failure) == streamed.error == "Died."


@pytest.mark.parametrize("kind", ["response.cancelled", "response.done"])
def test_usage_of_a_response_that_ends_otherwise_counts(kind: str) -> None:
    responses = Asking(Responses(), {"input": "hi"})
    request = responses.parse(stream=True)
    meter = responses.wire.meter(request, receipt=lambda _: {}, explain=failure_within)
    usage = {"input_tokens": 10, "output_tokens": 5}

    meter.feed(event({"type": kind, "response": {"id": "r", "output": [], "usage": usage}}))

    assert (meter.usage, meter.complete) == (Usage(prompt_tokens=10, completion_tokens=5), True)


def test_counts_in_every_chunk_are_those_of_the_last() -> None:
    """xAI and vLLM count as they go; tokens of reasoning stand beside the answer's at xAI."""
    meter = a_meter()
    for written in (1, 3, 5):
        counts = {**COUNTS, "completion_tokens": written, "total_tokens": 10 + written + 7}
        meter.feed(event(chunk("hi", usage={**counts, "reasoning_tokens": 7})))
    meter.feed(event(chunk("", "stop")) + b"data: [DONE]\n\n")

    assert meter.usage == Usage(prompt_tokens=10, completion_tokens=12, reasoning_tokens=7)


def test_a_filter_of_azure_speaks_first_and_last() -> None:
    meter = a_meter()
    filtered = {"prompt_filter_results": [{"prompt_index": 0}]}
    late = {"index": 0, "finish_reason": None, "content_filter_offsets": {"end_offset": 5}}

    given = meter.feed(event({"id": "", "choices": [], **filtered}) + event(chunk("hello", "stop")))
    given += meter.feed(event({"id": "", "choices": [late]}) + b"data: [DONE]\n\n") + meter.finish()

    assert (meter.complete, meter.error, meter.delivered_tokens) == (True, None, 2)
    assert given.endswith(b"data: [DONE]\n\n")


def test_empty_lines_before_an_answer_are_no_part_of_it() -> None:
    """DeepSeek keeps a connection open so while a call waits for its turn."""
    answer = {"id": "c", "choices": [{"index": 0, "message": {"content": "hi"}}], "usage": COUNTS}
    plain, streamed = a_meter(stream=False), a_meter()

    for meter in (plain, streamed):
        for _ in range(3):
            assert meter.feed(b"\n") in (b"", b": ping\n\n")
        meter.feed(orjson.dumps(answer))
        meter.finish()

    assert plain.usage == streamed.usage == Usage(prompt_tokens=10, completion_tokens=5)
    assert (plain.failure, streamed.error) == (None, None)


def test_comments_while_a_call_waits_are_pings() -> None:
    meter = a_meter()

    given = meter.feed(b": keep-alive\n\n: OPENROUTER PROCESSING\n\n" + event(chunk("hi", "stop")))

    assert given.startswith(b": ping\n\n: ping\n\n")
    assert b"OPENROUTER" not in given
