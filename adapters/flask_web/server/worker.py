"""How gunicorn serves us: its gevent worker, with less work for each call.

What is refused, and which connections stay open, are gunicorn's own. Its settings become plain
attributes, plain requests are read quickly, a body that has arrived is handed over whole, and an
answer leaves in one piece, to a client that has to take it. Refusals are in JSON. A process that
is told to end does not wait for clients that say nothing.
"""

from __future__ import annotations

import errno
import functools
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from email.utils import formatdate
from io import BytesIO
from typing import Any

import gevent
from gunicorn import http, util
from gunicorn.http import wsgi
from gunicorn.http.body import LengthReader
from gunicorn.http.wsgi import WSGIErrorsWrapper
from gunicorn.workers.ggevent import GeventWorker

from adapters.flask_web.server import plain_environ
from adapters.flask_web.server.connections import Connections
from adapters.flask_web.server.fast_path import PlainParser, PlainRequest
from adapters.flask_web.server.lingering import linger
from adapters.flask_web.server.parse_errors import fault_of_unread, refusal_of_unread, whole_answer
from adapters.flask_web.server.stalls import StallDetector
from adapters.flask_web.web.errors import refusal

MAX_WRITE_S = 30.0
"""How long a client may take to make room for what is being written to it."""

_NAMES_REMEMBERED = 512
_BEGINNINGS_REMEMBERED = 16

_NO_TIMER = nullcontext()

_TOO_MANY = refusal(
    503, "Your network has as many connections here as it gets now.", code="overloaded"
)


class GatewayWorker(GeventWorker):
    """Named in ``gunicorn.conf.py``.

    Attributes:
        fast_parser: Whether plain requests are read by our own parser; gunicorn reads the rest.
            Set before gunicorn loads the class.
        shares_by_address: Whether an address has a share of the connections. Not where all of
            them come from proxies.
    """

    fast_parser = True
    shares_by_address = True

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._connections = Connections(
            self.worker_connections, shared_by_address=self.shares_by_address
        )
        self._latest = ""
        # Set where there is somebody who counts.
        self.on_stall: Callable[[], None] = lambda: None

    @classmethod
    def setup(cls) -> None:
        """Let gunicorn read and answer our way. It calls this when it loads the worker's class."""
        if cls.fast_parser:
            http.RequestParser = PlainParser
            wsgi.create = plain_environ.create
        wsgi.Response = Answer
        wsgi.WSGIErrorsWrapper = _errors

    def init_process(self) -> None:
        """Serve until told to stop."""
        # A setting is looked up, through its property, some thirty times for each request.
        self.cfg.__dict__.update({name: one.get() for name, one in self.cfg.settings.items()})
        super().init_process()

    def run(self) -> None:
        """Serve connections, and notice when one of them stops all the others."""
        gevent.spawn(StallDetector(lambda: self._latest or "none", self.on_stall).watch)
        super().run()

    def notify(self) -> None:
        """Tell gunicorn, once a second, that this process works; let go of who says nothing.

        For as long as the setting ``keepalive`` says, or of all to end.
        """
        super().notify()
        self._connections.end_idle(self.cfg.keepalive)
        if not self.alive:
            self._connections.end_all_idle()

    def timeout_ctx(self) -> AbstractContextManager[None]:
        """Set no timer for each request that is waited for: ``notify`` sees how long it takes."""
        return _NO_TIMER

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection to its end."""
        try:
            if self._connections.enter(client, addr):
                super().handle(listener, client, addr)
            else:
                util.write_nonblock(client, whole_answer(_TOO_MANY, _new_request_id()))
        finally:
            self._connections.leave(client, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request; a body that has come with its head needs no more reading."""
        address = self._connections.busy(sock)
        # Without the query: it may hold what only the caller may know.
        self._latest = f"{req.method} {req.path}"
        try:
            if not isinstance(req, PlainRequest):
                _take_arrived_body(req)
            super().handle_request(listener_name, req, sock, addr)
        except StopIteration:
            if not isinstance(req.body, BytesIO):
                linger(sock)
            raise
        finally:
            self._connections.idle(sock, address)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Tell a client why its request was not read; our own failures are left to gunicorn."""
        answer = refusal_of_unread(exc)
        if answer is None:
            super().handle_error(req, client, addr, exc)
            return
        request_id = _new_request_id()
        host = addr[0] if addr else "a socket"
        fault = fault_of_unread(exc)
        self.log.warning("request %s from %s was refused: %s", request_id, host, fault)
        util.write_nonblock(client, whole_answer(answer, request_id))
        linger(client)


class Answer(wsgi.Response):
    """An answer whose head leaves together with the first part of its body.

    Attributes:
        longest_write_s: After this many seconds, a client that takes nothing counts as gone.
    """

    longest_write_s = MAX_WRITE_S
    _waiting = b""

    def process_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Take the headers of an answer; gunicorn checks each that is not obviously harmless."""
        keep = self.headers.append
        for name, value in headers:
            # Printable ASCII cannot split an answer. A name is checked once, a value each time.
            is_plain = value.isascii() and value.isprintable()
            if is_plain and _is_plain_name(name):
                keep((name, value.strip(" ")))
            elif name == "content-length" and is_plain and value.isdigit():
                self.response_length = int(value)
                self.headers.append((name, value))
            elif (name.lower(), value) == ("connection", "close"):
                # WSGI gives this word to the server. It is how an application tells ours that
                # what is left on the connection can no longer be understood.
                self.force_close()
            else:
                super().process_headers([(name, value)])

    def default_headers(self) -> list[str]:
        """Return the lines that every answer begins with."""
        connection = "close" if self.should_close() else "keep-alive"
        lines = _first_lines(
            self.req.version,
            self.status,
            self.version,
            "upgrade" if self.upgrade else connection,
            int(time.time()),
        )
        return [lines, "Transfer-Encoding: chunked\r\n"] if self.chunked else [lines]

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
        try:
            sent = 0 if self.cfg.is_ssl else self.sock.send(data, 0, 0.0)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            gone = BrokenPipeError(errno.EPIPE, "the client stopped reading")
            with gevent.Timeout(self.longest_write_s, gone):
                self.sock.sendall(memoryview(data)[sent:])


