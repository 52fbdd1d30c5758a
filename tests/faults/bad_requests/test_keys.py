"""A key that opens nothing: nothing is held, nothing is sent upstream."""

from __future__ import annotations

import pytest

from tests.faults.bad_requests.refusals import (
    UNKNOWN_KEY,
    exchange,
    expect_refusal,
    fields,
    parse,
)
from tests.faults.wire import (
    PATH,
    raw_connection,
    read_until,
    request_bytes,
)
from tests.stack import Account, Stack


@pytest.mark.parametrize(
    ("authorization", "word"),
    [
        (None, "missing"),
        ("", "missing"),
        (f"Bearer {UNKNOWN_KEY}", "unknown"),
        (f"Bearer {UNKNOWN_KEY[:-1]}Z", "malformed"),
        ("Bearer sk-cc-", "malformed"),
        ("Bearer sk-wrong", "malformed"),
        ("Bearer", "malformed"),
        ("Bearer  ", "malformed"),
        (f"Bearer {'x' * 8000}", "malformed"),
        ("Basic dXNlcjpwYXNz", "malformed"),
        (f"Basic {UNKNOWN_KEY}", "malformed"),
        (UNKNOWN_KEY, "unknown"),
        (f"Token {UNKNOWN_KEY}", "malformed"),
        (f"Bearer {UNKNOWN_KEY},Bearer {UNKNOWN_KEY}", "malformed"),
        (f"Bearer Bearer {UNKNOWN_KEY}", "malformed"),
        ("Bearer sk-cc-\xe4\xf6\xfc", "malformed"),
        ("Bearer ' OR 1=1 --", "malformed"),
    ],
)
def test_a_key_that_opens_nothing_is_refused(
    stack: Stack, authorization: str | None, word: str
) -> None:
    lines = [f"POST {PATH} HTTP/1.1", "Host: localhost", f"Content-Length: {len(fields())}"]
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")

    seen = exchange(stack, head + fields())

    expect_refusal(seen, 401, code="invalid_api_key", word=word)
    assert "sk-cc-" in seen.error["message"]
    assert UNKNOWN_KEY not in seen.error["message"]


@pytest.mark.parametrize("second", ["same", "other"])
def test_two_keys_are_no_key(stack: Stack, account: Account, second: str) -> None:
    key = account.api_key if second == "same" else UNKNOWN_KEY
    data = request_bytes(fields(), key=account.api_key, headers=(f"Authorization: Bearer {key}",))

    expect_refusal(exchange(stack, data), 401, code="invalid_api_key")


def test_a_key_elsewhere_than_in_its_header_is_no_key(stack: Stack, account: Account) -> None:
    data = request_bytes(
        fields(),
        key="",
        path=f"{PATH}?api_key={account.api_key}",
        headers=(f"X-Api-Key: {account.api_key}", f"Cookie: key={account.api_key}"),
    )

    expect_refusal(exchange(stack, data), 401, code="invalid_api_key")


def test_a_client_without_a_key_is_refused_before_a_long_body_is_read(stack: Stack) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {UNKNOWN_KEY}\r\n"
    with raw_connection(stack.base_url) as sock:
        sock.sendall(head.encode() + b"Content-Length: 30000000\r\n\r\n{")
        seen = parse(read_until(sock, b"}}"))

    expect_refusal(seen, 401, code="invalid_api_key")


@pytest.mark.parametrize("path", ["/v1/models", "/api/v1/credits"])
@pytest.mark.parametrize("key", [UNKNOWN_KEY, "sk-wrong", ""])
def test_reading_takes_a_key_too(stack: Stack, path: str, key: str) -> None:
    seen = exchange(stack, request_bytes(b"", key=key, method="GET", path=path))

    expect_refusal(seen, 401, code="invalid_api_key")
