"""Unmodified clients from npm run through the gateway."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from creditcore import Credits
from tests.stack import Stack, running_stack

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack("", tmp_path_factory.mktemp("clients")) as stack:
        yield stack


@pytest.mark.parametrize("client", ["openai-node", "vercel-ai"])
def test_a_client_works_and_every_call_is_charged(stack: Stack, client: str) -> None:
    account, poor = stack.an_account(credits_="200"), stack.an_account(credits_="1")

    done = subprocess.run(
        ["node", f"{client}.mjs"],
        cwd=HERE,
        env={
            **os.environ,
            "BASE_URL": stack.base_url,
            "API_KEY": account.api_key,
            "POOR_KEY": poor.api_key,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    wallet = stack.settled_wallet_of(account.person_id)
    charged = sum(call.charged.microcredits for call in stack.calls_of(account))
    assert Credits.of(200) - wallet.posted == Credits(charged)
    assert len(stack.calls_of(account)) == 3
    assert stack.calls_of(poor) == []
