"""Streams over real sockets, in the clear and under TLS."""

import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import gevent
import pytest

from adapters.litellm import connections
from adapters.litellm.relay import LiteLLMRelay
from creditcore.domain.errors import UpstreamUnavailableError
from tests.integration.upstream import (
    STREAM_HEAD,
    STREAMED_BODY,
    WAIT_S,
    Script,
    Server,
    T,
    a_piece,
    begun,
    read_all,
    send,
)


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
