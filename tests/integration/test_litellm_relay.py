"""The relay over real sockets, against a server that says exactly what a test tells it to."""

import contextlib
import queue
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import gevent
import pytest

from adapters.litellm import connections
from adapters.litellm.answers import LiteLLMAnswer
from adapters.litellm.relay import LiteLLMRelay
from adapters.litellm.wire.chat import ChatCompletions
from creditcore.domain.errors import (
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from creditcore.ports.inference import Upstream

T = TypeVar("T")

WIRE = ChatCompletions()
BODY = b'{"stream":false,"model":"m"}'
STREAMED_BODY = b'{"stream":true,"model":"m"}'
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
WAIT_S = 60.0
"""Longer than anything here takes; a test that waits this long has failed."""


def an_answer(body: bytes = b"{}", *, status: str = "200 OK", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n%b" % (
        status.encode(),
        headers,
        len(body),
        body,
    )


def a_piece(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(WAIT_S)
        self._file = sock.makefile("rb")

    def read_request(self) -> bytes:
        """Return the next request whole; ``b""`` if the client has closed."""
        head = b""
        length = 0
        while not head.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            if not line:
                return b""
            head += line
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return head + self._file.read(length)

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def answer(self, data: bytes) -> bytes:
        request = self.read_request()
        self.send(data)
        return request

    def sees_end(self) -> bool:
        """Whether the client closes its end."""
        try:
            return self._sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._file.close()
        self._sock.close()


@dataclass
class Server:
    """Hands out the connections that clients make, in their order."""

    listener: socket.socket = field(
        default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=16)
    )
    peers: list[Peer] = field(default_factory=list)

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def accept(self) -> Peer:
        self.listener.settimeout(WAIT_S)
        sock, _ = self.listener.accept()
        peer = Peer(sock)
        self.peers.append(peer)
        return peer

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        self.listener.close()


@dataclass
class Script:
    """What the server does, running beside the test; its result or failure is kept."""

    steps: Callable[[], object]
    result: "queue.Queue[object]" = field(default_factory=queue.Queue)

    def start(self) -> "Script":
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def _run(self) -> None:
        try:
            self.result.put(self.steps())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            self.result.put(error)

    def outcome(self) -> object:
        result = self.result.get(timeout=WAIT_S)
        if isinstance(result, BaseException):
            raise result
        return result


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def relay(server: Server) -> Iterator[LiteLLMRelay]:
    relay = a_relay(server)
    yield relay
    relay.close()


def a_relay(server: Server, **options: float) -> LiteLLMRelay:
    settings: dict[str, float] = {
        "connect_timeout_s": WAIT_S,
        "head_timeout_s": WAIT_S,
        "first_byte_timeout_s": WAIT_S,
        **options,
    }
    size = int(settings.pop("size", 2))
    return LiteLLMRelay(
        base_url=f"http://127.0.0.1:{server.port}/litellm",
        master_key="sk-master",
        size=size,
        **settings,
    )


def send(relay: Upstream, body: bytes = BODY) -> LiteLLMAnswer:
    answer = relay.send(WIRE, body, call_id="call-1")
    assert isinstance(answer, LiteLLMAnswer)
    return answer


def read_all(answer: LiteLLMAnswer) -> bytes:
    body = b""
    while piece := answer.read(wait_s=WAIT_S):
        body += piece
    assert piece == b""
    return body


def begun(server: Server, relay: LiteLLMRelay, first: bytes) -> tuple[Peer, LiteLLMAnswer]:
    """Return both ends of a stream that has begun with these bytes."""

    def steps() -> Peer:
        peer = server.accept()
        peer.answer(first)
        return peer

    script = Script(steps).start()
    answer = send(relay, STREAMED_BODY)
    peer = script.outcome()
    assert isinstance(peer, Peer)
    return peer, answer


# The request


def test_headers_sent_are_exactly_the_built_ones(server: Server, relay: LiteLLMRelay) -> None:
    script = Script(lambda: server.accept().answer(an_answer())).start()

    send(relay, STREAMED_BODY).close()

    assert script.outcome() == (
        b"POST /litellm/v1/chat/completions HTTP/1.1\r\n"
        b"host: 127.0.0.1:%d\r\n"
        b"authorization: Bearer sk-master\r\n"
        b"user-agent: creditcore\r\n"
        b"content-type: application/json\r\n"
        b"accept-encoding: identity\r\n"
        b"accept: text/event-stream\r\n"
        b"x-litellm-call-id: call-1\r\n"
        b"content-length: 27\r\n"
        b"\r\n"
        b'{"stream":true,"model":"m"}' % server.port
    )


@pytest.mark.parametrize("call_id", ["", "a b", "a\r\nx: y", "é", "x" * 129])
def test_call_id_that_could_break_a_header_is_refused(relay: LiteLLMRelay, call_id: str) -> None:
    with pytest.raises(ValueError, match="call id"):
        relay.send(WIRE, BODY, call_id=call_id)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "litellm:4000",
        "ftp://h",
        "http://",
        "http://u:p@h",
        "http://h/?a=b",
        "http://h/#x",
        "http://h/a b",
    ],
)
def test_address_that_is_not_plain_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        LiteLLMRelay(base_url=url, master_key="sk-master")


