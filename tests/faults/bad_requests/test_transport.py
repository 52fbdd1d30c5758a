"""Bytes that are too many, too few, or no HTTP: nothing is held, nothing is sent upstream."""

from __future__ import annotations

import gzip
import socket

import pytest

from tests.faults.bad_requests.refusals import (
    exchange,
    expect_refusal,
    fields,
    parse,
)
from tests.faults.wire import (
    PATH,
    raw_connection,
    read_to_the_end,
    request_bytes,
)
from tests.stack import Account, Stack

MEGABYTE = 1024 * 1024


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_compressed_body_is_refused(stack: Stack, account: Account, encoding: str) -> None:
    data = request_bytes(
        gzip.compress(fields()),
        key=account.api_key,
        headers=(f"Content-Encoding: {encoding}",),
    )

    expect_refusal(exchange(stack, data), 415, code="unsupported_encoding", word="Encoding")


def test_a_body_that_announces_too_much_is_refused_unread(stack: Stack, account: Account) -> None:
    head = request_bytes(b"", key=account.api_key).replace(
        b"Content-Length: 0", b"Content-Length: %d" % (50 * MEGABYTE)
    )

    expect_refusal(exchange(stack, head), 413, code="request_too_large", word="32 MB")


@pytest.mark.parametrize("chunked", [True, False])
def test_fifty_megabytes_are_too_much(stack: Stack, account: Account, *, chunked: bool) -> None:
    megabyte = b" " * MEGABYTE
    with raw_connection(stack.base_url) as sock:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {50 * MEGABYTE}"
        head = request_bytes(b"", key=account.api_key).replace(
            b"Content-Length: 0", length.encode()
        )
        frame = b"%x\r\n%s\r\n" % (MEGABYTE, megabyte) if chunked else megabyte
        try:
            sock.sendall(head)
            for _ in range(50):
                sock.sendall(frame)
            sock.shutdown(socket.SHUT_WR)
        except ConnectionError:
            # Refused while it was on its way; what was answered may still be there.
            pass
        answer = read_to_the_end(sock)
    expect_refusal(parse(answer), 413, code="request_too_large")


def test_a_body_shorter_than_announced_is_refused(stack: Stack, account: Account) -> None:
    data = request_bytes(fields(), key=account.api_key)
    longer = data.replace(
        b"Content-Length: %d" % len(fields()), b"Content-Length: %d" % (len(fields()) + 10)
    )

    expect_refusal(exchange(stack, longer), 400, code="incomplete_body")


@pytest.mark.parametrize("path", [PATH, "/sign-in"])
@pytest.mark.parametrize("chunks", [b"zz\r\nx\r\n0\r\n\r\n", b"-5\r\nx", b"1\r\nxyz"], ids=repr)
def test_a_body_in_broken_chunks_is_refused(
    stack: Stack, account: Account, path: str, chunks: bytes
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {account.api_key}\r\n"
    data = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks

    expect_refusal(exchange(stack, data), 400, code="malformed_body")


def test_a_body_longer_than_announced_is_not_read_beyond(stack: Stack, account: Account) -> None:
    data = request_bytes(fields(), key=account.api_key)
    shorter = data.replace(
        b"Content-Length: %d" % len(fields()), b"Content-Length: %d" % (len(fields()) - 10)
    )

    expect_refusal(exchange(stack, shorter), 400, code="invalid_json")


@pytest.mark.parametrize(
    "headers",
    [
        ("Transfer-Encoding: chunked",),
        ("Content-Length: 3",),
        ("Content-Length: +5",),
        ("Host: another",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding: chunked, chunked",),
        ("X-Nul: a\x00b",),
        ("Bad Name: x",),
    ],
    ids=repr,
)
def test_ambiguous_framing_is_refused_by_the_server(
    stack: Stack, account: Account, headers: tuple[str, ...]
) -> None:
    seen = exchange(stack, request_bytes(fields(), key=account.api_key, headers=headers))

    assert seen.status in (400, 501)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"POST\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"POST /v1/chat/completions\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"POST /v1/chat/completions HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", 431),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_http_is_refused_by_the_server(stack: Stack, data: bytes, status: int) -> None:
    assert exchange(stack, data).status == status


def test_what_never_becomes_http_is_hung_up_on(stack: Stack) -> None:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64)
    with raw_connection(stack.base_url) as sock:
        sock.sendall(hello)
        sock.shutdown(socket.SHUT_WR)

        assert read_to_the_end(sock) == b""
