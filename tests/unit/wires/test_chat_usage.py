"""The usage of a chat stream: what of it counts, and what of it is shown."""

from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.openai.chat_meter import ChatStreamMeter
from creditcore.domain.pricing import Usage
from tests.unit.wires.chatting import DONE, USAGE, a_chunk, a_meter, an_end, event


def test_chunk_with_content_and_usage_loses_only_the_usage() -> None:
    meter = a_meter()

    passed = meter.feed(event(a_chunk("hi", usage=USAGE)))

    assert orjson.loads(passed[6:]) == a_chunk("hi")
    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


@pytest.mark.parametrize(
    "chunk",
    [
        {"id": "c", "choices": [], "usage": USAGE},
        {"id": "c", "choices": None, "usage": USAGE},
        {"id": "c", "usage": USAGE},
        {"choices": [{"index": 0, "delta": {}}], "usage": USAGE},
        {"choices": [{"index": 0, "delta": {"content": None, "role": ""}}], "usage": USAGE},
        {"choices": [{"index": 0, "delta": None}, {"index": 1, "delta": {}}], "usage": USAGE},
    ],
)
def test_chunk_with_nothing_but_usage_is_taken_out(chunk: dict[str, Any]) -> None:
    meter = a_meter()

    assert meter.feed(event(chunk)) == b""
    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


def test_end_of_a_choice_with_usage_is_kept() -> None:
    passed = a_meter().feed(event(an_end(usage=USAGE)))

    assert orjson.loads(passed[6:]) == an_end()


def test_null_usage_passes_untouched() -> None:
    raw = event(a_chunk("hi", usage=None))

    assert a_meter().feed(raw) == raw


def test_last_usage_wins() -> None:
    meter = a_meter()
    first = {"prompt_tokens": 9, "completion_tokens": 1}

    meter.feed(event(a_chunk("a", usage=first)) + event(a_chunk(usage=USAGE)) + DONE)

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


def test_usage_before_the_end_counts_when_the_stream_is_whole() -> None:
    meter = a_meter()

    meter.feed(event(a_chunk(usage=USAGE)) + event(a_chunk("late")) + DONE)

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


def test_usage_that_text_has_overtaken_is_outdated_when_the_stream_is_cut() -> None:
    meter = a_meter()
    placeholder = {"prompt_tokens": 9, "completion_tokens": 1}

    meter.feed(event(a_chunk(usage=placeholder)) + event(a_chunk("much more text")))
    meter.finish()

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=1)
    assert meter.is_outdated
    assert meter.delivered_tokens == 4


@pytest.mark.parametrize("usage", [{}, [], "x", 7, {"prompt_tokens": "many"}])
def test_unreadable_usage_is_none(usage: Any) -> None:
    meter = a_meter()

    meter.feed(event(a_chunk("hi")) + event(a_chunk(usage=usage)) + DONE)

    assert (meter.usage, meter.error, meter.complete) == (None, None, True)
    assert meter.delivered_tokens == 1


@pytest.mark.parametrize(
    "oddity",
    [
        {"prompt_tokens_details": "x"},
        {"prompt_tokens_details": {"cache_creation_tokens": -5}},
        {"completion_tokens_details": {"reasoning_tokens": 1.5}},
        {"cache_read_input_tokens": 2**60},
    ],
)
def test_a_harmless_oddity_voids_nothing_else(oddity: dict[str, Any]) -> None:
    meter = a_meter()

    meter.feed(event(a_chunk("hi")) + event(a_chunk(usage={**USAGE, **oddity})) + DONE)

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


def test_details_may_be_missing_or_null() -> None:
    meter = a_meter()
    details = {"prompt_tokens_details": None, "completion_tokens_details": None}

    meter.feed(event(a_chunk(usage={**USAGE, **details})) + DONE)

    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)


@pytest.mark.parametrize(
    "reported",
    [
        {"prompt_tokens_details": {"cached_tokens": 40, "cache_creation_tokens": 30}},
        {"prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 30}},
        {"cache_read_input_tokens": 40, "cache_creation_input_tokens": 30},
        {
            "prompt_tokens_details": {
                "cached_tokens": 0,
                "cache_creation_tokens": 0,
                "cache_write_tokens": None,
            },
            "cache_read_input_tokens": 40,
            "cache_creation_input_tokens": 30,
        },
    ],
)
def test_cache_tokens_are_found_under_each_of_their_names(reported: dict[str, Any]) -> None:
    meter = a_meter()

    meter.feed(
        event(a_chunk(usage={"prompt_tokens": 100, "completion_tokens": 2, **reported})) + DONE
    )

    assert meter.usage == Usage(
        prompt_tokens=100, completion_tokens=2, cached_tokens=40, cache_write_tokens=30
    )


def test_cache_writes_for_an_hour_and_reasoning_are_found() -> None:
    meter = a_meter()
    by_time = {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cache_creation_token_details": by_time},
        "completion_tokens_details": {"reasoning_tokens": 33},
    }

    meter.feed(event(a_chunk(usage=usage)))

    assert meter.usage == Usage(
        prompt_tokens=100,
        completion_tokens=50,
        cache_write_tokens=30,
        cache_write_1h_tokens=20,
        reasoning_tokens=33,
    )


def test_the_receipt_stands_beside_usage_that_was_asked_for() -> None:
    meter = ChatStreamMeter(
        wants_usage=True,
        choices=1,
        receipt=lambda usage: {"cost": f"0.{usage.completion_tokens}", "balance": "7"},
        explain=failure_within,
    )

    passed = meter.feed(event({"id": "c", "choices": [], "usage": USAGE | {"cost": 9}}))

    shown = orjson.loads(passed.removeprefix(b"data: "))["usage"]
    assert shown == USAGE | {"cost": "0.2", "balance": "7"}
