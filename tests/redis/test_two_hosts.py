"""Limits of a key on two hosts (network namespaces) with one Redis and one PostgreSQL."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest
import redis

from adapters.pony_store import PonyTransactions, open_store
from creditcore import (
    ApiKey,
    AuditBooks,
    Credits,
    GrantCredits,
    Hold,
    IssueKey,
    SystemClock,
    SystemIds,
    Wallet,
)
from creditcore.domain.limits import KeyCounter, KeyLimits, SpendLimit
from creditcore.usecases.keys.limit_account import LimitAccount
from tests.stack import AUTH_SECRET, REPOSITORY, wait_until
from tests.stores import migrated_postgres_database

CALLS_PER_HOST = 250
SLOW = "[[sim tokens=5 delay_ms=200]]"
"""Answered after a while, so that calls are under way at once."""


@dataclass
class Host:
    """A gateway of two processes in a network namespace of its own."""

    process: subprocess.Popen[str]

    def call(self, key: str, text: str = "hi", calls: int = CALLS_PER_HOST) -> None:
        """Begin to make calls; ``outcome`` waits for them."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"key": key, "text": text, "calls": calls}) + "\n")
        self.process.stdin.flush()

    def outcome(self) -> tuple[Counter[int], float]:
        """Return how many calls ended with each status, and how long all of them took."""
        assert self.process.stdout
        told = json.loads(self.process.stdout.readline())
        statuses = {int(status): count for status, count in told["statuses"].items()}
        return Counter(statuses), told["elapsed_s"]


@dataclass
class Company:
    """Two hosts, and the books under them."""

    store: PonyTransactions
    hosts: list[Host]
    wallet: Wallet

    def a_key(self, limits: KeyLimits) -> tuple[ApiKey, str]:
        issue = IssueKey(
            transactions=self.store,
            clock=SystemClock(),
            ids=SystemIds(),
            pepper=AUTH_SECRET.encode(),
        )
        key, secret = issue.issue("company", name="shared", limits=limits)
        return key, secret.text

    def storm(self, *keys: str, text: str = "hi") -> tuple[Counter[int], float]:
        """Call from both hosts at once, each with its key; return statuses and the longest."""
        for host, key in zip(self.hosts, keys, strict=True):
            host.call(key, text)
        outcomes = [host.outcome() for host in self.hosts]
        statuses = sum((statuses for statuses, _ in outcomes), Counter[int]())
        return statuses, max(elapsed for _, elapsed in outcomes)

    def settled_call(self) -> Hold | None:
        with self.store.begin() as tx:
            call = tx.calls.recent(self.wallet.id, limit=1)[0]
        return None if call.is_open else call

    def counter(self, name: str) -> KeyCounter:
        with self.store.begin() as tx:
            return tx.keys.counters([name])[name]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("hosts")
    program = shutil.which("redis-server")
    assert program, "install redis-server to run these tests"
    socket = folder / "redis.sock"
    with ExitStack() as running:
        server = running.enter_context(
            subprocess.Popen(
                [program, "--port", "0", "--unixsocket", str(socket), "--save", ""],
                stdout=subprocess.DEVNULL,
                cwd=folder,
            )
        )
        running.callback(server.kill)
        wait_until(socket.exists)
        with redis.Redis(unix_socket_path=str(socket)) as client:
            wait_until(client.ping)
        url = running.enter_context(migrated_postgres_database())
        store = running.enter_context(closing(open_store(url)))
        hosts = []
        for number in range(2):
            data = folder / f"host-{number}"
            data.mkdir()
            process = running.enter_context(
                subprocess.Popen(
                    ["unshare", "--net", sys.executable, "-m", "tests.redis.host",
                     url, f"redis+unix://{socket}", str(data)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
                )
            )  # fmt: skip
            hosts.append(Host(process))
        for host in hosts:
            assert host.process.stdout
            ready = host.process.stdout.readline()
            assert ready == "READY\n", "a network namespace needs root"
        wallet = Wallet(id="company-wallet", owner_id="company")
        with store.begin() as tx:
            tx.ledger.add_wallet(wallet)
            tx.commit()
        GrantCredits(transactions=store, clock=SystemClock()).grant(
            wallet.id, Credits.of(10_000), reason="test", reference="test"
        )
        yield Company(store, hosts, wallet)
        for host in hosts:
            assert host.process.stdin
            host.process.stdin.close()
            host.process.wait()


def test_requests_a_minute_are_exact_over_two_hosts(company: Company) -> None:
    _, secret = company.a_key(KeyLimits(rpm=20))

    statuses, elapsed_s = company.storm(secret, secret)

    assert set(statuses) == {200, 429}
    assert 20 <= statuses[200] <= 20 + int(elapsed_s / 3) + 1


def test_two_keys_of_an_account_share_its_requests_a_minute(company: Company) -> None:
    _, first = company.a_key(KeyLimits())
    _, second = company.a_key(KeyLimits())
    limiting = LimitAccount(transactions=company.store, clock=SystemClock())
    limiting.limit(company.wallet.id, KeyLimits(rpm=20))

    try:
        statuses, elapsed_s = company.storm(first, second)
    finally:
        limiting.limit(company.wallet.id, KeyLimits())

    assert set(statuses) == {200, 429}
    assert 20 <= statuses[200] <= 20 + int(elapsed_s / 3) + 1


def test_whichever_limit_bites_first_there_is_never_one_call_above(company: Company) -> None:
    _, probe = company.a_key(KeyLimits())
    company.hosts[0].call(probe, SLOW, calls=1)
    company.hosts[0].outcome()
    call = wait_until(company.settled_call)
    # A call charges less than it holds: for seven, there is room for the hold of the seventh.
    spend = SpendLimit(credits=call.charged * 6 + call.amount)
    key, secret = company.a_key(KeyLimits(spend=spend, max_parallel=5, rpm=20))
    seen: list[KeyCounter] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(company.counter(key.counter_id))

    watcher = threading.Thread(target=watch)
    watcher.start()
    statuses, _ = company.storm(secret, secret, text=SLOW)
    done.set()
    watcher.join()

    wait_until(lambda: company.counter(key.counter_id).open_calls == 0)
    assert set(statuses) <= {200, 402, 429}
    assert statuses[200] >= 1
    assert max(counter.open_calls for counter in seen) <= 5
    assert all(counter.spent + counter.held <= spend.credits for counter in seen)
    assert AuditBooks(transactions=company.store).audit().clean
