"""A model server that says over a real socket exactly what a test tells it to."""

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from adapters.litellm.answers import LiteLLMAnswer
from adapters.litellm.relay import LiteLLMRelay
from adapters.wires.openai.chat import ChatCompletions
from creditcore.ports.outgoing import OutgoingBody
from creditcore.ports.upstream import Upstream

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
        except BaseException as error:  # noqa: BLE001 - the test must see any error
            self.result.put(error)

    def outcome(self) -> object:
        result = self.result.get(timeout=WAIT_S)
        if isinstance(result, BaseException):
            raise result
        return result


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
    fields = json.loads(body)
    answer = relay.send(
        WIRE, OutgoingBody(body), model=fields["model"], stream=fields["stream"], call_id="call-1"
    )
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
