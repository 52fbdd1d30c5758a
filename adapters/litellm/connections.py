"""Connections to one server: opened on demand, kept alive, never more than allowed.

Plain sockets of the standard library that never block, and the hub of whichever thread
reads them to wait in: politely in a greenlet, and blocking only its own thread elsewhere.
The pools of the HTTP libraries hand a socket of one gevent hub to another thread, or wait
for a free place without end.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from gevent.lock import BoundedSemaphore
from gevent.monkey import get_original

from adapters.litellm.waiting import Wait
from creditcore.domain.errors import ClientLeftError, UpstreamUnavailableError
from creditcore.ports.clients import UNSEEN, Client
from creditcore.ports.metrics import PoolUse

_BLOCK_BYTES = 64 * 1024
LOOK_EVERY_S = 1.0
"""How often a client is looked after while the server makes it wait."""

# Only ever asked "now?", with a timeout of zero, so gevent has nothing to do with it.
_poll = get_original("select", "poll")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is.

    Attributes:
        prefix: What stands before every path, without a slash at its end.
    """

    host: str
    port: int
    tls: bool
    prefix: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an address such as ``https://llm.example.com/litellm``.

        Raises:
            ValueError: Not a plain http or https address.
        """
        parts = urlsplit(url)
        extras = parts.username or parts.password or parts.query or parts.fragment
        plain = not extras and url.isascii() and url.isprintable() and " " not in url
        if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
            raise ValueError("not a plain http or https address")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))

    @property
    def host_header(self) -> str:
        """The value of ``Host``: the port is left out where it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


class NoFreeConnectionError(UpstreamUnavailableError):
    """As many calls run as may."""


class Connection:
    """One connection. While it works, its errors are ``OSError``: the caller knows what they mean.

    Attributes:
        reused: Whether it has served an answer before.
    """

    def __init__(
        self, address: Address, *, tls: ssl.SSLContext | None, connect_timeout_s: float
    ) -> None:
        """Connect.

        Raises:
            UpstreamUnavailableError: The server cannot be reached.
        """
        self._address = address
        self._tls = tls
        self._connect_timeout_s = connect_timeout_s
        self._arrival: Wait | None = None
        self._open()

    def reopen(self) -> None:
        """Close, and connect anew.

        Raises:
            UpstreamUnavailableError: The server cannot be reached.
        """
        self.close()
        self._open()

    def send(self, data: bytes, *, deadline: float, client: Client = UNSEEN) -> None:
        """Send everything.

        Args:
            data: What to send.
            deadline: When to give up, in ``time.monotonic``.
            client: Asked whether it is still there while the server takes nothing.

        Raises:
            ClientLeftError: The client went away meanwhile.
            TimeoutError: The server did not take it in time.
            OSError: The connection is broken.
        """
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent = 0
        if sent == len(data):
            return
        try:
            self._send_rest(memoryview(data)[sent:], deadline, client)
        finally:
            self._sock.settimeout(0)

    def receive(self, *, deadline: float) -> bytes | None:
        """Return what has arrived; None if nothing came in time; ``b""`` once the server closed.

        It waits first and reads then: reading too early costs as much as reading, and
        between two blocks all others have a turn. A timeout loses nothing: plain bytes
        stay in the kernel, and a half-received TLS record stays in the TLS layer.

        Args:
            deadline: When to give up, in ``time.monotonic``.

        Raises:
            OSError: The connection is broken.
        """
        if self._arrival is None or not self._arrival.is_ours():
            self._arrival = Wait(self._sock.fileno())
        while True:
            in_time = (self._tls is not None and self._has_decrypted()) or self._arrival.until(
                deadline
            )
            try:
                return self._sock.recv(_BLOCK_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                if not in_time:
                    return None

    def is_quiet(self) -> bool:
        """Whether an idle connection is still usable.

        One that has something to read was closed by the server, or says something
        no call asked for.
        """
        return not self._pending_input.poll(0)

    def close(self) -> None:
        """Close at once, so that the server notices on its next write."""
        if self._arrival is not None:
            self._arrival.close()
            self._arrival = None
        # A shutdown reaches the server even while another greenlet still holds the socket.
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _open(self) -> None:
        self._sock = self._connect()
        self._sock.settimeout(0)
        self._pending_input = _poll()
        self._pending_input.register(self._sock, select.POLLIN)
        self.reused = False

    def _send_rest(self, rest: memoryview, deadline: float, client: Client) -> None:
        if isinstance(self._sock, ssl.SSLSocket):
            # What was cut off in the middle of a record could not be gone on with.
            self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
            self._sock.sendall(rest)
            return
        while rest:
            left_s = deadline - time.monotonic()
            self._sock.settimeout(min(max(left_s, 0.001), LOOK_EVERY_S))
            try:
                rest = rest[self._sock.send(rest) :]
            except TimeoutError:
                if left_s <= LOOK_EVERY_S:
                    raise
                if client.has_left():
                    raise ClientLeftError(was_sent=False) from None

    def _has_decrypted(self) -> bool:
        """Whether the TLS layer holds bytes that the kernel will not tell of again."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + self._connect_timeout_s
        try:
            sock = socket.create_connection(
                (self._address.host, self._address.port), timeout=self._connect_timeout_s
            )
        except OSError as error:
            raise UpstreamUnavailableError from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                return sock
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            return self._tls.wrap_socket(sock, server_hostname=self._address.host)
        except OSError as error:
            sock.close()
            raise UpstreamUnavailableError from error


class ConnectionPool:
    """Connections to one address. Safe to share between threads and greenlets."""

    def __init__(
        self, address: Address, *, size: int, connect_timeout_s: float, wait_timeout_s: float
    ) -> None:
        """Open nothing yet.

        Args:
            address: Where to connect.
            size: How many connections there may be at once, idle ones included.
            connect_timeout_s: How long opening one may take, TLS included.
            wait_timeout_s: How long to wait for a free place when all are busy.
        """
        self._address = address
        self._connect_timeout_s = connect_timeout_s
        self._wait_timeout_s = wait_timeout_s
        self._size = size
        self._places = BoundedSemaphore(size)
        self._idle: deque[Connection] = deque()
        self._tls = ssl.create_default_context() if address.tls else None

    def take(self, *, new: bool = False) -> Connection:
        """Return the connection used last that is still alive, else a new one.

        It must come back, by ``give_back`` or ``discard``, or its place is lost.

        Args:
            new: Whether only a new one will do.

        Raises:
            NoFreeConnectionError: All are busy.
            UpstreamUnavailableError: The server cannot be reached.
        """
        if not self._places.acquire(timeout=self._wait_timeout_s):
            raise NoFreeConnectionError
        try:
            kept = None if new else self._take_idle()
            return kept or Connection(
                self._address, tls=self._tls, connect_timeout_s=self._connect_timeout_s
            )
        except BaseException:
            self._places.release()
            raise

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose answer was read to its end for the next call."""
        connection.reused = True
        self._idle.append(connection)
        self._places.release()

    def discard(self, connection: Connection) -> None:
        """Close a connection whose answer was not."""
        connection.close()
        self._places.release()

    def use(self) -> PoolUse:
        """Return how many calls are under way."""
        return PoolUse(name="upstream", taken=self._size - self._places.counter, size=self._size)

    def close(self) -> None:
        """Close the idle connections. Those in use are closed by who uses them."""
        while self._idle:
            self._idle.pop().close()

    def _take_idle(self) -> Connection | None:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if connection.is_quiet():
                return connection
            connection.close()
