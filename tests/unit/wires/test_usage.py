"""Reports of usage are read field by field, as they are meant."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.wires.usage import Reports
from adapters.wires.usage_names import CHAT, EMBEDDINGS, MESSAGES, RESPONSES, Shape
from creditcore.domain.pricing import Usage


def read(shape: Shape, *reports: object) -> Usage | None:
    counted = Reports(shape)
    for report in reports:
        counted.add(report)
    return counted.usage


@pytest.mark.parametrize(
    ("shape", "report", "usage"),
    [
        (CHAT, {"prompt_tokens": 9}, (9, 0)),
        (CHAT, {"completion_tokens": 2}, (0, 2)),
        (CHAT, {"prompt_tokens": None, "completion_tokens": 2}, (0, 2)),
        (CHAT, {"input_tokens": 9, "output_tokens": 2}, (9, 2)),
        (CHAT, {"prompt_tokens": "9", "completion_tokens": 12.0}, (9, 12)),
        (CHAT, {"prompt_tokens": "9.0", "completion_tokens": " 12 "}, (9, 12)),
        (CHAT, {"prompt_tokens": 9, "completion_tokens": -1}, (9, 0)),
        (CHAT, {"prompt_tokens": True, "completion_tokens": 2}, (0, 2)),
        (RESPONSES, {"input_tokens": 9, "output_tokens": 2}, (9, 2)),
        (RESPONSES, {"prompt_tokens": 9, "completion_tokens": 2}, (9, 2)),
        (EMBEDDINGS, {"total_tokens": 9}, (9, 0)),
        (MESSAGES, {"prompt_tokens": 9, "completion_tokens": 2}, (9, 2)),
    ],
)
def test_each_side_is_read_by_itself(
    shape: Shape, report: dict[str, Any], usage: tuple[int, int]
) -> None:
    assert read(shape, report) == Usage(prompt_tokens=usage[0], completion_tokens=usage[1])


@pytest.mark.parametrize("report", [{}, None, [], "x", {"prompt_tokens": 0}, {"cost": 1}])
def test_nothing_reported_is_no_usage(report: object) -> None:
    assert read(CHAT, report) is None


CACHES: list[tuple[Shape, dict[str, Any], int]] = [
    (CHAT, {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 40}}, 100),
    (CHAT, {"prompt_tokens": 100, "cached_tokens": 40}, 100),
    (CHAT, {"prompt_tokens": 100, "prompt_cache_hit_tokens": 40}, 100),
    (CHAT, {"prompt_tokens": 100, "cache_read_input_tokens": "40"}, 100),
    (CHAT, {"prompt_tokens": 10, "cache_read_input_tokens": 40}, 50),
    (CHAT, {"prompt_tokens": 60, "cached_tokens": 40, "total_tokens": 102}, 100),
    (RESPONSES, {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 40.0}}, 100),
    (MESSAGES, {"input_tokens": 100, "cache_read_input_tokens": 40}, 140),
    (MESSAGES, {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 40}}, 100),
]


@pytest.mark.parametrize(("shape", "report", "prompt"), CACHES)
def test_the_cache_is_found_among_the_prompt_or_beside_it(
    shape: Shape, report: dict[str, Any], prompt: int
) -> None:
    usage = read(shape, {**report, "completion_tokens": 2, "output_tokens": 2})

    assert usage == Usage(prompt_tokens=prompt, completion_tokens=2, cached_tokens=40)


@pytest.mark.parametrize(
    ("report", "completion"),
    [
        ({"completion_tokens": 50}, 50),
        ({"completion_tokens": 5}, 38),
        ({"completion_tokens": 50, "total_tokens": 92}, 83),
    ],
)
def test_reasoning_is_found_among_the_completion_or_beside_it(
    report: dict[str, Any], completion: int
) -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 33}}

    usage = read(CHAT, {"prompt_tokens": 9, **details, **report})

    assert usage == Usage(prompt_tokens=9, completion_tokens=completion, reasoning_tokens=33)


def test_the_last_value_of_a_field_counts_and_a_zero_takes_nothing_back() -> None:
    first = {"prompt_tokens": 1000, "completion_tokens": 1}
    later = {"prompt_tokens": 100, "completion_tokens": 50, "cached_tokens": 20}
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "cached_tokens": None}

    assert read(CHAT, first, later, zeros, None, "odd") == Usage(
        prompt_tokens=100, completion_tokens=50, cached_tokens=20
    )


def test_a_beginning_counts_what_was_read_and_only_until_a_later_report() -> None:
    counted = Reports(MESSAGES)
    counted.begin({"input_tokens": 1000, "cache_read_input_tokens": 0, "output_tokens": 7})

    assert counted.usage == Usage(prompt_tokens=1000)

    counted.add({"input_tokens": 200, "cache_read_input_tokens": 800, "output_tokens": 50})

    assert counted.usage == Usage(prompt_tokens=1000, completion_tokens=50, cached_tokens=800)


@pytest.mark.parametrize(
    ("shape", "read_name", "written_name"),
    [(CHAT, "prompt_tokens", "completion_tokens"), (RESPONSES, "input_tokens", "output_tokens")],
)
def test_a_write_that_is_counted_from_the_beginning_is_billed_behind_what_was_read(
    shape: Shape, read_name: str, written_name: str
) -> None:
    """gpt-5.6 counts so, as new-api met it: 3,619 tokens, nearly all of them twice."""
    ages = {"ttl_30m_tokens": 0, "ttl_12h_tokens": 3616}
    cache = {"cached_tokens": 2921, "cache_write_tokens": 3616, "cache_write_tokens_details": ages}
    report = {read_name: 3619, written_name: 36, "total_tokens": 3655}

    assert read(shape, {**report, "input_tokens_details": cache}) == Usage(
        prompt_tokens=3619,
        completion_tokens=36,
        cached_tokens=2921,
        cache_write_tokens=698,
        cache_write_1h_tokens=698,
    )


@pytest.mark.parametrize(
    ("beside", "completion", "reasoning"),
    [
        # LiteLLM counts the reasoning of Bedrock's models itself, by another tokenizer.
        ({"total_tokens": 150}, 50, 50),
        ({"total_tokens": 210}, 110, 60),
        ({}, 110, 60),
        ({"total_tokens": 150, "citation_tokens": 7}, 110, 60),
    ],
)
def test_more_reasoning_than_output_is_beside_it_unless_the_total_says_that_this_is_all(
    beside: dict[str, int], completion: int, reasoning: int
) -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 60}}

    usage = read(CHAT, {"prompt_tokens": 100, "completion_tokens": 50, **details, **beside})

    assert usage == Usage(
        prompt_tokens=100, completion_tokens=completion, reasoning_tokens=reasoning
    )


@pytest.mark.parametrize(
    ("brief", "long", "later", "written", "written_long"),
    [
        (1000, 0, {}, 200, 0),
        (0, 1000, {}, 200, 200),
        (900, 100, {}, 200, 100),
        (0, 1000, {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 0}, 200, 0),
        (0, 1000, {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, 200, 200),
    ],
)
def test_ages_of_a_cache_are_never_more_than_what_a_later_report_says_was_written(
    brief: int, long: int, later: dict[str, int], written: int, written_long: int
) -> None:
    ages = {"ephemeral_5m_input_tokens": brief, "ephemeral_1h_input_tokens": long}
    begun = {
        "input_tokens": 10,
        "cache_creation_input_tokens": brief + long,
        "cache_creation": ages,
    }
    ended = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_input_tokens": 800,
        "cache_creation_input_tokens": 200,
        **({"cache_creation": later} if later else {}),
    }

    assert read(MESSAGES, begun, ended) == Usage(
        prompt_tokens=1010,
        completion_tokens=5,
        cached_tokens=800,
        cache_write_tokens=written,
        cache_write_1h_tokens=written_long,
    )