def _take_arrived_body(req: Any) -> None:
    """Let a request that gunicorn has read give a body as it is that has come with its head."""
    reader = req.body.reader
    if isinstance(reader, LengthReader):
        arrived = req.unreader.take_buffered()
        if len(arrived) >= reader.length:
            req.body = BytesIO(arrived[: reader.length])
            arrived = arrived[reader.length :]
        req.unreader.unread(arrived)


@functools.lru_cache(maxsize=1)
def _errors(cfg: Any) -> WSGIErrorsWrapper:
    """Return where applications write their errors: one for all requests, as it keeps nothing."""
    return WSGIErrorsWrapper(cfg)


def _new_request_id() -> str:
    return f"req-{secrets.token_hex(12)}"


@functools.lru_cache(maxsize=_NAMES_REMEMBERED)
def _is_plain_name(name: str) -> bool:
    """Say whether a header has a proper name that means nothing to a server."""
    return (
        wsgi.TOKEN_RE.fullmatch(name) is not None
        and name.lower() != "content-length"
        and not util.is_hoppish(name)
    )


# Within a second nearly all answers begin alike.
@functools.lru_cache(maxsize=_BEGINNINGS_REMEMBERED)
def _first_lines(
    version: tuple[int, int], status: str, server: str, connection: str, second: int
) -> str:
    major, minor = version
    return (
        f"HTTP/{major}.{minor} {status}\r\n"
        f"Server: {server}\r\n"
        f"Date: {formatdate(second, usegmt=True)}\r\n"
        f"Connection: {connection}\r\n"
    )
