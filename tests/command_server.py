"""Operator commands in forks of one process that has imported them.

``python -m flask --app wsgi ...`` takes a second and a half to import the program, and the tests
give hundreds of commands. Here a process imports it once; each command is a fork of that process,
which reads its own environment, builds the program anew and ends as any other.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

from tests.processes import ROOT


def run_flask(
    arguments: Sequence[str], environ: Mapping[str, str], *, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run ``flask --app wsgi`` with these arguments and return what it printed."""
    folder = Path(tempfile.mkdtemp(prefix="command-", dir=_server()))
    order = {"arguments": list(arguments), "environ": dict(environ), "folder": str(folder)}
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(timeout_s)
        connection.connect(str(_server() / "commands"))
        connection.sendall(json.dumps(order).encode() + b"\n")
        answer = connection.makefile().readline()
    assert answer, f"the process of flask {arguments} was lost"
    done = subprocess.CompletedProcess(
        ["flask", *arguments],
        int(answer),
        *((folder / name).read_text() for name in ("stdout", "stderr")),
    )
    shutil.rmtree(folder)
    return done


@cache
def _server() -> Path:
    """Start the process that forks, and return its folder."""
    folder = Path(tempfile.mkdtemp(prefix="commands-"))
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.command_server", str(folder / "commands")],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}},
        # It ends with us, however we end: then there is nothing more to read.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert server.stdout.readline() == b"ready\n"
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.communicate)
    return folder


def serve(address: str) -> None:
    """Take orders until no test can give any; return in the fork that is to run a command."""
    with suppress(Exception):
        # It says that nothing is configured, but by then all is imported.
        import wsgi  # noqa: F401
    sys.modules.pop("wsgi", None)
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(address)
        listener.listen(100)
        print("ready", flush=True)  # noqa: T201
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                sys.exit()
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
            _bury()
    with closing(connection):
        order = json.loads(connection.makefile().readline())
        pid = os.fork()
        if pid == 0:
            _become(order)
            return
        _, status = os.waitpid(pid, 0)
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _bury() -> None:
    """Let go of the forks that ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _become(order: dict[str, object]) -> None:
    """Turn this fork into the command."""
    os.environ.clear()
    os.environ.update(order["environ"])
    sys.argv = ["flask", "--app", "wsgi", *order["arguments"]]
    files = [os.open(os.devnull, os.O_RDONLY)]
    for name in ("stdout", "stderr"):
        path = Path(order["folder"]) / name
        files.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
    for number, file in enumerate(files):
        os.dup2(file, number)


if __name__ == "__main__":
    serve(sys.argv[1])
    from flask.cli import cli

    cli.main(prog_name="flask")
