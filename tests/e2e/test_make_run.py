"""``make run`` on an empty folder: ready, a funded key, a line to paste, and an end."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stack import PATIENCE_S, REPOSITORY, reserved_port
from tests.stores import fresh_postgres_database

SETTINGS = ("AUTH_SECRET", "BASE_URL", "PAYSTACK_", "LITELLM_", "POSTGRES_URL", "PORT", "DATA_DIR")


@contextmanager
def demo(data_dir: Path, **settings: str) -> Iterator[list[str]]:
    """Run the demo until it says READY and how to call it; stop it with Ctrl-C at the end."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    # A shell that starts the tests in the background has it ignored, which children inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with reserved_port() as port, reserved_port() as sandbox_port:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.demo"],
            cwd=REPOSITORY,
            env={
                **bare,
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
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            process.stdout.close()


@dataclass(frozen=True)
class FirstRun:
    """What the first run in a folder printed, left behind, and streamed."""

    folder: Path
    lines: list[str]
    notes: dict[str, str]
    streamed: str


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def first_run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FirstRun]:
    folder = tmp_path_factory.mktemp(f"demo-{request.param}")
    with ExitStack() as resources:
        settings = {}
        if request.param == "postgres":
            settings["POSTGRES_URL"] = resources.enter_context(fresh_postgres_database())
        with demo(folder, **settings) as lines:
            [curl] = [line for line in lines if line.startswith("curl ")]
            streamed = subprocess.run(
                ["curl", "-sS", *shlex.split(curl)[1:]], capture_output=True, text=True, check=True
            ).stdout
        yield FirstRun(folder, lines, notes_in(folder), streamed)


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


@pytest.mark.parametrize("first_run", ["sqlite"], indirect=True)
def test_starting_again_keeps_the_account(first_run: FirstRun) -> None:
    with demo(first_run.folder):
        second = notes_in(first_run.folder)

    for name in ("email", "api_key"):
        assert second[name] == first_run.notes[name]


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
