"""Our gunicorn worker, with a real connection: what it saves, and what it may not change."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import gevent.event
import pytest
from gevent import socket as cooperative
from gunicorn import http
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import wsgi
from gunicorn.http.errors import InvalidResponseHeader
from gunicorn.http.message import Request

from adapters.flask_web.server.fast_path import PlainRequest
from adapters.flask_web.server.worker import Answer, GatewayWorker

OPENED = "POST /call HTTP/1.1\r\nHost: gateway\r\n"
PATIENCE_S = 30
SMALL_BUFFER = 4096
LAST = b"0\r\n\r\n"
GUNICORNS_OWN = [
    (module, name, getattr(module, name))
    for module, name in [
        (http, "RequestParser"),
        (wsgi, "create"),
        (wsgi, "Response"),
        (wsgi, "WSGIErrorsWrapper"),
    ]
]
"""What the worker's class replaces when it is loaded."""


class Client(cooperative.socket):  # type: ignore[misc]
    """A connection that counts what is written to it."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(fileno=sock.detach())
        self.sends: list[bytes] = []

    def send(self, data: Any, *more: Any, **options: Any) -> int:
        sent: int = super().send(data, *more, **options)
        self.sends.append(bytes(data[:sent]))
        return sent


def handle(worker: GatewayWorker, listener: socket.socket, client: Client) -> None:
    """Serve a connection to its end; fail if it has none."""
    serving = gevent.spawn(worker.handle, listener, client, ("127.0.0.1", 5555))
    serving.join(PATIENCE_S)
    ended = serving.dead
    serving.kill()
    assert ended, "the connection stayed open"


class Served:
    """What a client got on one connection, and how."""

    def __init__(self, sends: list[bytes], answer: bytes) -> None:
        self.sends = sends
        self.answer = answer

    @property
    def lines(self) -> list[str]:
        """The head of the first answer."""
        return self.answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")

    @property
    def body(self) -> bytes:
        """What follows it."""
        return self.answer.partition(b"\r\n\r\n")[2]


@pytest.fixture
def worker() -> Iterator[GatewayWorker]:
    """A worker as gunicorn makes it, before the fork."""
    config = Config()
    config.set("worker_class", "adapters.flask_web.server.worker.GatewayWorker")
    config.set("keepalive", 5)
    worker = config.worker_class(1, 1, [], None, 30, config, Logger(config))
    yield worker
    worker.tmp.close()
    for module, name, own in GUNICORNS_OWN:
        setattr(module, name, own)


@pytest.fixture
def serve(worker: GatewayWorker) -> Callable[..., Served]:
    """Send bytes on one connection to an application, and read until the server closes."""

    def served(application: Any, data: bytes) -> Served:
        ours, theirs = socket.socketpair()
        with ours, Client(theirs) as client, socket.create_server(("127.0.0.1", 0)) as listener:
            ours.sendall(data)
            ours.shutdown(socket.SHUT_WR)
            worker.wsgi = application
            handle(worker, listener, client)
            parts = iter(lambda: ours.recv(65536), b"")
            return Served(client.sends, b"".join(parts))

    return served


def answering(
    body: list[bytes], *headers: tuple[str, str], status: str = "200 OK"
) -> Callable[..., list[bytes]]:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read()
        start_response(status, list(headers))
        return body

    return application


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("content-length", str(len(body)))])
    return [body]


def undated(answer: bytes) -> bytes:
    """Leave out when it was made."""
    return re.sub(rb"(?<=\r\nDate: )\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT(?=\r\n)", b"now", answer)


def request(body: bytes = b"", *, opened: str = OPENED, more: str = "") -> bytes:
    return f"{opened}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


# -- an answer in one piece -----------------------------------------------------------


def test_a_short_answer_is_one_send(serve: Callable[..., Served]) -> None:
    seen = serve(answering([b"hello"], ("content-length", "5"), ("x-more", "1")), request(b"Hi"))

    assert seen.sends == [seen.answer]
    status, server, date, *rest = seen.lines
    assert (status, server) == ("HTTP/1.1 200 OK", "Server: gunicorn")
    assert date.startswith("Date: ")
    assert date.endswith(" GMT")
    assert rest == ["Connection: keep-alive", "content-length: 5", "x-more: 1"]
    assert seen.body == b"hello"


def test_each_part_of_a_stream_is_one_send_and_the_head_leaves_with_the_first(
    serve: Callable[..., Served],
) -> None:
    seen = serve(answering([b"one", b"three" * 4]), request())

    first, second, last = seen.sends
    assert "Transfer-Encoding: chunked" in seen.lines
    assert first.endswith(b"\r\n\r\n3\r\none\r\n")
    assert second == b"14\r\nthreethreethreethree\r\n"
    assert last == LAST


def test_an_empty_first_part_sends_the_head_at_once(serve: Callable[..., Served]) -> None:
    seen = serve(answering([b"", b"one"]), request())

    assert len(seen.sends) == 3
    assert seen.body == b"3\r\none\r\n" + LAST


def test_the_answer_is_what_gunicorn_itself_would_send(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [
        (answering([b"hello"], ("content-length", "5")), request()),
        (answering([b"hello"], ("content-length", "5")), request(more="Connection: close\r\n")),
        (answering([b"hello"], ("content-length", "2")), request()),
        (answering([b"hello", b"you"]), request()),
        (answering([b"hello"]), request(opened="POST /call HTTP/1.0\r\n")),
        (answering([]), request()),
        (answering([], status="204 No Content"), request()),
        (answering([], status="304 Not Modified"), request()),
        (answering([b"hello"], ("content-length", "5")), b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (answering([b"x"], ("connection", "keep-alive"), ("te", "gzip")), request()),
        (answering([b"x"], ("upgrade", "websocket"), ("connection", "upgrade")), request()),
        (echo, request(b"one") + request(b"three") + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (echo, request(b"x" * 50_000)),
        (answering([b"x"], ("Date", "then"), ("X-Tab", "\ta\t"), ("X-High", " \xe9 ")), request()),
        (answering([b"x"], ("Content-Length", "+1")), request()),
        (answering([b"x"], ("content-length", "one")), request()),
        (answering([b"x"], ("x-number", 1)), request()),  # type: ignore[arg-type]
        (answering([b"x"], (b"x-bytes", "1")), request()),  # type: ignore[arg-type]
        (answering([b"x"], status="200 OK\r\nX-Evil: 1"), request()),
    ]

    for application, data in cases:
        answer = serve(application, data).answer
        with monkeypatch.context() as patch:
            for module, name, own in GUNICORNS_OWN:
                patch.setattr(module, name, own)
            gunicorns = serve(application, data).answer
        assert undated(answer) == undated(gunicorns)
        assert answer.startswith(b"HTTP/1.")


@pytest.mark.parametrize(
    "header", [("x-split", "a\r\nevil: 1"), ("x-split\r\nevil", "1"), ("x: y", "1"), ("x", "\x00")]
)
def test_a_header_that_would_split_the_answer_is_refused(
    serve: Callable[..., Served], header: tuple[str, str]
) -> None:
    harmless = answering([b"hello"], ("x-split", "a"), ("x", "1"))
    assert serve(harmless, request()).lines[0] == "HTTP/1.1 200 OK"

    seen = serve(answering([b"hello"], header), request())

    assert seen.lines[0] == "HTTP/1.1 500 Internal Server Error"
    assert b"evil" not in seen.answer


def test_a_value_that_cannot_be_sent_is_refused_at_once() -> None:
    with pytest.raises(InvalidResponseHeader):
        Answer(None, None, Config()).process_headers([("x-name", "\u0100")])


# -- requests ---------------------------------------------------------------------------


def test_a_plain_request_is_read_quickly_and_shown_to_every_hook(
    worker: GatewayWorker, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    worker.cfg.set("pre_request", lambda _worker, req: seen.append(req))
    worker.cfg.set("post_request", lambda _worker, req, environ, _resp: seen.append((req, environ)))
    monkeypatch.setattr(worker.log, "_access_log_enabled", True)
    lines: list[str] = []
    monkeypatch.setattr(
        worker.log.access_log, "info", lambda text, atoms: lines.append(text % atoms)
    )

    answer = serve(echo, request(b"Hi", more="User-Agent: sdk\r\n"))

    before, (after, environ) = seen
    assert isinstance(before, PlainRequest)
    assert after is before
    assert environ["HTTP_USER_AGENT"] == "sdk"
    assert environ["wsgi.multithread"] is True
    assert answer.body == b"Hi"
    (line,) = lines
    assert '"POST /call HTTP/1.1" 200 2 "-" "sdk"' in line


def test_all_requests_write_their_errors_to_the_same_place(
    serve: Callable[..., Served], capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []

    def failing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["wsgi.errors"])
        environ["wsgi.errors"].write("a fault")
        return echo(environ, start_response)

    serve(failing, request(b"1") + request(b"2"))

    first, second = seen
    assert first is second
    assert capsys.readouterr().err == "a faulta fault"


@pytest.fixture
def without_our_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``FAST_PARSER=off`` sets it, before gunicorn loads the class."""
    monkeypatch.setattr(GatewayWorker, "fast_parser", False)


