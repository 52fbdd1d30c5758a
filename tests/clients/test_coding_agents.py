"""Coding agents for the terminal, unmodified and set up as docs/clients.md says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.document import block_below, variables_below
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


def a_tool_loop(tool: str, argument: str, value: object = ADD_UP) -> str:
    """Return a prompt upon which the model asks for a sum, and answers once it has it."""
    # Without double quotes, which some clients would escape.
    return f"Say hello [[sim tool={tool} argument='{argument}={value}']]"


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
    work.mkdir(exist_ok=True)
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
        **variables_below("Claude Code", stack, newcomer)
        | {
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-haiku-4-5",
            "ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-opus-4-5",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/messages")
    assert f"claude-{name}-4-5" in {call.call.model for call in stack.calls_of(newcomer)}
    assert_result_came_back(stack, newcomer)


def test_codex_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / ".codex" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(block_below("Codex CLI", stack, newcomer))
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
    # Not by its shell, which at times loses what a fast command says.
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "sum").write_text(SUM)
    prompt = a_tool_loop("read_file", "file_path", tmp_path / "work" / "sum")

    said = run(
        [str(MODULES / ".bin/qwen"), "-p", prompt, "--yolo", "--auth-type", "openai"],
        home=tmp_path,
        **variables_below("qwen-code", stack, newcomer),
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    assert_result_came_back(stack, newcomer)


def test_opencode_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "opencode" / "opencode.json"
    settings.parent.mkdir(parents=True)
    quiet = {"autoupdate": False, "share": "disabled"}
    settings.write_text(json.dumps(json.loads(block_below("opencode", stack, newcomer)) | quiet))
    prompt = a_tool_loop("bash", "command")

    said = run(
        [str(MODULES / ".bin/opencode"), "run", "-m", "creditcore/gpt-4o", prompt],
        home=tmp_path,
        CREDITCORE_API_KEY=newcomer.api_key,
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    assert_result_came_back(stack, newcomer)


def test_llm_answers(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / "llm"
    settings.mkdir()
    (settings / "extra-openai-models.yaml").write_text(block_below("llm", stack, newcomer))
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
        **variables_below("GitHub Copilot CLI", stack, newcomer),
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
    assert_result_came_back(stack, newcomer)


def test_continue_runs_a_tool(stack: Stack, newcomer: Account, tmp_path: Path) -> None:
    settings = tmp_path / "config.yaml"
    settings.write_text(block_below("Continue CLI", stack, newcomer))

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
        **variables_below("aider", stack, newcomer),
    )

    assert SAID in said
    assert_all_charged(stack, newcomer, endpoint="/v1/chat/completions")
