"""Unmodified clients from npm and PyPI run through the gateway."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from creditcore import Credits
from tests.stack import REPOSITORY, Account, Stack, running_stack

HERE = Path(__file__).resolve().parent
PYTHON = REPOSITORY / ".venv-clients" / "bin" / "python"
TIMEOUT_S = 120
GIVEN = Credits.of(200)

FROM_NPM = [
    "openai-node",
    "anthropic-node",
    "langchain-js",
    "vercel-ai",
    "vercel-providers",
]
FROM_PYPI = [
    "instructor_client",
    "litellm_client",
    "llama_index_client",
    "openai_agents_client",
    "pydantic_ai_client",
    "smolagents_client",
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack("", tmp_path_factory.mktemp("clients")) as stack:
        yield stack


@pytest.fixture
def account(stack: Stack) -> Account:
    return stack.an_account(credits_="200")


@pytest.fixture
def poor(stack: Stack) -> Account:
    """Somebody who cannot pay for the shortest call."""
    return stack.an_account(credits_="0.001")


def run(stack: Stack, account: Account, poor: Account, command: list[str], *, at: Path) -> None:
    done = subprocess.run(
        command,
        cwd=at,
        env={
            **os.environ,
            "BASE_URL": stack.base_url,
            "API_KEY": account.api_key,
            "POOR_KEY": poor.api_key,
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def assert_charged(stack: Stack, account: Account, poor: Account) -> None:
    wallet, calls = stack.settled_wallet_of(account.person_id), stack.calls_of(account)
    assert len(calls) >= 2
    assert {(call.outcome.status, call.outcome.error) for call in calls} == {(200, None)}
    charged = sum(call.charged.microcredits for call in calls)
    assert GIVEN - wallet.posted == Credits(charged)
    assert stack.calls_of(poor) == []


@pytest.mark.parametrize("client", FROM_NPM)
def test_a_client_from_npm_works_and_every_call_is_charged(
    stack: Stack, account: Account, poor: Account, client: str
) -> None:
    run(stack, account, poor, ["node", f"{client}.mjs"], at=HERE)

    assert_charged(stack, account, poor)


@pytest.mark.parametrize("client", FROM_PYPI)
def test_a_client_from_pypi_works_and_every_call_is_charged(
    stack: Stack, account: Account, poor: Account, client: str
) -> None:
    run(stack, account, poor, [str(PYTHON), f"{client}.py"], at=HERE / "python")

    assert_charged(stack, account, poor)
