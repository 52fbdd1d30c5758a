"""Limits of a key against four processes on PostgreSQL: never one call above."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests

from creditcore import ApiKey, Credits, IssueKey, SystemClock, SystemIds
from creditcore.domain.keys import Scope
from creditcore.domain.limits import KeyCounter, KeyLimits, SpendLimit
from creditcore.domain.money import ZERO
from tests.stack import AUTH_SECRET, Account, Stack, running_stack, wait_until
from tests.stores import migrated_postgres_database

PROCESSES = 4
CALLS = 500
CALLERS = 50
# A call that says nothing for a while, so that many are under way at once.
SLOW = "[[sim tokens=5 delay_ms=300]]"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with (
        migrated_postgres_database() as url,
        running_stack(url, tmp_path_factory.mktemp("data"), workers=PROCESSES) as stack,
    ):
        yield stack


def a_key(stack: Stack, account: Account, limits: KeyLimits) -> tuple[ApiKey, str]:
    issue = IssueKey(
        transactions=stack.store,
        clock=SystemClock(),
        ids=SystemIds(),
        pepper=AUTH_SECRET.encode(),
    )
    key, secret = issue.issue(
        account.person_id, name="limited", scopes=(Scope.INFERENCE,), limits=limits
    )
    return key, secret.text


def counter_of(stack: Stack, key: ApiKey) -> KeyCounter:
    with stack.store.begin() as tx:
        return tx.keys.counters([key.counter_id])[key.counter_id]


def storm(
    stack: Stack, secret: str, text: str = "hi", calls: int = CALLS
) -> list[requests.Response]:
    with ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(lambda _: stack.chat(text, key=secret, max_tokens=5), range(calls)))


def statuses(answers: list[requests.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_a_spend_limit_for_seven_lets_seven_through(stack: Stack) -> None:
    account = stack.an_account(credits_="1000")
    probe = stack.chat("hi", key=account.api_key, max_tokens=5)
    calls = wait_until(lambda: [call for call in stack.calls_of(account) if not call.is_open])
    cost, hold = calls[0].charged, calls[0].amount
    assert probe.status_code == 200
    # When six have been charged, there is room for the hold of a seventh and no more.
    limit = cost * 6 + hold
    key, secret = a_key(stack, account, KeyLimits(spend=SpendLimit(credits=limit)))

    answers = storm(stack, secret)

    wait_until(lambda: counter_of(stack, key).open_calls == 0)
    counter = counter_of(stack, key)
    charged = sum((call.charged for call in stack.calls_of(account)[:CALLS]), ZERO) - cost
    assert set(statuses(answers)) == {200, 402}
    assert statuses(answers)[200] <= 7 + (hold - cost).microcredits // max(1, cost.microcredits)
    assert counter.spent == charged <= limit
    assert counter.held == ZERO
    assert stack.audit().clean


def test_five_at_a_time_are_never_six(stack: Stack) -> None:
    account = stack.an_account(credits_="1000")
    key, secret = a_key(stack, account, KeyLimits(max_parallel=5))

    with ThreadPoolExecutor(1) as watching:
        seen: list[int] = []
        done = False

        def watch() -> None:
            while not done:
                with stack.store.begin() as tx:
                    calls = tx.calls.recent(account.wallet_id, limit=200)
                seen.append(sum(call.is_open for call in calls))

        watcher = watching.submit(watch)
        answers = storm(stack, secret, SLOW, calls=200)
        done = True
        watcher.result()

    assert set(statuses(answers)) <= {200, 429}
    assert 0 < max(seen) <= 5
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    wait_until(lambda: counter_of(stack, key).open_calls == 0)


def test_all_limits_at_once(stack: Stack) -> None:
    account = stack.an_account(credits_="1000")
    limits = KeyLimits(
        spend=SpendLimit(credits=Credits.of(500)), max_parallel=5, rpm=20, tpm=1_000_000
    )
    key, secret = a_key(stack, account, limits)
    began = time.monotonic()

    answers = storm(stack, secret, calls=200)

    # Without Redis each process lets the limit through, and as much as comes back meanwhile.
    most = PROCESSES * (20 + int((time.monotonic() - began) / 3) + 1)
    assert set(statuses(answers)) <= {200, 429}
    assert 0 < statuses(answers)[200] <= most
    wait_until(lambda: counter_of(stack, key).open_calls == 0)
    assert stack.audit().clean


def test_the_places_of_a_killed_process_come_back(stack: Stack) -> None:
    account = stack.an_account(credits_="1000")
    key, secret = a_key(stack, account, KeyLimits(max_parallel=2))
    with ThreadPoolExecutor(2) as callers:
        hanging = [
            callers.submit(_quietly, stack, secret, "[[sim tokens=5 delay_ms=60000]]")
            for _ in range(2)
        ]
        wait_until(lambda: counter_of(stack, key).open_calls == 2)
        _kill_workers(stack)
        for call in hanging:
            call.result()

    assert counter_of(stack, key).open_calls == 2
    with stack.store.begin() as tx:
        # As if the longest call had passed.
        tx.ledger._session.change("UPDATE usage_logs SET expires_at = 1 WHERE state = 'open'", ())
        tx.commit()
    stack.flask("worker", "--once")

    assert counter_of(stack, key).open_calls == 0
    wait_until(lambda: _quietly(stack, secret, "hi") == 200)


def _quietly(stack: Stack, secret: str, text: str) -> int:
    try:
        return stack.chat(text, key=secret, max_tokens=5).status_code
    except requests.RequestException:
        return 0


def _kill_workers(stack: Stack) -> None:
    assert stack.process is not None
    for worker in psutil.Process(stack.process.pid).children():
        os.kill(worker.pid, signal.SIGKILL)
