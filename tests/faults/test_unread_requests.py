"""What the server refuses before there is a request is told as the API tells everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from tests.faults.wire import raw_connection, read_to_the_end, read_until, reset
from tests.stack import PATIENCE_S, Stack, running_stack

CALL = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


@pytest.mark.parametrize(
    ("data", "status", "code", "word"),
    [
        (CALL + b"X: " + b"x" * 9_000 + b"\r\n\r\n", 431, "headers_too_large", "headers"),
        (CALL + b"X: x\r\n" * 101 + b"\r\n", 431, "headers_too_large", "headers"),
        (b"GET /v1/models?" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n", 414, "uri_too_long", "address"),
        (CALL + b"Expect: a reply\r\n\r\n", 417, "expectation_failed", "100-continue"),
        (
            CALL + b"Transfer-Encoding: rot13\r\n\r\n",
            501,
            "unsupported_transfer_coding",
            "chunked",
        ),
        (CALL + b"Bad Name: x\r\n\r\n", 400, "malformed_request", "header name"),
        (CALL + b"Content-Length: +5\r\n\r\n", 400, "malformed_request", "CONTENT-LENGTH"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "malformed_request", "Version"),
        (b"x" * 3_000 + b"\r\n\r\n", 400, "malformed_request", "request line"),
        (b"hello\r\n\r\n", 400, "malformed_request", "request line"),
        (b'<b>"\xff\r\n\r\n', 400, "malformed_request", "request line"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_not_read_is_refused_in_json_and_the_connection_ends(
    sqlite_stack: Stack, data: bytes, status: int, code: str, word: str
) -> None:
    with raw_connection(sqlite_stack.base_url) as sock:
        sock.sendall(data)
        seen, headers, body = parsed(read_to_the_end(sock))

    error = json.loads(body)["error"]
    assert (seen, error["code"]) == (status, code)
    assert error["type"] == ("server_error" if status == 501 else "invalid_request_error")
    assert word.lower() in error["message"].lower()
    assert len(error["message"]) < 400
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == str(len(body))
    assert headers["connection"] == "close"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"].startswith("req-")


@pytest.mark.parametrize(
    "line",
    [
        b"Authorization Bearer sk-cc-secretsecret",
        b"Cookie creditcore_session=secretsecret",
        b"sk-cc-secretsecret",
        b"X Y: secretsecret",
        b"Content-Length: secretsecret",
    ],
)
def test_a_malformed_header_is_not_repeated(tmp_path: Path, line: bytes) -> None:
    log = tmp_path / "log"
    with (
        running_stack("", tmp_path, log=log) as stack,
        raw_connection(stack.base_url) as sock,
    ):
        sock.sendall(CALL + line + b"\r\n\r\n")
        answer = read_to_the_end(sock)

    assert b"malformed_request" in answer
    assert b"secretsecret" not in answer
    assert "was refused" in log.read_text()
    assert "secretsecret" not in log.read_text()


def test_a_client_that_left_before_it_was_refused_harms_no_other(sqlite_stack: Stack) -> None:
    with raw_connection(sqlite_stack.base_url) as sock:
        sock.sendall(b"hello\r\n\r\n")
        reset(sock)

    assert requests.get(f"{sqlite_stack.base_url}/healthz", timeout=PATIENCE_S).ok


def test_a_request_behind_an_unread_one_is_not_answered(sqlite_stack: Stack) -> None:
    with raw_connection(sqlite_stack.base_url) as sock:
        sock.sendall(b"hello\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        seen = read_to_the_end(sock)

    assert seen.count(b"HTTP/1.1") == 1


def test_an_unread_request_behind_an_answered_one_is_refused(sqlite_stack: Stack) -> None:
    with raw_connection(sqlite_stack.base_url) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first = read_until(sock, b"ok")
        sock.sendall(b"hello\r\n\r\n")
        second = read_to_the_end(sock)

    assert first.startswith(b"HTTP/1.1 200")
    assert b"malformed_request" in second
