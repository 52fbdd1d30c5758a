"""Programs of a version of this repository, each run once for what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.installs import MissingError

_TIMEOUT_S = 120
_MOST_LETTERS = 600
"""Of what a program said that failed: its end tells why."""


def said_by_python(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """Run Python in a folder, and return what it wrote.

    Raises:
        MissingError: It failed; the error has the end of what it said.
    """
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *arguments],
        env={**os.environ, **(environ or {})},
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        timeout=_TIMEOUT_S,
    )
    if done.returncode != 0:
        said = " ".join((done.stdout + done.stderr).split())
        raise MissingError(f"a program in {folder} said: {said[-_MOST_LETTERS:]}")
    return done.stdout
