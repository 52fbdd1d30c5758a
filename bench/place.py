"""Where the benchmark keeps what it installs and writes, and which ports it takes."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

REPOSITORY = Path(__file__).resolve().parent.parent
WIRE = Path(__file__).resolve().parent / "wire"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Place:
    """A directory of the benchmark's own; ``BENCH_DIR`` names another than ``var/bench``.

    Attributes:
        root: All of it.
    """

    root: Path

    @classmethod
    def from_env(cls) -> Self:
        """Return the directory, made if it is missing."""
        place = cls(Path(os.environ.get("BENCH_DIR") or REPOSITORY / "var" / "bench").resolve())
        for directory in (place.installed, place.logs, place.run):
            directory.mkdir(parents=True, exist_ok=True)
        return place

    @property
    def installed(self) -> Path:
        """Other people's programs, kept from run to run; linters skip a ``.venv``."""
        return self.root / ".venv"

    @property
    def logs(self) -> Path:
        """What each process had to say in the last run."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Files of one run: configurations, databases."""
        return self.root / "run"


def free_port() -> int:
    """Return a port of the loopback interface that no program listens on."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
