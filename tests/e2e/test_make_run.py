"""``make run`` on an empty folder: ready, a funded key, a line to paste, and an end."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.stack import PATIENCE_S, REPOSITORY, reserved_port
from tests.stores import fresh_postgres_database

SETTINGS = ("AUTH_SECRET", "BASE_URL", "PAYSTACK_", "LITELLM_", "POSTGRES_URL", "PORT", "DATA_DIR")
PROGRAM = ("adapters", "creditcore", "sandbox", "wsgi.py", "gunicorn.conf.py", ".env.example")
[EXAMPLE] = re.findall(
    r"```python\n(import json, openai.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL
)
FOR_REAL = {
    "APP_ENV": "production",
    "BASE_URL": "https://ai.example.com",
    "AUTH_SECRET": "a-secret-of-an-operator-0123456789",
    "SUPABASE_URL": "https://project.supabase.co",
    "PAYSTACK_SECRET_KEY": "sk_live_something",
    "PAYSTACK_PUBLIC_KEY": "pk_live_something",
    "PAYSTACK_BASE_URL": "https://paystack.invalid",
    "LITELLM_BASE_URL": "https://litellm.invalid",
    "LITELLM_MASTER_KEY": "sk-something",
}
"""What an operator sets, and the demo may not touch."""


def bare_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}


@contextmanager
def demo(data_dir: Path, *, program: Path = REPOSITORY, **settings: str) -> Iterator[list[str]]:
    """Run the demo until it says READY and how to call it; stop it with Ctrl-C at the end."""
    # A shell that starts the tests in the background has it ignored, which children inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with reserved_port() as port, reserved_port() as sandbox_port:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.demo"],
            cwd=program,
            env={
                **bare_environment(),
                "DATA_DIR": str(data_dir),
                "PORT": str(port),
                "SANDBOX_PORT": str(sandbox_port),
                **settings,
            },
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            lines = []
            while not any("Ctrl-C" in line for line in lines):
                line = process.stdout.readline()
                assert line, "the demo ended before it was ready"
                lines.append(line.strip())
            yield lines
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
        finally:
            if process.poll() is None:
                # What it has started is in no group of ours: only it can stop that.
                process.terminate()
                process.wait(PATIENCE_S)
            process.stdout.close()


@dataclass(frozen=True)
class FirstRun:
    """What the first run in a folder printed, left behind, and streamed."""

    folder: Path
    lines: list[str]
    notes: dict[str, str]
    streamed: str
    audited: str
    example: str


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def first_run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FirstRun]:
    folder = tmp_path_factory.mktemp(f"demo-{request.param}") / "var"
    with ExitStack() as resources:
        settings = {}
        if request.param == "postgres":
            settings["POSTGRES_URL"] = resources.enter_context(fresh_postgres_database())
        with demo(folder, **settings) as lines:
            streamed = pasted(lines, "curl ")
            audited = pasted(lines, "flask ")
            example = subprocess.run(
                [sys.executable, "-c", EXAMPLE],
                cwd=folder.parent,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        yield FirstRun(folder, lines, notes_in(folder), streamed, audited, example)


def pasted(lines: list[str], program: str, *, folder: Path = REPOSITORY) -> str:
    """Run the line that was printed for a program, in a terminal that knows no settings."""
    [line] = [line for line in lines if program in line]
    return subprocess.run(
        shlex.split(line),
        cwd=folder,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def notes_in(folder: Path) -> dict[str, str]:
    notes: dict[str, str] = json.loads((folder / "demo.json").read_text())
    return notes


def test_the_printed_line_streams_a_completion(first_run: FirstRun) -> None:
    notes, streamed = first_run.notes, first_run.streamed
    ready = [line for line in first_run.lines if line.startswith("READY")]

    assert ready == [f"READY {notes['base_url']}"]
    assert set(notes) == {"base_url", "api_key", "email", "password"}
    assert streamed.count("data: {") > 5
    assert streamed.rstrip().endswith("data: [DONE]")
    assert re.search(r'"cost":"[0-9.]+","balance":"[0-9.]+"', streamed.split("data: ")[-2])


def test_the_example_of_the_readme_streams_and_says_what_it_cost(first_run: FirstRun) -> None:
    *text, cost = first_run.example.splitlines()

    assert any(text)
    assert re.fullmatch(r"This cost 0\.\d+ credits; \d+\.\d+ are left\.", cost)


def test_the_printed_audit_is_of_the_demos_books(first_run: FirstRun) -> None:
    assert "The books are clean." in first_run.audited
    assert first_run.audited.startswith("1 wallet, ")


def test_what_opens_the_demo_is_its_owners_alone(first_run: FirstRun) -> None:
    kept = [first_run.folder / name for name in ("auth_secret", "demo.env", "demo.json")]

    assert [stat.S_IMODE(file.stat().st_mode) for file in kept] == [0o600] * 3


@pytest.mark.parametrize("first_run", ["sqlite"], indirect=True)
def test_starting_again_keeps_the_account(first_run: FirstRun) -> None:
    with demo(first_run.folder):
        second = notes_in(first_run.folder)

    for name in ("email", "api_key"):
        assert second[name] == first_run.notes[name]


def test_what_is_set_for_real_is_left_alone(tmp_path: Path) -> None:
    program = tmp_path / "program"
    for name in PROGRAM:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, program / name)
    # The demo may be told these, but in its environment.
    in_file = {
        **FOR_REAL,
        "POSTGRES_URL": "postgresql://x.invalid/books",
        "WEB_CONCURRENCY": "4",
        "SIGNUP_CREDITS": "not a number yet",
    }
    lines = [f"{name}={value}\n" for name, value in in_file.items()]
    (program / ".env").write_text("".join(lines))

    with demo(tmp_path / "var", program=program, **FOR_REAL) as printed:
        used = dotenv_values(tmp_path / "var" / "demo.env")
        doctor = [line.replace("wsgi audit", "wsgi doctor") for line in printed]
        examined = pasted(doctor, "flask ", folder=program)

    assert not {name: used[name] for name in in_file if used[name] == in_file[name]}
    assert "SQLite in" in examined
    assert "Paystack (sandbox)" in examined


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "sandbox.demo"],
            cwd=REPOSITORY,
            env={**os.environ, "DATA_DIR": str(tmp_path), "PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
