"""How gunicorn serves us: its gevent worker, with less work for each call.

Parsing, what is refused, which connections stay open, and how a process ends are gunicorn's
own. Its settings become plain attributes, a body that has arrived is handed over whole, and
an answer leaves in one piece, to a client that has to take it.
"""

from __future__ import annotations

import errno
import functools
import time
from contextlib import suppress
from email.utils import formatdate
from io import BytesIO
from typing import Any

import gevent
from gunicorn.http import wsgi
from gunicorn.http.body import LengthReader
from gunicorn.workers.ggevent import GeventWorker

LONGEST_WRITE_S = 30.0
"""How long a client may take to make room for what is being written to it."""


class GatewayWorker(GeventWorker):
    """Named in ``gunicorn.conf.py``."""

    @classmethod
    def setup(cls) -> None:
        """Let gunicorn answer with our class. It calls this when it loads the worker's class."""
        wsgi.Response = Answer

    def init_process(self) -> None:
        """Serve until told to stop."""
        # A setting is looked up, through its property, some thirty times for each request.
        self.cfg.__dict__.update({name: one.get() for name, one in self.cfg.settings.items()})
        super().init_process()

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request; a body that has come with its head needs no more reading."""
        reader = req.body.reader
        if isinstance(reader, LengthReader):
            arrived = req.unreader.take_buffered()
            if len(arrived) >= reader.length:
                req.body = BytesIO(arrived[: reader.length])
                arrived = arrived[reader.length :]
            req.unreader.unread(arrived)
        super().handle_request(listener_name, req, sock, addr)


class Answer(wsgi.Response):
    """An answer whose head leaves together with the first part of its body.

    Attributes:
        longest_write_s: After this many seconds, a client that takes nothing counts as gone.
    """

    longest_write_s = LONGEST_WRITE_S

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._waiting = b""

    def default_headers(self) -> list[str]:
        """Return the lines that every answer begins with."""
        major, minor = self.req.version
        connection = "close" if self.should_close() else "keep-alive"
        lines = [
            f"HTTP/{major}.{minor} {self.status}\r\n",
            f"Server: {self.version}\r\n",
            f"Date: {_http_date(int(time.time()))}\r\n",
            f"Connection: {'upgrade' if self.upgrade else connection}\r\n",
        ]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
        return lines

    def send_headers(self) -> None:
        """Send the head by itself, unless it has been sent."""
        if not self.headers_sent:
            self._send(self._take_head())

    def write(self, arg: bytes) -> None:
        """Send a part of the body, and the head before it; raise if the client is gone."""
        if not self.headers_sent:
            self._waiting = self._take_head()
        super().write(arg)
        if self._waiting:
            # The part was empty, or an answer of this kind has no body.
            self._emit_body(b"")

    def close(self) -> None:
        """End the answer."""
        self.send_headers()
        if self.chunked:
            self._send(b"0\r\n\r\n")

    def _take_head(self) -> bytes:
        lines = self.default_headers()
        lines += [f"{name}: {value}\r\n" for name, value in self.headers]
        head = f"{''.join(lines)}\r\n".encode("latin-1")
        self.headers_sent = True
        return head

    def _emit_body(self, data: bytes) -> None:
        """Frame a part as gunicorn does, and send it at once."""
        if self.chunked and data:
            data = b"%b%X\r\n%b\r\n" % (self._waiting, len(data), data)
        else:
            data = self._waiting + data
        self._waiting = b""
        self._send(data)

    def _send(self, data: bytes) -> None:
        # Nearly always the kernel takes all of it, and nothing has to be timed. Under TLS
        # gevent would wait here all the same.
        sent = 0
        if not self.cfg.is_ssl:
            with suppress(BlockingIOError):
                sent = self.sock.send(data, 0, 0.0)
        if sent < len(data):
            gone = BrokenPipeError(errno.EPIPE, "the client stopped reading")
            with gevent.Timeout(self.longest_write_s, gone):
                self.sock.sendall(memoryview(data)[sent:])


@functools.lru_cache(maxsize=1)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
