"""A key that is over opens nothing from the next request on, in every process at once."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta

import pytest

from creditcore import Basis, Credits, HoldState, IssueKey, SystemClock, SystemIds
from creditcore.domain.keys import ApiKey
from tests.faults.wire import (
    call,
    call_on,
    chat_body,
    connect,
    raw_connection,
    read_to_the_end,
    read_until,
    request_bytes,
)
from tests.faults.workers import paused, worker_serving, workers_of
from tests.stack import AUTH_SECRET, Account, Stack, wait_until

HI = chat_body("[[sim tokens=1 prompt=1]]")


@pytest.fixture
def account(stack: Stack) -> Account:
    return stack.an_account(credits_="200")


def keys(stack: Stack) -> IssueKey:
    return IssueKey(
        transactions=stack.store, clock=SystemClock(), ids=SystemIds(), pepper=AUTH_SECRET.encode()
    )


def key_of(stack: Stack, account: Account) -> ApiKey:
    with stack.store.begin() as tx:
        [key] = tx.keys.list_of(account.person_id)
    return key


def revoke(stack: Stack, account: Account) -> None:
    keys(stack).revoke(key_of(stack, account).id, owner_id=account.person_id)


@pytest.fixture
def connections(stack: Stack, account: Account) -> Iterator[list[http.client.HTTPConnection]]:
    """Connections to every worker, each of which has served the key."""
    with ExitStack() as opened:
        everywhere: list[http.client.HTTPConnection] = []
        served: set[int] = set()
        while served != workers_of(stack):
            connection = opened.enter_context(closing(connect(stack.base_url)))
            everywhere.append(connection)
            with paused(served):
                assert call_on(connection, HI, key=account.api_key).status == 200
            worker = worker_serving(stack, connection.sock)
            assert worker not in {None, *served}
            served.add(worker)
            # None may be stopped while it has the wallet locked.
            stack.settled_wallet_of(account.person_id)
        yield everywhere


def test_a_revoked_key_is_refused_on_the_next_request_by_every_worker(
    stack: Stack, account: Account, connections: list[http.client.HTTPConnection]
) -> None:
    revoke(stack, account)

    answers = [call_on(connection, HI, key=account.api_key) for connection in connections]

    assert {answer.status for answer in answers} == {401}
    assert all("revoked" in answer.error["message"] for answer in answers)
    assert len(stack.calls_of(account)) == len(connections)


def test_a_revoked_key_reads_nothing_any_more_either(stack: Stack, account: Account) -> None:
    revoke(stack, account)

    with raw_connection(stack.base_url) as sock:
        request = request_bytes(
            b"",
            key=account.api_key,
            method="GET",
            path="/v1/models",
            headers=("Connection: close",),
        )
        sock.sendall(request)

        assert read_to_the_end(sock).startswith(b"HTTP/1.1 401 ")


def a_key_that_works_briefly(stack: Stack, account: Account) -> str:
    """Issue a key that lives no longer than it takes to use it once."""
    for seconds in (1, 2, 4, 8, 16, 32):
        brief = timedelta(seconds=seconds)
        _, secret = keys(stack).issue(account.person_id, name="brief", lifetime=brief)
        if call(stack.base_url, HI, key=secret.text).status == 200:
            return secret.text
    raise AssertionError("no key worked before it expired")


def test_an_expired_key_is_refused(stack: Stack, account: Account) -> None:
    key = a_key_that_works_briefly(stack, account)

    refused = wait_until(
        lambda: (answer := call(stack.base_url, HI, key=key)).status != 200 and answer
    )

    assert refused
    assert refused.status == 401
    assert "expired" in refused.error["message"]
    assert call(stack.base_url, HI, key=account.api_key).status == 200


def test_another_key_of_the_same_wallet_is_not_touched(stack: Stack, account: Account) -> None:
    first = key_of(stack, account)
    other = stack.a_key(account.person_id)

    keys(stack).revoke(first.id, owner_id=account.person_id)

    assert call(stack.base_url, HI, key=account.api_key).status == 401
    assert call(stack.base_url, HI, key=other).status == 200


def test_a_stream_that_has_begun_goes_on_after_its_key_is_revoked_and_is_charged(
    stack: Stack, account: Account
) -> None:
    long = chat_body("[[sim tokens=10 prompt=11 delay_ms=100]]", stream=True)
    with raw_connection(stack.base_url) as sock:
        sock.sendall(request_bytes(long, key=account.api_key, headers=("Connection: close",)))
        begun = read_until(sock, b"token 0")
        revoke(stack, account)
        assert call(stack.base_url, HI, key=account.api_key).status == 401

        whole = begun + read_to_the_end(sock)

    assert b"[DONE]" in whole
    wallet = stack.settled_wallet_of(account.person_id)
    [hold] = stack.calls_of(account)
    assert (hold.state, hold.outcome.basis) == (HoldState.SETTLED, Basis.PROVIDER_USAGE)
    assert hold.charged == Credits(11 * 200 + 10 * 800)
    assert wallet.posted == Credits.of(200) - hold.charged
