"""Coding agents for the terminal, unmodified: a first session on the welcome credits."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.sdks import NODE
from tests.stack import REPOSITORY, Account, Stack

HERE = Path(__file__).resolve().parent
PROGRAMS = REPOSITORY / ".venv-clients-openai-3" / "bin"
AIDER = REPOSITORY / ".venv-clients-aider" / "bin" / "aider"
MODULES = HERE / "node_modules"
TIMEOUT_S = 600
SAID = "Hello from the sandbox."
WELCOME_CREDITS = "200"
ADD_UP = "expr 40000 + 2718"
SUM = "42718"

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


def a_tool_loop(tool: str, argument: str) -> str:
    """Return a prompt upon which the model asks for a sum, and answers once it has it."""
    # Without double quotes, which some clients would escape.
    return f"Say hello [[sim tool={tool} argument='{argument}={ADD_UP}']]"


def assert_result_came_back(stack: Stack, account: Account) -> None:
    """Assert that a tool ran, and that the model was told what it said."""
    ours = {call.reference for call in stack.calls_of(account)}
    told = [call["body"] for call in stack.upstream()["calls"] if call["call_id"] in ours]
    assert len(told) > 1
    assert any(SUM in json.dumps(body) for body in told)


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
        env={**os.environ, "PATH": f"{MODULES / '.bin'}:{os.environ['PATH']}", "HOME": str(home)}
        | environ,
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


@pytest.fixture(scope="session")
def claude() -> str:
    # Its package brings the program, and puts it into place when it is installed.
    subprocess.run(
        [NODE, MODULES / "@anthropic-ai/claude-code/install.cjs"], check=True, timeout=TIMEOUT_S
    )
    return str(MODULES / ".bin/claude")


@pytest.mark.parametrize("name", ["haiku", "sonnet", "opus"])
def test_claude_code_runs_a_tool_with_each_model(
    stack: Stack, newcomer: Account, claude: str, name: str, tmp_path: Path
) -> None:
    prompt = a_tool_loop("Bash", "command")

    said = run(
        [claude, "-p", prompt, "--model", name, "--allowedTools", "Bash"],
        home=tmp_path,
        ANTHROPIC_BASE_URL=stack.base_url,
        ANTHROPIC_AUTH_TOKEN=newcomer.api_key,
        ANTHROPIC_DEFAULT_HAIKU_MODEL="claude-haiku-4-5",
        ANTHROPIC_DEFAULT_SONNET_MODEL="claude-sonnet-4-5",
        ANTHROPIC_DEFAULT_OPUS_MODEL="claude-opus-4-5",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/messages")
    assert f"claude-{name}-4-5" in {call.call.model for call in stack.calls_of(newcomer)}
    assert_result_came_back(stack, newcomer)


def test_codex_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / ".codex" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(CODEX_SETTINGS.format(base_url=stack.base_url))
    prompt = a_tool_loop("exec_command", "cmd")

    said = run(
        [str(MODULES / ".bin/codex"), "exec", "--skip-git-repo-check", prompt],
        home=tmp_path,
        CREDITCORE_API_KEY=newcomer.api_key,
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/responses")
    assert_result_came_back(stack, newcomer)


def test_qwen_code_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    prompt = a_tool_loop("run_shell_command", "command")

    said = run(
        [str(MODULES / ".bin/qwen"), "-p", prompt, "--yolo", "--auth-type", "openai"],
        home=tmp_path,
        OPENAI_BASE_URL=f"{stack.base_url}/v1",
        OPENAI_API_KEY=newcomer.api_key,
        OPENAI_MODEL="gpt-4o",
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    assert_result_came_back(stack, newcomer)


def test_opencode_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
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

    prompt = a_tool_loop("bash", "command")

    said = run(
        [str(MODULES / ".bin/opencode"), "run", "-m", "creditcore/gpt-4o", prompt],
        home=tmp_path,
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    assert_result_came_back(stack, newcomer)


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


def test_copilot_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    prompt = a_tool_loop("bash", "command")

    said = run(
        [str(MODULES / ".bin/copilot"), "-p", prompt, "--allow-all-tools"],
        home=tmp_path,
        # With these and a provider of its own it needs no account at GitHub.
        COPILOT_OFFLINE="true",
        COPILOT_PROVIDER_BASE_URL=f"{stack.base_url}/v1",
        COPILOT_PROVIDER_API_KEY=newcomer.api_key,
        COPILOT_MODEL="gpt-4o",
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    assert_result_came_back(stack, newcomer)


def test_continue_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / "config.yaml"
    settings.write_text(CONTINUE_SETTINGS.format(base_url=stack.base_url, api_key=newcomer.api_key))

    prompt = a_tool_loop("Bash", "command")

    said = run(
        [str(MODULES / ".bin/cn"), "-p", "--auto", "--config", str(settings), prompt],
        home=tmp_path,
        CONTINUE_TELEMETRY_ENABLED="0",
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    assert_result_came_back(stack, newcomer)


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
