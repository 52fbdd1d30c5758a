"""A worker is killed around each commit of each chore; another one goes on, and nothing is doubled.

LiteLLM has a key once, a receiver has a message once, an alert, a price and a hold change once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from adapters.pony_store import PonyTransactions, open_store
from creditcore import AuditBooks, HoldState, SystemClock
from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.jobs import JobState
from creditcore.domain.mirrors import SyncStatus
from creditcore.testing.contracts import a_key, a_wallet, admit
from creditcore.usecases.calls.reconcile_nightly import RECONCILE_USAGE
from creditcore.usecases.monitoring.announce_alerts import ANNOUNCE
from creditcore.usecases.monitoring.watch import WATCH
from sandbox.process import SandboxProcess
from tests.faults.chore_worker import MASTER_KEY
from tests.stack import PATIENCE_S, REPOSITORY
from tests.stores import migrated_sqlite_file

FIRST, SECOND = 24, 36
"""How many hours ahead workers are: today is a day that is over, then every lease has run out."""


@dataclass
class House:
    """What workers work on: LiteLLM, a receiver of alerts, and new books for each try."""

    worker: subprocess.Popen[str]
    sandbox: SandboxProcess
    folder: Path
    receiver: str = ""
    messages: list[str] = field(default_factory=list)

    def killed_everywhere(
        self,
        chore: str,
        *,
        begin: Callable[[PonyTransactions], None],
        once: Callable[[PonyTransactions], None],
    ) -> int:
        """Kill a worker at each place of a chore in turn; return how many places there are.

        Args:
            begin: Makes what there is to do.
            once: Sees that it was done once, after the second worker.
        """
        for number in count(1):
            for when in ("before", "after"):
                url = migrated_sqlite_file(self.folder / f"{chore}-{when}-{number}.db")
                self.messages.clear()
                self.control("keys", {"forget": True})
                with closing(open_store(url, wait_s=PATIENCE_S)) as store:
                    begin(store)
                    was_killed = self.do(chore, url, place=f"{when} {number}")
                    if was_killed:
                        assert not self.do(chore, url, hours=SECOND)
                    once(store)
                    assert AuditBooks(transactions=store).audit().clean
                if not was_killed:
                    return 2 * number - 2
        raise AssertionError

    def do(self, chore: str, url: str, *, place: str = "nowhere", hours: int = FIRST) -> bool:
        """Have a worker do a chore; return whether it stopped on the way, and was killed."""
        assert self.worker.stdin
        assert self.worker.stdout
        order = {
            "chore": chore,
            "url": url,
            "litellm": self.sandbox.litellm_url,
            "receiver": self.receiver,
            "hours": hours,
            "place": place,
        }
        self.worker.stdin.write(json.dumps(order) + "\n")
        self.worker.stdin.flush()
        said, what = self.worker.stdout.readline().split()
        if said == "stopped":
            os.kill(int(what), signal.SIGKILL)
            assert self.worker.stdout.readline() == f"ended {-signal.SIGKILL}\n"
            return True
        assert what == "0", "the chore failed"
        return False

    def control(self, what: str, order: dict[str, Any]) -> Any:
        answer = requests.post(
            f"{self.sandbox.base_url}/control/litellm/{what}", json=order, timeout=PATIENCE_S
        )
        return answer.json()


@contextmanager
def receiver(messages: list[str]) -> Iterator[str]:
    """Take messages, and note their ids."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            messages.append(self.headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with (
        SandboxProcess.start() as sandbox,
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.chore_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        ) as worker,
    ):
        house = House(worker, sandbox, tmp_path_factory.mktemp("chores"))
        with receiver(house.messages) as house.receiver:
            yield house
        worker.stdin.close()


def enqueue(store: PonyTransactions, kind: str, *, run_at: datetime | None = None) -> None:
    with store.begin() as tx:
        tx.jobs.enqueue(kind, "1", {}, run_at=run_at or SystemClock().now())
        tx.commit()


def test_a_key_is_copied_once(house: House) -> None:
    def begin(store: PonyTransactions) -> None:
        wallet = a_wallet(store, posted=5)
        with store.begin() as tx:
            tx.keys.add(a_key(wallet))
            tx.commit()

    def once(store: PonyTransactions) -> None:
        [copy] = house.control("keys", {})["keys"]
        with store.begin() as tx:
            [mirror] = tx.mirrors.find(["key-1"]).values()
        assert (mirror.status, mirror.litellm_key_id) == (SyncStatus.SYNCED, copy["token"])

    assert house.killed_everywhere("mirror", begin=begin, once=once) == 4


def test_a_price_list_is_taken_once(house: House) -> None:
    def once(store: PonyTransactions) -> None:
        with store.begin() as tx:
            models = [price.model for price in tx.prices.all()]
            histories = [len(tx.catalogue.history(model, limit=9)) for model in models]
        assert histories == [1] * len(models)
        assert "demo-chat" in models

    assert house.killed_everywhere("prices", begin=lambda _: None, once=once) == 2


def test_a_message_about_alerts_is_one_for_its_receiver(house: House) -> None:
    def begin(store: PonyTransactions) -> None:
        enqueue(store, ANNOUNCE)
        alert = Alert(
            key="monitor:disk",
            severity=Severity.CRITICAL,
            subject="disk fails",
            message="It is full.",
            at=SystemClock().now(),
        )
        with store.begin() as tx:
            tx.alerts.add(alert)
            tx.commit()

    def once(store: PonyTransactions) -> None:
        # A receiver of Standard Webhooks takes two of the same id for one.
        assert len(set(house.messages)) == 1
        assert len(house.messages) <= 2
        with store.begin() as tx:
            assert not tx.jobs.listing(limit=9, states=[JobState.WAITING, JobState.DEAD])

    assert house.killed_everywhere("news", begin=begin, once=once) == 10


def test_a_reconciled_night_raises_one_alert(house: House) -> None:
    answer = requests.post(
        f"{house.sandbox.litellm_url}/v1/chat/completions",
        json={"model": "demo-chat", "messages": [{"role": "user", "content": "Hello"}]},
        headers={
            "authorization": f"Bearer {MASTER_KEY}",
            "x-litellm-call-id": "call-unknown-here",
        },
        timeout=PATIENCE_S,
    )
    assert answer.ok

    tomorrow = SystemClock().now() + timedelta(hours=FIRST)

    def once(store: PonyTransactions) -> None:
        with store.begin() as tx:
            [alert] = tx.alerts.recent(limit=9)
        assert "1 unknown here" in alert.message

    def begin(store: PonyTransactions) -> None:
        enqueue(store, RECONCILE_USAGE, run_at=tomorrow)

    assert house.killed_everywhere("reconcile", begin=begin, once=once) == 6


def test_a_hold_that_was_left_behind_ends_once(house: House) -> None:
    def begin(store: PonyTransactions) -> None:
        a_wallet(store, posted=100)
        admit(store, 10)
        enqueue(store, WATCH)

    def once(store: PonyTransactions) -> None:
        with store.begin() as tx:
            [hold] = tx.calls.recent("wallet-1", limit=9)
            wallet = tx.ledger.find_wallet("wallet-1")
            healed = tx.activity.recent(limit=9)
            expired = [each for each in tx.alerts.recent(limit=9) if "monitor" not in each.key]
        assert (hold.state, wallet.held.microcredits) == (HoldState.EXPIRED, 0)
        assert len(healed) <= 1
        assert len(expired) <= 1

    assert house.killed_everywhere("heal", begin=begin, once=once) >= 10
