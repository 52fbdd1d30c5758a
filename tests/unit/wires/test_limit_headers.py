"""How the limits per minute of a key stand, as SDKs of each wire read it."""

from datetime import UTC, datetime

import pytest

from adapters.wires.anthropic.limit_headers import limit_headers as at_anthropic
from adapters.wires.openai.limit_headers import go_duration
from adapters.wires.openai.limit_headers import limit_headers as at_openai
from creditcore.domain.rates import Standing

STANDING = Standing(unit="requests", limit=60, remaining=59, reset_us=1_000_001)


def test_openai_says_for_how_long() -> None:
    assert at_openai([STANDING]) == [
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "1.001s"),
    ]


def test_anthropic_says_until_when_and_never_too_early() -> None:
    now = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)

    assert at_anthropic([STANDING], now=now) == [
        ("anthropic-ratelimit-requests-limit", "60"),
        ("anthropic-ratelimit-requests-remaining", "59"),
        ("anthropic-ratelimit-requests-reset", "2026-11-29T12:00:02Z"),
    ]


def test_a_key_without_limits_says_nothing() -> None:
    assert at_openai([]) == at_anthropic([]) == []


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0s"),
        (1, "1ms"),
        (999_000, "999ms"),
        (1_500_000, "1.5s"),
        (60_000_000, "1m0s"),
        (3_661_000_000, "1h1m1s"),
    ],
)
def test_durations_are_written_as_go_does(microseconds: int, text: str) -> None:
    assert go_duration(microseconds) == text
