"""A way to a PostgreSQL server that breaks off where a test wants it to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

from psycopg2.extensions import parse_dsn

_MONEY = b"call-"
"""Stands in each message that moves money in these tests."""

_READY = b"Z\x00\x00\x00\x05"
"""ReadyForQuery: the server has done what it was sent, COMMIT included.
https://www.postgresql.org/docs/current/protocol-message-formats.html"""


class Cut(StrEnum):
    """Where the connection breaks."""

    BEFORE_COMMIT = "before the server has it"
    AFTER_COMMIT = "before the client hears that it is done"


class Cutter:
    """Passes messages on, until it is told to cut the next one that moves money.

    Attributes:
        url: The database, through here.
        cuts: How many connections were cut.
    """

    def __init__(self, url: str) -> None:
        self._dsn = parse_dsn(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        user, name = self._dsn["user"], self._dsn["dbname"]
        options = "sslmode=disable&gssencmode=disable"
        self.url = f"postgresql://{user}@127.0.0.1:{port}/{name}?{options}"
        self._armed: Cut | None = None
        self.cuts = 0

    def arm(self, cut: Cut) -> None:
        self._armed = cut

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
                    if self._armed is None or _MONEY not in data:
                        server.sendall(data)
                        continue
                    cut, self._armed = self._armed, None
                    self.cuts += 1
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
