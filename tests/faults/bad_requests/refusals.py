"""Requests as bytes, and what a refusal of ours looks like."""

from __future__ import annotations

import json
import socket

from creditcore import KeySecret
from tests.faults.wire import Seen, call_on, connect, raw_connection, read_to_the_end
from tests.stack import Account, Stack

UNKNOWN_KEY = KeySecret.generate(lambda _alphabet: "A").text
HI = [{"role": "user", "content": "Hi"}]


def post(stack: Stack, account: Account, body: bytes) -> Seen:
    """Ask for a completion with any bytes."""
    connection = connect(stack.base_url)
    try:
        return call_on(connection, body, key=account.api_key)
    finally:
        connection.close()


def parse(answer: bytes) -> Seen:
    """Read the first answer in some bytes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    if "content-length" in headers:
        body = body[: int(headers["content-length"])]
    return Seen(int(status_line.split()[1]), headers, body)


def exchange(stack: Stack, data: bytes) -> Seen:
    """Send bytes as they are, say that no more will come, and read the first answer."""
    with raw_connection(stack.base_url) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except ConnectionError:
            # It was refused before it was read.
            pass
        return parse(read_to_the_end(sock))


def expect_refusal(seen: Seen, status: int, *, code: str | None = None, word: str = "") -> None:
    """Assert a refusal of ours: the OpenAI shape, a number to ask support about, a reason."""
    assert seen.status == status, seen
    assert set(seen.error) == {"message", "type", "param", "code"}
    assert seen.error["type"]
    assert len(seen.error["message"]) > 10
    assert word in f"{seen.error['message']} {seen.error['param']}"
    assert seen.headers["x-request-id"]
    assert seen.is_discreet(beside=word)
    if code is not None:
        assert seen.error["code"] == code


def fields(**given: object) -> bytes:
    """Return a request that would be served, with some fields changed or added."""
    return json.dumps({"model": "demo-chat", "messages": HI, **given}).encode()
