"""How the limits per minute of a key stand, as SDKs of each wire read it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.wires.anthropic.limit_headers import limit_headers as at_anthropic
from adapters.wires.openai.limit_headers import go_duration
from adapters.wires.openai.limit_headers import limit_headers as at_openai
from adapters.wires.rate_limit_fields import rate_limit_fields
from creditcore.domain.limits import Whose
from creditcore.domain.rates import Standing

STANDING = Standing(unit="requests", limit=60, remaining=59, reset_us=1_000_001)


SHARED = Standing("requests", limit=100, remaining=9, reset_us=54_000_000, whose=Whose.ACCOUNT)
TOKENS = Standing("tokens", limit=1000, remaining=0, reset_us=60_000_001)


def test_openai_says_for_how_long() -> None:
    assert at_openai([STANDING])[:3] == [
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "1.001s"),
    ]


def test_anthropic_says_until_when_and_never_too_early() -> None:
    now = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)

    assert at_anthropic([STANDING], now=now)[:3] == [
        ("anthropic-ratelimit-requests-limit", "60"),
        ("anthropic-ratelimit-requests-remaining", "59"),
        ("anthropic-ratelimit-requests-reset", "2026-11-29T12:00:02Z"),
    ]


@pytest.mark.parametrize("wire", [at_openai, at_anthropic])
def test_the_drafts_fields_stand_beside_them(wire: Any) -> None:
    headers = dict(wire([STANDING, SHARED, TOKENS]))

    assert headers["ratelimit-policy"] == (
        '"requests";q=60;w=60, "account-requests";q=100;w=60, "tokens";q=1000;qu="tokens";w=60'
    )
    assert headers["ratelimit"] == (
        '"requests";r=59;t=2, "account-requests";r=9;t=54, "tokens";r=0;t=61'
    )


def test_of_the_limits_of_key_and_account_the_tightest_is_told() -> None:
    headers = dict(at_openai([STANDING, SHARED]))

    assert headers["x-ratelimit-limit-requests"] == "100"
    assert headers["x-ratelimit-remaining-requests"] == "9"


def test_a_key_without_limits_says_nothing() -> None:
    assert at_openai([]) == at_anthropic([]) == rate_limit_fields([]) == []


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