@pytest.mark.usefixtures("without_our_parser")
def test_gunicorn_reads_every_request_where_our_parser_is_off(
    worker: GatewayWorker, serve: Callable[..., Served]
) -> None:
    seen: list[Any] = []
    worker.cfg.set("pre_request", lambda _worker, req: seen.append(req))

    answer = serve(echo, request(b"Hi", more="User-Agent: sdk\r\n"))

    assert [type(each) for each in seen] == [Request]
    assert answer.body == b"Hi"


def test_a_connection_ends_when_gunicorn_wants_it_to(
    worker: GatewayWorker, serve: Callable[..., Served]
) -> None:
    worker.alive = False

    seen = serve(echo, request(b"one"))

    assert "Connection: close" in seen.lines
    assert seen.body == b"one"


@pytest.fixture
def tick(worker: GatewayWorker, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Do what gunicorn makes the worker do each second."""
    monkeypatch.setattr(worker, "ppid", os.getppid())
    return worker.notify


@pytest.fixture
def ending(worker: GatewayWorker, tick: Callable[[], None]) -> Callable[[], None]:
    """Do it twice once the worker was told to end: only what stayed idle in between may go."""

    def end() -> None:
        worker.alive = False
        tick()
        tick()

    return end


@contextmanager
def connected(worker: GatewayWorker, application: Any) -> Iterator[tuple[Client, gevent.Greenlet]]:
    """Open a connection to a worker that would keep it for long; yield it and who serves it."""
    worker.cfg.set("keepalive", 3600)
    worker.wsgi = application
    ours, theirs = socket.socketpair()
    with (
        Client(ours) as client,
        Client(theirs) as served,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        serving = gevent.spawn(worker.handle, listener, served, ("127.0.0.1", 5555))
        yield client, serving
        serving.kill()


def until_idle(worker: GatewayWorker) -> None:
    """Wait until the worker waits for the next request of its client."""
    with gevent.Timeout(PATIENCE_S):
        while not worker._connections._idle:
            gevent.sleep(0)


def everything_from(client: Client) -> bytes:
    with gevent.Timeout(PATIENCE_S):
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("calls", [0, 1], ids=["nothing was sent", "a call was answered"])
def test_a_process_that_ends_does_not_wait_for_a_client_that_says_nothing(
    worker: GatewayWorker, ending: Callable[[], None], calls: int
) -> None:
    with connected(worker, echo) as (client, serving):
        for _ in range(calls):
            client.sendall(request(b"one"))
            assert client.recv(65536).endswith(b"one")
        until_idle(worker)

        ending()

        assert everything_from(client) == b""
        serving.join(PATIENCE_S)
        assert serving.successful()
    assert not worker._connections._idle


def test_a_process_that_goes_on_keeps_its_clients(
    worker: GatewayWorker, tick: Callable[[], None]
) -> None:
    with connected(worker, echo) as (client, _serving):
        until_idle(worker)

        tick()

        client.sendall(request(b"later"))
        assert client.recv(65536).endswith(b"later")


@pytest.mark.parametrize("head", ["", "POST /call HTTP/1.1\r\nHos"], ids=["nothing", "half a head"])
def test_a_client_that_says_nothing_for_as_long_as_that_may_take_is_let_go(
    worker: GatewayWorker, tick: Callable[[], None], head: str
) -> None:
    with connected(worker, echo) as (client, serving):
        client.sendall(head.encode())
        until_idle(worker)
        worker.cfg.set("keepalive", 0)

        tick()

        assert everything_from(client) == b""
        serving.join(PATIENCE_S)
        assert serving.successful()


def test_a_request_that_had_arrived_is_still_answered(
    worker: GatewayWorker, ending: Callable[[], None]
) -> None:
    with connected(worker, echo) as (client, _serving):
        until_idle(worker)
        client.sendall(request(b"in time"))

        ending()

        assert everything_from(client).endswith(b"in time")


def test_a_body_that_is_still_arriving_is_waited_for(
    worker: GatewayWorker, ending: Callable[[], None]
) -> None:
    begun = gevent.event.Event()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        begun.set()
        return echo(environ, start_response)

    with connected(worker, application) as (client, _serving):
        whole = request(b"one and two")
        client.sendall(whole[:-3])
        assert begun.wait(PATIENCE_S)

        ending()
        client.sendall(whole[-3:])

        assert client.recv(65536).endswith(b"one and two")
        ending()
        assert everything_from(client) == b""


def test_an_application_can_end_a_connection(serve: Callable[..., Served]) -> None:
    seen = serve(answering([b"x"], ("Connection", "close")), request() + request())

    assert seen.lines.count("Connection: close") == 1
    assert seen.answer.count(b"HTTP/1.1 200 OK") == 1


# -- bodies -----------------------------------------------------------------------------


def test_requests_that_came_together_are_told_apart(serve: Callable[..., Served]) -> None:
    seen = serve(echo, request(b"one") + request(b"") + request(b"three"))

    bodies = [send.partition(b"\r\n\r\n")[2] for send in seen.sends]
    assert bodies == [b"one", b"", b"three"]


def test_an_unread_body_is_not_taken_for_a_request(serve: Callable[..., Served]) -> None:
    def ignoring(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("content-length", "2")])
        return [b"ok"]

    smuggled = request(b"GET /secret HTTP/1.1\r\n\r\n")
    seen = serve(ignoring, smuggled + request(b"x" * 50_000) + request())

    assert [send[:15] for send in seen.sends] == [b"HTTP/1.1 200 OK"] * 3


def test_a_chunked_body_is_read_as_before(serve: Callable[..., Served]) -> None:
    data = f"{OPENED}Transfer-Encoding: chunked\r\n\r\n".encode() + b"3\r\none\r\n" + LAST

    assert serve(echo, data + request(b"two")).answer.count(b"\r\n\r\none") == 1


def test_a_client_that_asks_first_is_told_to_go_on(serve: Callable[..., Served]) -> None:
    seen = serve(echo, request(b"one", more="Expect: 100-continue\r\n"))

    assert seen.sends[0] == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert seen.answer.endswith(b"\r\n\r\none")


# -- a client that does not read ----------------------------------------------------------


def what_reaches_one_that_stops_reading(worker: GatewayWorker, application: Any) -> bytes:
    """Serve a client that sends a request and reads nothing until the server has given up."""
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
    with ours, Client(theirs) as client, socket.create_server(("127.0.0.1", 0)) as listener:
        ours.sendall(request())
        worker.wsgi = application
        handle(worker, listener, client)
        return b"".join(iter(lambda: ours.recv(65536), b""))


def test_a_client_that_stops_reading_is_as_good_as_gone(
    worker: GatewayWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answer, "longest_write_s", 0.05)
    closed = []

    class Parts:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"x" * 1000

        def close(self) -> None:
            closed.append(True)

    def application(_environ: dict[str, Any], start_response: Any) -> Parts:
        start_response("200 OK", [])
        return Parts()

    seen = what_reaches_one_that_stops_reading(worker, application)

    assert seen.startswith(b"HTTP/1.1 200 OK")
    assert not seen.endswith(LAST)
    assert closed == [True]


def test_a_client_that_does_not_read_a_document_is_as_good_as_gone(
    worker: GatewayWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answer, "longest_write_s", 0.05)
    document = b"x" * 10_000_000

    seen = what_reaches_one_that_stops_reading(
        worker, answering([document], ("content-length", str(len(document))))
    )

    assert seen.startswith(b"HTTP/1.1 200 OK")
    assert len(seen) < len(document)


def test_a_client_that_reads_slowly_gets_everything(
    worker: GatewayWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answer, "longest_write_s", PATIENCE_S)
    body = bytes(range(256)) * 8_000
    ours, theirs = socket.socketpair()
    with Client(theirs) as client, socket.create_server(("127.0.0.1", 0)) as listener:
        reader = cooperative.socket(fileno=ours.detach())
        reader.sendall(request(more="Connection: close\r\n"))
        worker.wsgi = answering(
            [body[:1_000_000], body[1_000_000:]], ("content-length", str(len(body)))
        )
        serving = gevent.spawn(worker.handle, listener, client, ("127.0.0.1", 5555))
        with gevent.Timeout(PATIENCE_S), reader:
            answer = b"".join(iter(lambda: reader.recv(1000), b""))
        serving.join(PATIENCE_S)

    assert answer.partition(b"\r\n\r\n")[2] == body
