"""``make run`` on an empty folder: ready, a funded key, a line to paste, and an end."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stack import REPOSITORY, free_port
from tests.stores import fresh_postgres_database

SETTINGS = ("AUTH_SECRET", "BASE_URL", "PAYSTACK_", "LITELLM_", "POSTGRES_URL", "PORT", "DATA_DIR")


@contextmanager
def demo(data_dir: Path, **settings: str) -> Iterator[list[str]]:
    """Run the demo until it says READY and how to call it; stop it with Ctrl-C at the end."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.demo"],
        cwd=REPOSITORY,
        env={
            **bare,
            "DATA_DIR": str(data_dir),
            "PORT": str(free_port()),
            "SANDBOX_PORT": str(free_port()),
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
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    if request.param == "sqlite":
        yield {}
    else:
        with fresh_postgres_database() as url:
            yield {"POSTGRES_URL": url}


def test_the_printed_line_streams_a_completion(tmp_path: Path, settings: dict[str, str]) -> None:
    with demo(tmp_path, **settings) as lines:
        [curl] = [line for line in lines if line.startswith("curl ")]
        streamed = subprocess.run(
            ["curl", "-sS", *shlex.split(curl)[1:]], capture_output=True, text=True, check=True
        ).stdout
        notes = json.loads((tmp_path / "demo.json").read_text())

    assert [line for line in lines if line.startswith("READY")] == [f"READY {notes['base_url']}"]
    assert set(notes) == {"base_url", "api_key", "email", "password"}
    assert streamed.count("data: {") > 5
    assert streamed.rstrip().endswith("data: [DONE]")


def test_starting_again_keeps_the_account(tmp_path: Path) -> None:
    with demo(tmp_path):
        first = json.loads((tmp_path / "demo.json").read_text())
    with demo(tmp_path):
        second = json.loads((tmp_path / "demo.json").read_text())

    assert (first["email"], first["api_key"]) == (second["email"], second["api_key"])


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with demo(tmp_path / "one") as lines:
        [ready] = [line for line in lines if line.startswith("READY")]
        port = ready.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-m", "sandbox.demo"],
            cwd=REPOSITORY,
            env={**os.environ, "DATA_DIR": str(tmp_path / "two"), "PORT": port},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