# Whole answers and kept connections


def test_document_is_read_and_its_connection_used_again(
    server: Server, relay: LiteLLMRelay
) -> None:
    def steps() -> None:
        peer = server.accept()
        for number in range(3):
            peer.answer(an_answer(b'{"n": %d}' % number))

    script = Script(steps).start()

    for number in range(3):
        answer = send(relay)
        assert not answer.streamed
        assert read_all(answer) == b'{"n": %d}' % number
        answer.close()
        answer.close()

    script.outcome()
    assert len(server.peers) == 1


def test_connection_given_back_by_one_thread_serves_another(
    server: Server, relay: LiteLLMRelay
) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.answer(an_answer(b"1"))
        peer.answer(an_answer(b"2"))

    script = Script(steps).start()

    def call() -> bytes:
        answer = send(relay)
        try:
            return read_all(answer)
        finally:
            answer.close()

    assert [Script(call).start().outcome(), Script(call).start().outcome()] == [b"1", b"2"]
    script.outcome()


def test_answer_that_ends_with_its_connection_is_whole(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.answer(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}")
        peer.close()

    script = Script(steps).start()
    answer = send(relay)

    assert read_all(answer) == b"{}"
    answer.close()
    script.outcome()


def test_interim_answers_are_passed_over(server: Server, relay: LiteLLMRelay) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    script = Script(lambda: server.accept().answer(interim + an_answer(b"{}"))).start()

    answer = send(relay)

    assert (answer.status, read_all(answer)) == (200, b"{}")
    answer.close()
    script.outcome()


def test_headers_of_an_interim_answer_say_nothing_of_the_answer(
    server: Server, relay: LiteLLMRelay
) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\ncontent-type: text/event-stream\r\n\r\n"
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    script = Script(lambda: server.accept().answer(interim + whole)).start()

    answer = send(relay)

    assert not answer.streamed
    answer.close()
    script.outcome()


def test_trailers_are_no_headers(server: Server, relay: LiteLLMRelay) -> None:
    end = b"0\r\ncontent-encoding: gzip\r\ncontent-type: text/plain\r\n\r\n"
    _, answer = begun(server, relay, STREAM_HEAD + a_piece(b"data: 1\n\n") + end)

    assert read_all(answer) == b"data: 1\n\n"
    assert (answer.streamed, answer.is_encoded) == (True, False)
    answer.close()


def test_head_cut_anywhere_is_the_same_head(server: Server, relay: LiteLLMRelay) -> None:
    said = an_answer(status="429 X", headers=b"X-Other: 1\r\nx-empty:\r\nRetry-After: 17\r\n")

    def steps() -> None:
        peer = server.accept()
        peer.read_request()
        for at in range(len(said)):
            peer.send(said[at : at + 1])

    script = Script(steps).start()

    with pytest.raises(UpstreamRejectedError) as caught:
        send(relay)
    assert caught.value.retry_after_s == 17
    script.outcome()


def test_header_that_came_twice_is_a_list(server: Server, relay: LiteLLMRelay) -> None:
    twice = b"content-encoding: identity\r\ncontent-encoding: gzip\r\n"
    script = Script(lambda: server.accept().answer(an_answer(headers=twice))).start()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()


def test_bytes_behind_an_answer_are_nobodys_and_spoil_the_connection(
    server: Server, relay: LiteLLMRelay
) -> None:
    def steps() -> bool:
        peer = server.accept()
        peer.answer(an_answer(b"{}") + an_answer(b'{"of": "somebody else"}'))
        return peer.sees_end()

    script = Script(steps).start()
    answer = send(relay)

    assert read_all(answer) == b"{}"
    answer.close()
    assert script.outcome() is True


# Kept connections that went stale


def test_connection_closed_while_idle_is_not_used(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.answer(an_answer())
        peer.close()
        server.accept().answer(an_answer(b"2"))

    script = Script(steps).start()
    first = send(relay)
    read_all(first)
    first.close()

    second = send(relay)

    assert read_all(second) == b"2"
    second.close()
    script.outcome()


def test_stale_connection_is_retried_once_on_a_new_one(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> bool:
        stale = server.accept()
        stale.answer(an_answer())
        lost = stale.read_request()
        stale.close()
        return server.accept().answer(an_answer(b"2")) == lost

    script = Script(steps).start()
    first = send(relay)
    read_all(first)
    first.close()

    second = send(relay)

    assert read_all(second) == b"2"
    second.close()
    assert script.outcome() is True


def test_stale_connection_is_not_retried_twice(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> None:
        stale = server.accept()
        stale.answer(an_answer())
        stale.read_request()
        stale.close()
        fresh = server.accept()
        fresh.read_request()
        fresh.close()

    script = Script(steps).start()
    first = send(relay)
    read_all(first)
    first.close()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()
    assert len(server.peers) == 2


def test_new_connection_that_breaks_is_not_retried(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.read_request()
        peer.close()

    script = Script(steps).start()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()
    assert len(server.peers) == 1


def test_kept_connection_that_breaks_within_a_head_is_not_retried(
    server: Server, relay: LiteLLMRelay
) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.answer(an_answer())
        peer.answer(b"HTTP/1.1 200 OK\r\ncontent-")
        peer.close()

    script = Script(steps).start()
    first = send(relay)
    read_all(first)
    first.close()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()
    assert len(server.peers) == 1


# Streams


def test_silence_is_none_and_the_stream_goes_on(server: Server, relay: LiteLLMRelay) -> None:
    peer, answer = begun(server, relay, STREAM_HEAD + a_piece(b"data: 1\n\n"))
    assert answer.streamed
    assert answer.read(wait_s=WAIT_S) == b"data: 1\n\n"

    assert answer.read(wait_s=0) is None
    assert answer.read(wait_s=0.01) is None
    peer.send(b"9\r\ndata")  # a chunk cut in its middle
    assert answer.read(wait_s=WAIT_S) == b"data"
    assert answer.read(wait_s=0.01) is None
    peer.send(b": 2\n\n\r\n0\r\n\r\n")

    assert read_all(answer) == b": 2\n\n"
    answer.close()


def test_others_have_a_turn_before_every_block_of_a_stream(
    server: Server, relay: LiteLLMRelay
) -> None:
    blocks = a_piece(b"data: 1\n\n" * 1000) * 100
    turns = 0

    def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    def steps() -> None:
        server.accept().answer(STREAM_HEAD + blocks + b"0\r\n\r\n")

    script = Script(steps).start()
    answer = send(relay, STREAMED_BODY)
    assert answer.read(wait_s=WAIT_S)  # what came with the head
    working = gevent.spawn(others)
    before = turns
    while answer.read(wait_s=WAIT_S):
        assert turns > before
        before = turns
    working.kill()
    answer.close()
    script.outcome()


def test_bytes_that_came_with_the_head_are_read_without_waiting(
    server: Server, relay: LiteLLMRelay
) -> None:
    _, answer = begun(server, relay, STREAM_HEAD + a_piece(b"data: 1\n\n") + b"0\r\n\r\n")

    assert answer.read(wait_s=0) in {b"data: 1\n\n", None}
    answer.close()


@pytest.mark.parametrize(
    "last", [b"", b"9\r\ndata", a_piece(b"data: 2\n\n"), b"0\r\n", b"not a chunk\r\n"]
)
def test_stream_that_breaks_before_its_end_is_unavailable(
    server: Server, relay: LiteLLMRelay, last: bytes
) -> None:
    peer, answer = begun(server, relay, STREAM_HEAD + a_piece(b"data: 1\n\n"))
    peer.send(last)
    peer.close()

    with pytest.raises(UpstreamUnavailableError):
        read_all(answer)
    answer.close()


def test_document_shorter_than_announced_is_unavailable(
    server: Server, relay: LiteLLMRelay
) -> None:
    peer, answer = begun(server, relay, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")
    peer.close()

    with pytest.raises(UpstreamUnavailableError):
        read_all(answer)
    answer.close()


def test_closing_an_unread_stream_closes_the_socket_at_once(
    server: Server, relay: LiteLLMRelay
) -> None:
    peer, answer = begun(server, relay, STREAM_HEAD + a_piece(b"data: 1\n\n"))
    answer.read(wait_s=WAIT_S)

    answer.close()

    assert peer.sees_end()
    with pytest.raises(UpstreamUnavailableError):
        answer.read(wait_s=0)


# Time


@pytest.mark.parametrize(
    ("body", "option"), [(BODY, "head_timeout_s"), (STREAMED_BODY, "first_byte_timeout_s")]
)
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-"])
def test_silence_before_the_head_is_a_timeout(
    server: Server, body: bytes, option: str, said: bytes
) -> None:
    relay = a_relay(server, **{option: 0.05})

    def steps() -> bool:
        peer = server.accept()
        peer.answer(said)
        return peer.sees_end()

    script = Script(steps).start()

    with pytest.raises(UpstreamTimeoutError):
        send(relay, body)
    assert script.outcome() is True


def test_full_pool_is_unavailable_and_a_closed_answer_makes_room(server: Server) -> None:
    relay = a_relay(server, size=1, wait_timeout_s=0.01)
    _, busy = begun(server, relay, STREAM_HEAD)

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    busy.close()

    _, answer = begun(server, relay, STREAM_HEAD)
    answer.close()


def test_a_full_pool_says_nothing_of_the_server(server: Server) -> None:
    relay = a_relay(server, size=1, wait_timeout_s=0.01)
    _, busy = begun(server, relay, STREAM_HEAD)
    for _ in range(6):
        with pytest.raises(UpstreamUnavailableError):
            send(relay)
    busy.close()

    relay.check()
    _, answer = begun(server, relay, STREAM_HEAD)
    answer.close()


def test_while_the_server_is_down_nobody_is_sent_there(server: Server) -> None:
    relay = a_relay(server)
    server.listener.close()
    for _ in range(5):
        relay.check()
        with pytest.raises(UpstreamUnavailableError) as refused:
            send(relay)
        assert isinstance(refused.value.__cause__, OSError)

    with pytest.raises(UpstreamUnavailableError):
        relay.check()
    with pytest.raises(UpstreamUnavailableError) as refused:
        send(relay)
    assert refused.value.__cause__ is None


def test_failed_calls_leave_their_places_free(server: Server) -> None:
    relay = a_relay(server, size=1, wait_timeout_s=0.01, head_timeout_s=0.02)
    for _ in range(2):
        with pytest.raises(UpstreamTimeoutError):
            send(relay)
    server.listener.close()
    for _ in range(2):
        with pytest.raises(UpstreamUnavailableError):
            send(relay)

    with pytest.raises(UpstreamUnavailableError) as refused:
        send(relay)
    assert isinstance(refused.value.__cause__, OSError), "the pool is full, not the server gone"


# Answers that are none


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        an_answer(b"\x1f\x8b", headers=b"content-encoding: gzip\r\n"),
        an_answer(status="302 Found", headers=b"location: http://127.0.0.1:1/\r\n"),
    ],
    ids=["not http", "long header", "many headers", "two lengths", "upgrade", "gzip", "redirect"],
)
def test_answer_that_cannot_be_used_is_unavailable(
    server: Server, relay: LiteLLMRelay, said: bytes
) -> None:
    def steps() -> None:
        with contextlib.suppress(OSError):  # the client may hang up before it is all said
            server.accept().answer(said)

    script = Script(steps).start()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, UpstreamRejectedError),
        (401, UpstreamUnavailableError),
        (403, UpstreamUnavailableError),
        (404, UpstreamRejectedError),
        (408, UpstreamTimeoutError),
        (413, UpstreamRejectedError),
        (422, UpstreamRejectedError),
        (429, UpstreamRejectedError),
        (500, UpstreamUnavailableError),
        (503, UpstreamUnavailableError),
        (504, UpstreamTimeoutError),
    ],
)
def test_refusal_becomes_an_error_and_its_connection_is_kept(
    server: Server, relay: LiteLLMRelay, status: int, error: type[UpstreamError]
) -> None:
    refusal = an_answer(
        b'{"error": {"message": "litellm.BadRequestError: No.", "type": null}}',
        status=f"{status} X",
        headers=b"retry-after: 7\r\n",
    )

    def steps() -> None:
        peer = server.accept()
        peer.answer(refusal)
        peer.answer(an_answer())

    script = Script(steps).start()

    with pytest.raises(error) as caught:
        send(relay)
    assert getattr(caught.value, "retry_after_s", None) == (7 if status == 429 else None)

    send(relay).close()
    script.outcome()
    assert len(server.peers) == 1


def test_refusal_in_an_event_stream_is_understood(server: Server, relay: LiteLLMRelay) -> None:
    head = STREAM_HEAD.replace(b"200 OK", b"400 Bad Request")
    events = b'data: {"error": {"message": "Too odd."}}\n\ndata: [DONE]\n\n'
    script = Script(lambda: server.accept().answer(head + a_piece(events) + b"0\r\n\r\n")).start()

    with pytest.raises(UpstreamRejectedError, match=r"Too odd\."):
        send(relay, STREAMED_BODY)
    script.outcome()


def test_endless_refusal_is_cut_off(server: Server, relay: LiteLLMRelay) -> None:
    head = STREAM_HEAD.replace(b"200 OK", b"400 Bad Request")

    def steps() -> bool:
        peer = server.accept()
        peer.read_request()
        with contextlib.suppress(OSError):
            peer.send(head)
            while True:
                peer.send(a_piece(b" " * 16_384))
        return True

    script = Script(steps).start()

    with pytest.raises(UpstreamRejectedError):
        send(relay)
    assert script.outcome() is True


def test_server_that_refuses_before_reading_everything_is_heard(
    server: Server, relay: LiteLLMRelay
) -> None:
    body = b'{"stream":false,"model":"' + b"m" * 8_000_000 + b'"}'

    def steps() -> None:
        peer = server.accept()
        peer.send(an_answer(b'{"error": {"message": "Too large."}}', status="413 Too Large"))
        peer.close()

    script = Script(steps).start()

    with pytest.raises(UpstreamRejectedError) as caught:
        send(relay, body)
    assert caught.value.status == 413
    script.outcome()


def test_unreachable_server_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    relay = LiteLLMRelay(base_url=f"http://127.0.0.1:{port}", master_key="sk-master")
    started = time.monotonic()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    assert time.monotonic() - started < WAIT_S


# TLS, and greenlets


@pytest.fixture
def certificate(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for 127.0.0.1 with its key, made for these tests and trusted while they run."""
    path = Path(__file__).parents[1] / "data" / "tls" / "127.0.0.1.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


class TlsPeer:
    """The server's end of a TLS connection, which decides itself when encrypted bytes leave."""

    def __init__(self, sock: socket.socket, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._sock = sock
        self._received, self._encrypted = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._encrypted, server_side=True)

    def handshake(self) -> None:
        self._until_done(self._tls.do_handshake)

    def read(self) -> bytes:
        return self._until_done(lambda: self._tls.read(65_536))

    def encrypt(self, data: bytes) -> bytes:
        self._tls.write(data)
        return self._encrypted.read()

    def send_encrypted(self, record: bytes) -> None:
        self._sock.sendall(record)

    def _until_done(self, step: Callable[[], T]) -> T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self.send_encrypted(self._encrypted.read())
                self._received.write(self._sock.recv(65_536))
            else:
                self.send_encrypted(self._encrypted.read())
                return result


def a_tls_relay(server: Server) -> LiteLLMRelay:
    return LiteLLMRelay(base_url=f"https://127.0.0.1:{server.port}", master_key="sk-master")


@pytest.mark.parametrize("block_bytes", [1000, 64 * 1024])
def test_silence_within_a_tls_record_damages_nothing(
    server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(connections, "_BLOCK_BYTES", block_bytes)
    relay = a_tls_relay(server)

    def steps() -> TlsPeer:
        sock = server.accept()._sock
        peer = TlsPeer(sock, certificate)
        peer.handshake()
        peer.read()
        peer.send_encrypted(peer.encrypt(STREAM_HEAD + a_piece(b"data: 1\n\n")))
        return peer

    script = Script(steps).start()
    answer = send(relay, STREAMED_BODY)
    peer = script.outcome()
    assert isinstance(peer, TlsPeer)
    assert answer.read(wait_s=WAIT_S) == b"data: 1\n\n"

    record = peer.encrypt(a_piece(b"data: 2\n\n"))
    peer.send_encrypted(record[:7])
    assert answer.read(wait_s=0) is None
    assert answer.read(wait_s=0.01) is None
    peer.send_encrypted(record[7:])
    assert answer.read(wait_s=WAIT_S) == b"data: 2\n\n"

    # One flight larger than any read: the rest waits inside the TLS layer, not in the socket.
    large = b"x" * 200_000
    peer.send_encrypted(peer.encrypt(a_piece(large) + b"0\r\n\r\n"))
    assert read_all(answer) == large
    answer.close()
    relay.close()


def test_untrusted_server_is_unavailable(
    server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    def steps() -> None:
        with contextlib.suppress(ssl.SSLError, OSError):
            TlsPeer(server.accept()._sock, certificate).handshake()

    script = Script(steps).start()

    with pytest.raises(UpstreamUnavailableError):
        send(a_tls_relay(server))
    script.outcome()


def test_everything_here_holds_in_greenlets_too() -> None:
    again = (
        "import sys; from gevent import monkey; monkey.patch_all(); import pytest;"
        "sys.exit(pytest.main(['-q', sys.argv[1], '-k', 'not greenlets']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", again, __file__], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
