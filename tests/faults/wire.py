"""HTTP as a careless or hostile client speaks it: bytes on a socket."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATH = "/v1/chat/completions"
TIMEOUT_S = 60.0

# What may never reach a client: names, addresses and keys of what is behind the gateway.
_PRIVATE = (
    b"litellm",
    b"llm_provider",
    b"sk-secret-upstream-key",
    b"sk-sandbox",
    b"sandbox-provider",
    b"org-sandbox",
    b"uvicorn",
    b"127.0.0.1:9101",
    b'"cost":0',  # what it cost the operator is a number, what it costs the client is text
    b"response_cost",
    b"traceback",
)


@dataclass(frozen=True)
class Seen:
    """One answer, as far as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def call_id(self) -> str:
        """The name of the call."""
        return self.headers["x-request-id"]

    @property
    def error(self) -> dict[str, Any]:
        """The error object of a refusal."""
        error: dict[str, Any] = json.loads(self.body)["error"]
        return error

    @property
    def events(self) -> list[bytes]:
        """The data of each event of a stream."""
        lines = self.body.replace(b"\r\n", b"\n").split(b"\n")
        return [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: ")]

    @property
    def text(self) -> str:
        """The text of a stream's only choice."""
        chunks = [json.loads(event) for event in self.events if event != b"[DONE]"]
        return "".join(
            choice["delta"].get("content") or ""
            for chunk in chunks
            for choice in chunk.get("choices", ())
        )

    def is_discreet(self, *, beside: str = "") -> bool:
        """Whether nothing in it tells what is behind the gateway, beside what we said ourselves."""
        seen = (repr(self.headers).encode() + self.body).lower()
        if beside:
            seen = seen.replace(beside.lower().encode(), b"")
        return not [word for word in _PRIVATE if word in seen]


def chat_body(text: str, **fields: object) -> bytes:
    """Return a request for one completion."""
    body = {"model": "demo-chat", "messages": [{"role": "user", "content": text}], **fields}
    return json.dumps(body).encode()


def call(base_url: str, body: bytes, *, key: str, path: str = PATH) -> Seen:
    """Send a request and read its answer, as far as it comes."""
    with closing(connect(base_url)) as connection:
        return call_on(connection, body, key=key, path=path)


def connect(base_url: str) -> http.client.HTTPConnection:
    """Return a connection, not yet opened."""
    address = urlsplit(base_url)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)


def call_on(
    connection: http.client.HTTPConnection, body: bytes, *, key: str, path: str = PATH
) -> Seen:
    """Send a request on a connection, which stays open."""
    send_on(connection, body, key=key, path=path)
    return answer_on(connection)


def send_on(
    connection: http.client.HTTPConnection, body: bytes, *, key: str, path: str = PATH
) -> None:
    """Send a request on a connection."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection.request("POST", path, body, headers)


def answer_on(connection: http.client.HTTPConnection) -> Seen:
    """Read the answer to the request sent on a connection, as far as it comes."""
    answer = connection.getresponse()
    try:
        received = answer.read()
    except http.client.IncompleteRead as broken:
        received = broken.partial
    return Seen(
        answer.status, {name.lower(): value for name, value in answer.getheaders()}, received
    )


@contextmanager
def raw_connection(base_url: str, *, receive_bytes: int | None = None) -> Iterator[socket.socket]:
    """Connect, and close in the end.

    Args:
        base_url: Where to.
        receive_bytes: How much the kernel may keep for us, where that matters.
    """
    address = urlsplit(base_url)
    with socket.socket() as sock:
        if receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.settimeout(TIMEOUT_S)
        sock.connect((address.hostname, address.port))
        yield sock


def request_bytes(
    body: bytes, *, key: str, path: str = PATH, method: str = "POST", headers: tuple[str, ...] = ()
) -> bytes:
    """Return a well-formed request, with more headers where wanted."""
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {key}",
        f"Content-Length: {len(body)}",
        *headers,
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_until(sock: socket.socket, mark: bytes, seen: bytes = b"") -> bytes:
    """Read until some bytes have come, and return everything so far."""
    while mark not in seen:
        part = sock.recv(65536)
        assert part, f"the server closed before {mark!r}: {seen!r}"
        seen += part
    return seen


def read_to_the_end(sock: socket.socket) -> bytes:
    """Read until the server closes, in any way."""
    parts = []
    try:
        while part := sock.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def call_id_in(head: bytes) -> str:
    """Return the name of a call from the bytes of its answer."""
    [line] = [line for line in head.split(b"\r\n") if line.lower().startswith(b"x-request-id:")]
    return line.partition(b":")[2].strip().decode()


def reset(sock: socket.socket) -> None:
    """Leave as a client that crashed: the other side gets a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
