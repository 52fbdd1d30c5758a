"""A way to a PostgreSQL server that breaks off where a test wants it to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

from psycopg2.extensions import parse_dsn

_MONEY = (b"call-", b"COMMIT")
"""Both stand in each message that moves money in these tests: it names a call, and commits."""

_READY = b"Z\x00\x00\x00\x05"
"""ReadyForQuery: the server has done what it was sent, COMMIT included.
https://www.postgresql.org/docs/current/protocol-message-formats.html"""


class Cut(StrEnum):
    """Where the connection breaks."""

    BEFORE_COMMIT = "before the server has it"
    AFTER_COMMIT = "before the client hears that it is done"


class Cutter:
    """Passes messages on, until it is told to cut one that moves money.

    Attributes:
        url: The database, through here.
        direct_url: The same, not through here.
        cuts: How many connections were cut.
    """

    def __init__(self, url: str) -> None:
        self.direct_url = url
        self._dsn = parse_dsn(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        user, name = self._dsn["user"], self._dsn["dbname"]
        options = "sslmode=disable&gssencmode=disable"
        self.url = f"postgresql://{user}@127.0.0.1:{port}/{name}?{options}"
        self._armed: Cut | None = None
        self._passing = 0
        self.cuts = 0

    def arm(self, cut: Cut, *, after: int = 0) -> None:
        """Cut the next message that moves money, or a later one: so many pass before it."""
        self._armed, self._passing = cut, after

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_one, args=(client,), daemon=True).start()

    def close(self) -> None:
        # Closing alone would leave the other thread in accept().
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _connect(self) -> socket.socket:
        host, port = self._dsn["host"], self._dsn.get("port", "5432")
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _serve_one(self, client: socket.socket) -> None:
        with client, self._connect() as server:
            deaf = threading.Event()
            back = threading.Thread(target=_pass_on, args=(server, client, deaf), daemon=True)
            back.start()
            with suppress(OSError):
                while data := client.recv(65536):
                    cut = self._cut_at(data)
                    if cut is None:
                        server.sendall(data)
                        continue
                    if cut is Cut.AFTER_COMMIT:
                        deaf.set()
                        server.sendall(data)
                        # Ends when the server has answered.
                        back.join()
                    break
            for sock in (client, server):
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            back.join()

    def _cut_at(self, data: bytes) -> Cut | None:
        if self._armed is None or not all(word in data for word in _MONEY):
            return None
        if self._passing:
            self._passing -= 1
            return None
        cut, self._armed = self._armed, None
        self.cuts += 1
        return cut


def _pass_on(server: socket.socket, client: socket.socket, deaf: threading.Event) -> None:
    with suppress(OSError):
        while data := server.recv(65536):
            if not deaf.is_set():
                client.sendall(data)
            elif _READY in data:
                return


@contextmanager
def cutter(url: str) -> Iterator[Cutter]:
    found = Cutter(url)
    serving = threading.Thread(target=found.serve)
    serving.start()
    try:
        yield found
    finally:
        found.close()
        serving.join()
