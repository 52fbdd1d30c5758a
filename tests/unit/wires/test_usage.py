"""A report of usage is read whole, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.wires.usage import UnreadableUsageError, read_responses_usage, read_usage
from creditcore.domain.pricing import Usage


@pytest.mark.parametrize(
    "half",
    [
        {},
        {"prompt_tokens": 9},
        {"completion_tokens": 2},
        {"prompt_tokens": None, "completion_tokens": 2},
        {"prompt_tokens": 9, "completion_tokens": None},
        {"input_tokens": 9, "output_tokens": 2},
    ],
)
def test_nothing_is_guessed_from_half_of_a_report(half: dict[str, Any]) -> None:
    with pytest.raises(UnreadableUsageError):
        read_usage(half)


def test_a_response_counts_under_names_of_its_own() -> None:
    usage = {"input_tokens": 9, "output_tokens": 2}

    assert read_responses_usage(usage) == Usage(prompt_tokens=9, completion_tokens=2)
