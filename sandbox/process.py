"""The sandbox as a child process, for tests and demos."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Self

READY = "sandbox ready "
REPOSITORY = Path(__file__).resolve().parent.parent


class SandboxNotReadyError(RuntimeError):
    """The process ended, or took too long, before it accepted connections."""


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox; as a context manager it stops at the end.

    Attributes:
        base_url: The root of all stand-ins, without a slash at the end.
        mail_url: What ``MAIL_URL`` has to be.
    """

    base_url: str
    mail_url: str
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, *flags: str, port: int = 0, timeout_s: float = 60.0) -> Self:
        """Start a sandbox with command-line flags; return when it serves.

        Without a port it takes a free one.

        Raises:
            SandboxNotReadyError: It did not come up.
        """
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "sandbox", "--port", str(port), *flags],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert process.stdout  # noqa: S101 - piped above, which the type does not say
        killer = Timer(timeout_s, process.kill)
        killer.start()
        line = process.stdout.readline().strip()
        killer.cancel()
        if not line.startswith(READY):
            process.kill()
            process.wait()
            process.stdout.close()
            raise SandboxNotReadyError(line or "The sandbox ended before it was ready.")
        base_url, mail_url = line.removeprefix(READY).split()
        return cls(base_url, mail_url, process)

    @property
    def paystack_url(self) -> str:
        """What ``PAYSTACK_BASE_URL`` has to be."""
        return f"{self.base_url}/paystack"

    @property
    def litellm_url(self) -> str:
        """What ``LITELLM_BASE_URL`` has to be."""
        return f"{self.base_url}/litellm"

    def stop(self, timeout_s: float = 30.0) -> int:
        """Ask the process to end, and return its exit status; a repeat changes nothing."""
        self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            if self.process.stdout:
                self.process.stdout.close()

    def __enter__(self) -> Self:
        """Return the running sandbox."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()
