"""Coding agents for the terminal, unmodified: a first session on the welcome credits."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import REPOSITORY, Account, Stack, running_stack

HERE = Path(__file__).resolve().parent
PROGRAMS = REPOSITORY / ".venv-clients" / "bin"
AIDER = REPOSITORY / ".venv-aider" / "bin" / "aider"
MODULES = HERE / "node_modules"
TIMEOUT_S = 120
SAID = "Hello from the sandbox."
WELCOME_CREDITS = "200"

CODEX_SETTINGS = """
model = "gpt-4o"
model_provider = "creditcore"
web_search = "disabled"

[model_providers.creditcore]
name = "creditcore"
base_url = "{base_url}/v1"
env_key = "CREDITCORE_API_KEY"
wire_api = "responses"
"""
CONTINUE_SETTINGS = """
name: creditcore
version: 1.0.0
schema: v1
models:
  - name: gpt-4o
    provider: openai
    model: gpt-4o
    apiBase: {base_url}/v1
    apiKey: {api_key}
    roles: [chat]
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack("", tmp_path_factory.mktemp("agents")) as stack:
        yield stack


@pytest.fixture
def newcomer(stack: Stack) -> Account:
    """Somebody with the welcome credits and nothing else."""
    return stack.an_account(credits_=WELCOME_CREDITS)


def run(command: list[str], *, home: Path, **environ: str) -> str:
    """Run a client in an empty home; return what it said."""
    work = home / "work"
    work.mkdir()
    done = subprocess.run(
        command,
        cwd=work,
        env={**os.environ, "HOME": str(home), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_all_charged(stack: Stack, account: Account, *, endpoint: str) -> None:
    stack.settled_wallet_of(account.person_id)
    calls = stack.calls_of(account)
    assert calls
    for call in calls:
        assert call.call.endpoint == endpoint
        assert (call.outcome.status, call.outcome.error) == (200, None)
        assert call.charged.microcredits > 0


def test_claude_code_answers(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    # Its package brings the program, and puts it into place when it is installed.
    subprocess.run(
        ["node", MODULES / "@anthropic-ai/claude-code/install.cjs"], check=True, timeout=TIMEOUT_S
    )

    said = run(
        [str(MODULES / ".bin/claude"), "-p", "Say hello"],
        home=tmp_path,
        ANTHROPIC_BASE_URL=stack.base_url,
        ANTHROPIC_AUTH_TOKEN=newcomer.api_key,
        ANTHROPIC_MODEL="claude-sonnet-4-5",
        ANTHROPIC_SMALL_FAST_MODEL="claude-sonnet-4-5",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/messages")


def test_codex_answers_and_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / ".codex" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(CODEX_SETTINGS.format(base_url=stack.base_url))

    said = run(
        [str(MODULES / ".bin/codex"), "exec", "--skip-git-repo-check", "Say hello"],
        home=tmp_path,
        CREDITCORE_API_KEY=newcomer.api_key,
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/responses")
    # The stand-in's first answer calls a tool, whose result the second one gets.
    assert len(stack.calls_of(newcomer)) > 1


def test_qwen_code_answers(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    said = run(
        [str(MODULES / ".bin/qwen"), "-p", "Say hello", "--auth-type", "openai"],
        home=tmp_path,
        OPENAI_BASE_URL=f"{stack.base_url}/v1",
        OPENAI_API_KEY=newcomer.api_key,
        OPENAI_MODEL="gpt-4o",
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")


def test_opencode_answers(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "opencode" / "opencode.json"
    settings.parent.mkdir(parents=True)
    model = {"name": "gpt-4o", "limit": {"context": 128_000, "output": 16_384}}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "creditcore",
        "options": {"baseURL": f"{stack.base_url}/v1", "apiKey": newcomer.api_key},
        "models": {"gpt-4o": model},
    }
    settings.write_text(
        json.dumps(
            {
                "autoupdate": False,
                "share": "disabled",
                "small_model": "creditcore/gpt-4o",
                "provider": {"creditcore": provider},
            }
        )
    )

    said = run(
        [str(MODULES / ".bin/opencode"), "run", "-m", "creditcore/gpt-4o", "Say hello"],
        home=tmp_path,
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    # The stand-in's first answer calls a tool, whose result the next one gets.
    assert len(stack.calls_of(newcomer)) > 1


def test_llm_answers(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / "llm"
    settings.mkdir()
    (settings / "extra-openai-models.yaml").write_text(
        "- model_id: creditcore\n  model_name: gpt-4o\n"
        f"  api_base: {stack.base_url}/v1\n  api_key_name: creditcore\n"
    )
    (settings / "keys.json").write_text(json.dumps({"creditcore": newcomer.api_key}))

    said = run(
        [str(PROGRAMS / "llm"), "-m", "creditcore", "Say hello"],
        home=tmp_path,
        LLM_USER_PATH=str(settings),
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")


def test_copilot_answers_and_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    said = run(
        [str(MODULES / ".bin/copilot"), "-p", "Say hello", "--allow-all-tools"],
        home=tmp_path,
        # With these and a provider of its own it needs no account at GitHub.
        COPILOT_OFFLINE="true",
        COPILOT_PROVIDER_BASE_URL=f"{stack.base_url}/v1",
        COPILOT_PROVIDER_API_KEY=newcomer.api_key,
        COPILOT_MODEL="gpt-4o",
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    # The stand-in's first answer calls a tool, whose result the next one gets.
    assert len(stack.calls_of(newcomer)) > 1


def test_continue_answers_and_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / "config.yaml"
    settings.write_text(CONTINUE_SETTINGS.format(base_url=stack.base_url, api_key=newcomer.api_key))

    said = run(
        [str(MODULES / ".bin/cn"), "-p", "--auto", "--config", str(settings), "Say hello"],
        home=tmp_path,
        CONTINUE_TELEMETRY_ENABLED="0",
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    # The stand-in's first answer calls a tool, whose result the next one gets.
    assert len(stack.calls_of(newcomer)) > 1


def test_aider_answers(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    quiet = ["--no-git", "--yes-always", "--analytics-disable", "--no-check-update"]

    said = run(
        [str(AIDER), "--model", "openai/gpt-4o", "--message", "Say hello", *quiet],
        home=tmp_path,
        OPENAI_API_BASE=f"{stack.base_url}/v1",
        OPENAI_API_KEY=newcomer.api_key,
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
