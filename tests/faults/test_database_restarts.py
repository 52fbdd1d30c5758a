"""PostgreSQL dies again and again, or is away for a while, beside calls without a pause.

An answer is whole and charged once, or it is a refusal that says when to come again. What was told
to have been charged is charged, nothing else is, and the gateway goes on by itself.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from creditcore import Credits, HoldState
from tests.faults.aftermath import calls_of, open_holds
from tests.faults.length import TIMES
from tests.faults.outcomes import price
from tests.faults.own_postgres import OwnPostgres, own_postgres
from tests.faults.wire import Seen, call, chat_body
from tests.stack import Account, Stack, running_stack, wait_until

FUNDED = Credits.of(100_000)
RESTARTS = 10 if TIMES > 1 else 1
AWAY_S = 30 if TIMES > 1 else 0
"""How long it is away after every caller was refused."""

CALLERS = 8
ENOUGH = 40
DOCUMENT_TOKENS, STREAM_TOKENS = 3, 30
DOCUMENT = chat_body(f"[[sim tokens={DOCUMENT_TOKENS} prompt=11]]")
STREAM = chat_body(
    f"[[sim tokens={STREAM_TOKENS} prompt=11 delay_ms=10]]",
    stream=True,
    stream_options={"include_usage": True},
)
PRICES = {"document": price(11, DOCUMENT_TOKENS), "stream": price(11, STREAM_TOKENS)}


@pytest.fixture(scope="module")
def database() -> Iterator[OwnPostgres]:
    with own_postgres() as database:
        yield database


@pytest.fixture(scope="module")
def gateway(database: OwnPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("restarted")
    with running_stack(database.url, data, workers=2) as stack:
        yield stack


class Callers:
    """Calls of one account without a pause, and the answers to them by kind."""

    def __init__(self, stack: Stack, account: Account) -> None:
        self._stack = stack
        self._account = account
        self._stopping = threading.Event()
        self.answers: list[tuple[str, Seen]] = []

    def keep_calling(self, number: int) -> None:
        kind, body = ("document", DOCUMENT) if number % 2 else ("stream", STREAM)
        while not self._stopping.is_set():
            seen = call(self._stack.base_url, body, key=self._account.api_key)
            self.answers.append((kind, seen))
            if seen.status == 503:
                # As a client does that is told to wait, but sooner.
                self._stopping.wait(0.05)

    def stop(self) -> None:
        self._stopping.set()

    def count(self, status: int) -> int:
        return sum(seen.status == status for _, seen in self.answers)

    def wait_for_more(self, status: int) -> None:
        """Wait until more calls have been answered so."""
        enough = self.count(status) + ENOUGH
        wait_until(lambda: self.count(status) >= enough)


@contextmanager
def calling(stack: Stack, account: Account) -> Iterator[Callers]:
    callers = Callers(stack, account)
    with ThreadPoolExecutor(CALLERS) as threads:
        calls = [threads.submit(callers.keep_calling, number) for number in range(CALLERS)]
        try:
            yield callers
        finally:
            callers.stop()
        for each in calls:
            each.result()


def told_cost(kind: str, seen: Seen) -> Credits:
    """Return what an answer says that its call cost."""
    if kind == "document":
        return Credits.parse(seen.headers["x-credits-cost"])
    assert seen.events[-1] == b"[DONE]"
    return Credits.parse(json.loads(seen.events[-2])["usage"]["cost"])


def expect_exact(stack: Stack, account: Account, callers: Callers) -> None:
    """Assert that answers and books agree, call by call."""
    served: dict[str, Credits] = {}
    for kind, seen in callers.answers:
        if seen.status == 200:
            served[seen.call_id] = told_cost(kind, seen)
            assert served[seen.call_id] == PRICES[kind]
            continue
        assert seen.status == 503
        assert seen.error["type"] == "server_error"
        assert "Nothing was charged" in seen.error["message"]
        assert int(seen.headers["retry-after"]) > 0
    # Those whose outcome was unknown are given back too, without waiting for any sweep.
    wait_until(lambda: not open_holds(stack, account))
    holds = calls_of(stack, account)
    charged = {hold.reference: hold.charged for hold in holds if hold.charged}
    assert charged == served
    assert {hold.state for hold in holds if hold.reference in served} == {HoldState.SETTLED}
    wallet = stack.wallet_of(account.person_id)
    spent = sum(cost.microcredits for cost in served.values())
    assert (wallet.posted, wallet.held) == (FUNDED - Credits(spent), Credits(0))
    report = stack.audit()
    assert report.clean, report


@pytest.mark.parametrize("how", [OwnPostgres.restart_at_once, OwnPostgres.kill])
def test_a_database_that_dies_under_load_loses_and_doubles_nothing(
    database: OwnPostgres,
    gateway: Stack,
    how: Callable[[OwnPostgres], None],
    record_property: Callable[[str, object], None],
) -> None:
    account = gateway.an_account(credits_=str(FUNDED))

    with calling(gateway, account) as callers:
        for _ in range(RESTARTS):
            callers.wait_for_more(200)
            how(database)
        callers.wait_for_more(200)

    expect_exact(gateway, account, callers)
    record_property("tries", RESTARTS)
    record_property(
        "figure", f"{callers.count(200)} answered and charged, {callers.count(503)} refused"
    )


def test_a_database_that_is_away_has_calls_refused_until_it_is_back(
    database: OwnPostgres, gateway: Stack, record_property: Callable[[str, object], None]
) -> None:
    account = gateway.an_account(credits_=str(FUNDED))

    with calling(gateway, account) as callers:
        callers.wait_for_more(200)
        database.stop_at_once()
        try:
            callers.wait_for_more(503)
            assert not gateway._ready()
            time.sleep(AWAY_S)
        finally:
            database.start()
        callers.wait_for_more(200)
        wait_until(gateway._ready)

    expect_exact(gateway, account, callers)
    record_property(
        "figure", f"{callers.count(200)} answered and charged, {callers.count(503)} refused"
    )
