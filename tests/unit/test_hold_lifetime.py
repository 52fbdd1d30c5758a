"""A hold outlives the longest call: what each part of it may take is said in several places."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest

from adapters.flask_web.settings import Settings
from adapters.litellm.relay import LiteLLMRelay
from creditcore.usecases.calls.patience import Patience

RELAY = inspect.signature(LiteLLMRelay).parameters


def settings(longest_s: int) -> Settings:
    return Settings.from_env(
        {
            "AUTH_SECRET": "s" * 32,
            "PAYSTACK_SECRET_KEY": "sk_live_something",
            "LITELLM_BASE_URL": "http://litellm:4000",
            "LITELLM_MASTER_KEY": "sk-master",
            "MAX_STREAM_SECONDS": str(longest_s),
        }
    )


@pytest.mark.parametrize("longest_s", [5, 10, 29, 31, 600, 7200])
def test_a_hold_outlives_the_longest_call(longest_s: int) -> None:
    # A kept connection that turns out to be gone is opened a second time.
    connecting_s = RELAY["wait_timeout_s"].default + 2 * RELAY["connect_timeout_s"].default
    writing_s = settings(longest_s).longest_write_s
    longest = timedelta(seconds=connecting_s + longest_s + writing_s) + Patience().drain

    assert settings(longest_s).hold_lifetime >= longest
