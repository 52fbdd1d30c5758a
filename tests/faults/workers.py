"""The processes that serve, and which connection is whose: what Linux knows of them."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.stack import Stack, wait_until

_ESTABLISHED = "01"


def workers_of(stack: Stack) -> set[int]:
    """Return the process ids of the workers."""
    return children_of(stack.process.pid if stack.process else 0)


def children_of(pid: int) -> set[int]:
    """Return the process ids of a process's children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return {int(child) for child in children.split()}


@contextmanager
def paused(pids: Collection[int]) -> Iterator[None]:
    """Stop workers for a moment, so that a connection made meanwhile goes to another.

    Left alone, one worker may accept all that come one after another.
    """
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: all(_state(pid) == "T" for pid in pids))
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def worker_serving(stack: Stack, sock: socket.socket) -> int | None:
    """Return the worker that has accepted a connection of ours, or None if none has yet."""
    ours = sock.getsockname()[1]
    theirs = urlsplit(stack.base_url).port or 0
    inode = _inode(local_port=theirs, remote_port=ours)
    wanted = f"socket:[{inode}]"
    for pid in workers_of(stack):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            # Descriptors come and go while we look.
            with suppress(OSError):
                if str(descriptor.readlink()) == wanted:
                    return pid
    return None


def _inode(*, local_port: int, remote_port: int) -> int:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, remote = (int(address.partition(":")[2], 16) for address in fields[1:3])
        if (local, remote, fields[3]) == (local_port, remote_port, _ESTABLISHED):
            return int(fields[9])
    return 0
