"""Processes that end when the benchmark ends, whichever way it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

_STOP_TIMEOUT_S = 10.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass
class Children:
    """Started processes, each in a group of its own; leaving the context stops them all.

    Attributes:
        logs: Where each one's output goes, in a file of its name.
    """

    logs: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a server.

        Args:
            name: Names its log.
            command: The program and its arguments.
            environ: Variables beside our own environment.
            cwd: Where it runs.
            user: As whom, where we may choose.
        """
        with (self.logs / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(  # noqa: S603 - programs that this package chose
                [str(part) for part in command],
                env={**os.environ, **(environ or {})},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=user,
                extra_groups=[] if user else None,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - this program has one thread
            )
        self.running.append(child)
        return child

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """Stop a process and what it started; one that has ended already is fine."""
        if child in self.running:
            self.running.remove(child)
        # SIGINT ends all of them at once; on SIGTERM gunicorn lets streams finish.
        _signal(child, signal.SIGINT)
        try:
            child.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            _signal(child, signal.SIGKILL)
            child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop what was started last first: it may depend on what was started before."""
        while self.running:
            self.stop(self.running[-1])


def die_with_parent() -> None:
    """Ask the kernel to interrupt this process when the benchmark is gone, even if killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The group may outlive its leader, so it is not enough that the leader has ended.
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)
