"""The command line where something is wrong: it says what, and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_server import run_flask
from tests.stack import AUTH_SECRET, PATIENCE_S, REPOSITORY

FLASK = ("-m", "flask", "--app", "wsgi")
GUNICORN = ("-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app")
NEEDED = {
    "AUTH_SECRET": AUTH_SECRET,
    "PAYSTACK_SECRET_KEY": "sk_test_sandbox",
    "LITELLM_BASE_URL": "http://127.0.0.1:9",
    "LITELLM_MASTER_KEY": "sk-sandbox-master",
}


def run(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program with these settings only."""
    named = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    if command[: len(FLASK)] == FLASK:
        words = command[len(FLASK) :]
        return run_flask(words, {**named, **settings}, timeout_s=PATIENCE_S)
    return subprocess.run(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env={**named, **settings},
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize(
    "command",
    [
        (*FLASK, "audit"),
        (*FLASK, "user", "create", "--email", "a@example.com"),
        (*FLASK, "run", "--port", "0"),
        GUNICORN,
    ],
    ids=["audit", "user create", "flask run", "gunicorn"],
)
def test_all_that_is_wrong_with_the_settings_is_said_at_once(command: tuple[str, ...]) -> None:
    done = run(*command, MAX_STREAMS="lots")

    assert done.returncode == 1
    assert done.stdout == ""
    first, *faults = done.stderr.splitlines()
    assert first == "Error: The configuration has 5 faults; .env.example explains each variable."
    assert [fault.split()[1] for fault in faults] == [
        "AUTH_SECRET",
        "PAYSTACK_SECRET_KEY",
        "LITELLM_BASE_URL",
        "LITELLM_MASTER_KEY",
        "MAX_STREAMS",
    ]


@pytest.mark.parametrize("words", [[], ["audit"], ["user"], ["key", "issue"]])
def test_help_needs_no_settings(words: list[str]) -> None:
    done = run(*FLASK, *words, "--help")

    assert done.returncode == 0
    assert done.stderr == ""
    assert "Usage:" in done.stdout


def test_a_program_that_would_serve_without_settings_is_not_given_an_application() -> None:
    done = run("-c", "import wsgi")

    assert done.returncode == 1
    assert "SettingsError: The configuration has 4 faults" in done.stderr
    assert done.stderr.count("Traceback") == 1


@pytest.mark.parametrize("command", [(*FLASK, "audit"), GUNICORN], ids=["audit", "gunicorn"])
def test_a_folder_that_cannot_be_made_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = run(*command, **NEEDED, DATA_DIR=str(tmp_path / "file" / "var"))

    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        f"  - DATA_DIR cannot be '{tmp_path}/file/var': Not a directory."
    ]


@pytest.mark.parametrize(
    "command",
    [
        ["audit"],
        ["alerts"],
        ["grant", "--email", "a@example.com", "--credits", "1", "--reason", "R"],
    ],
    ids=lambda command: command[0],
)
def test_a_database_without_our_tables_is_to_be_migrated(
    command: list[str], tmp_path: Path
) -> None:
    done = run(*FLASK, *command, **NEEDED, DATA_DIR=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr == (
        "Error: The database lacks our latest tables: run 'flask --app wsgi migrate' first.\n"
    )


@pytest.mark.parametrize("command", ["migrate", "audit"])
def test_a_database_that_does_not_answer_is_one_line(command: str, tmp_path: Path) -> None:
    nobody = f"postgresql:///books?host={tmp_path}"

    done = run(*FLASK, command, **NEEDED, POSTGRES_URL=nobody)

    assert done.returncode == 1
    assert done.stderr == "Error: The database does not answer.\n"
