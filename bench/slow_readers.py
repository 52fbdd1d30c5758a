"""Readers that take ten bytes a second: what they do to the calls of others."""

from __future__ import annotations

import http.client
import json
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.procfs import memory_bytes
from bench.standin import INSTANT, request_body
from bench.targets import Target

READERS = 200
_BYTES_PER_S = 10
_TOKENS = 2_000
_CALLS = 300
_SMALL_BUFFER = 4096
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class SlowReaders:
    """What one target did, before and while slow readers held its streams open.

    Attributes:
        quiet_ms: The median time of a call with no reader there.
        busy_ms: The same with all the slow readers connected.
        memory_kb_per_reader: What the target's memory grew by, for each of them.
    """

    target: str
    quiet_ms: float
    busy_ms: float
    memory_kb_per_reader: float

    def line(self) -> str:
        """Return it for people."""
        return (
            f"{self.target}: a call takes {self.quiet_ms:.2f} ms, and {self.busy_ms:.2f} ms beside "
            f"{READERS} readers of {_BYTES_PER_S} bytes/s: {self.busy_ms / self.quiet_ms:.2f} x; "
            f"{self.memory_kb_per_reader:.0f} KB for each reader"
        )


def measure_slow_readers(target: Target) -> SlowReaders:
    """Time calls, one after the other, without and with slow readers."""
    _median_ms(target)
    quiet_ms, quiet_bytes = _median_ms(target), memory_bytes(target.pids)
    with _slow_readers(target):
        busy_ms, busy_bytes = _median_ms(target), memory_bytes(target.pids)
    grown_kb = max(busy_bytes - quiet_bytes, 0) / 1024
    return SlowReaders(target.name, quiet_ms, busy_ms, grown_kb / READERS)


def _median_ms(target: Target) -> float:
    address = urlsplit(target.url)
    body = json.dumps(request_body())
    took = []
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=_TIMEOUT_S)
    headers = {"content-type": "application/json", **target.headers[0]}
    for _ in range(_CALLS):
        started = time.perf_counter()
        connection.request("POST", f"{address.path}/v1/chat/completions", body, headers)
        connection.getresponse().read()
        took.append(time.perf_counter() - started)
    connection.close()
    return statistics.median(took) * 1000


@contextmanager
def _slow_readers(target: Target) -> Iterator[None]:
    stop = threading.Event()
    with ExitStack() as sockets, selectors.DefaultSelector() as readable:
        for number in range(READERS):
            reader = sockets.enter_context(_stream(target, number))
            readable.register(reader, selectors.EVENT_READ)
        reading = threading.Thread(target=_read_slowly, args=(readable, stop))
        reading.start()
        try:
            yield
        finally:
            stop.set()
            reading.join()


def _stream(target: Target, number: int) -> socket.socket:
    """Open a stream, take its first bytes, and let the rest wait in small buffers."""
    address = urlsplit(target.url)
    body = json.dumps(request_body(INSTANT, tokens=_TOKENS))
    given = {"host": "bench", "content-type": "application/json"}
    given |= target.headers[number % len(target.headers)]
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
    client.settimeout(_TIMEOUT_S)
    client.connect((str(address.hostname), address.port))
    client.sendall(
        f"POST {address.path}/v1/chat/completions HTTP/1.1\r\n{head}"
        f"content-length: {len(body)}\r\n\r\n{body}".encode()
    )
    client.recv(_BYTES_PER_S)
    return client


def _read_slowly(readable: selectors.BaseSelector, stop: threading.Event) -> None:
    while not stop.wait(1.0):
        for key, _ in readable.select(timeout=0):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.recv(_BYTES_PER_S)
