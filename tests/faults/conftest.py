"""Somebody with credits; clients that never finish, beside whom everything else has to go on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from creditcore import Credits
from tests.faults.outcomes import FUNDED
from tests.faults.wire import chat_body, raw_connection, request_bytes
from tests.stack import Account, Stack

NEVER_WHOLE = "This is never whole."


@pytest.fixture
def account(stack: Stack) -> Iterator[Account]:
    """Somebody with credits; in the end nothing of theirs is held."""
    account = stack.an_account(credits_=str(FUNDED))
    yield account
    assert stack.settled_wallet_of(account.person_id).held == Credits(0)


@dataclass(frozen=True)
class Endless:
    """Connections on which a head, or a body, began and does not go on."""

    account: Account
    head: socket.socket
    body: socket.socket
    chunks: socket.socket
    form: socket.socket


@pytest.fixture(scope="session")
def endless(sqlite_stack: Stack) -> Iterator[Endless]:
    """Begin early what takes half a minute to be cut, so that no test has to wait for it."""
    account = sqlite_stack.an_account()
    whole = chat_body(NEVER_WHOLE)
    request = request_bytes(whole, key=account.api_key)
    longer = request.replace(b"Content-Length: %d" % len(whole), b"Content-Length: 10000")
    with (
        raw_connection(sqlite_stack.base_url) as head,
        raw_connection(sqlite_stack.base_url) as body,
        raw_connection(sqlite_stack.base_url) as chunks,
        raw_connection(sqlite_stack.base_url) as form,
    ):
        head.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-slow: ")
        body.sendall(longer)
        chunks.sendall(
            request.partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
        )
        form.sendall(b"POST /sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n")
        yield Endless(account, head, body, chunks, form)
