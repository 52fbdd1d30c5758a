"""Reports of usage are read field by field, as they are meant."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.wires.usage import CHAT, EMBEDDINGS, MESSAGES, RESPONSES, Reports, Shape
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
