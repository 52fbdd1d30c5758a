"""Processes move credits between many wallets at once, and are killed at any moment.

A reader meanwhile sees books that add up: all wallets together, each wallet by itself, both
halves of each move. What was acknowledged is there in the end.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

import psycopg2
import pytest

from adapters.pony_store import PonyTransactions, open_store
from creditcore import AuditBooks, ChargeUsage, GroupCommit, SystemClock
from creditcore.domain.people import Person
from creditcore.testing.contracts import a_wallet
from tests.faults.bank_teller import WALLETS
from tests.faults.length import SEED, TIMES
from tests.stack import PATIENCE_S, REPOSITORY, wait_until
from tests.stores import WAIT_S, ask, migrated_postgres_database

TELLERS = 3
KILLS = 2 * TIMES
STEPS = 20
"""How many transfers a process makes, at least, before it is killed."""

POSTED = 10_000_000

# Read in one snapshot: each has to be zero.
RULES = {
    "all wallets hold what transfers brought into them": """
        SELECT (SELECT sum(posted) FROM wallets) - sum(
            CASE wallet_id WHEN to_account THEN amount WHEN from_account THEN -amount ELSE 0 END)
        FROM transfers""",
    "so does each of them": """
        SELECT count(*) FROM wallets AS w WHERE posted <> (
            SELECT sum(CASE w.id WHEN to_account THEN amount ELSE -amount END)
            FROM transfers WHERE w.id IN (to_account, from_account))""",
    "what left a wallet for another arrived there": """
        SELECT coalesce(sum(CASE wallet_id WHEN to_account THEN amount ELSE -amount END), 0)
        FROM transfers WHERE note = 'move'""",
    "what is held is held by open holds": """
        SELECT (SELECT sum(held) FROM wallets) - coalesce(sum(hold_amount), 0)
        FROM usage_logs WHERE state = 'open'""",
    "what is owed is what was taken back and not there": """
        SELECT (SELECT sum(owed) FROM wallets) - coalesce(sum(
            CASE 'receivable' WHEN from_account THEN amount WHEN to_account THEN -amount END), 0)
        FROM transfers""",
    "no wallet has less than nothing, or holds more than it has": """
        SELECT count(*) FROM wallets WHERE posted < 0 OR held < 0 OR held > posted OR owed < 0""",
}


@dataclass
class Teller:
    """A process, and the transfers that it was told are made."""

    process: subprocess.Popen[str]
    acknowledged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reading = threading.Thread(target=self._read)
        self.reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        # Of a line that was written by half nothing is known.
        self.acknowledged.extend(line.strip() for line in self.process.stdout if line[-1] == "\n")

    def kill(self) -> None:
        self.process.kill()
        self._wait()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._wait()
        assert self.process.returncode == 0

    def _wait(self) -> None:
        self.process.wait(PATIENCE_S)
        self.reading.join()


class Bank:
    """All tellers of a database, each with a number of its own."""

    def __init__(self, url: str, running: ExitStack) -> None:
        self._url = url
        self._running = running
        self.tellers: list[Teller] = []

    def open_one(self) -> Teller:
        name = f"{SEED}-{len(self.tellers)}"
        process = self._running.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "tests.faults.bank_teller", self._url, name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=REPOSITORY,
            )
        )
        self._running.callback(process.kill)
        teller = Teller(process)
        self.tellers.append(teller)
        return teller


@pytest.fixture
def url() -> Iterator[str]:
    with migrated_postgres_database() as url:
        yield url


@contextmanager
def stocked(url: str) -> Iterator[PonyTransactions]:
    with closing(open_store(url, wait_s=WAIT_S)) as store:
        for wallet_id in WALLETS:
            wallet = a_wallet(store, posted=POSTED, wallet_id=wallet_id)
            with store.begin() as tx:
                tx.people.add(
                    Person(
                        id=wallet.owner_id,
                        email=f"{wallet_id}@example.com",
                        created_at=SystemClock().now(),
                    )
                )
                tx.commit()
        yield store


def broken_rules(url: str) -> list[str]:
    """Look at the books as they were at one moment."""
    with closing(psycopg2.connect(url)) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor = connection.cursor()
        broken = []
        for rule, question in RULES.items():
            cursor.execute(question)
            [off] = cursor.fetchone()
            if off != 0:
                broken.append(f"{rule}: {off}")
        return broken


def test_books_add_up_at_any_moment_though_processes_are_killed(
    url: str, record_property: Callable[[str, object], None]
) -> None:
    dice, snapshots = random.Random(SEED), 0  # noqa: S311
    with stocked(url) as store:
        with ExitStack() as running:
            bank = Bank(url, running)
            working = [bank.open_one() for _ in range(TELLERS)]
            for _ in range(KILLS):
                victim = dice.choice(working)
                enough = len(victim.acknowledged) + STEPS + dice.randrange(STEPS)
                while len(victim.acknowledged) < enough:
                    assert victim.process.poll() is None
                    assert broken_rules(url) == []
                    snapshots += 1
                victim.kill()
                working[working.index(victim)] = bank.open_one()
            for teller in working:
                teller.end()

        # What was held by those who were killed.
        ask(url, "UPDATE usage_logs SET expires_at = created_at + 1 RETURNING 1")
        with GroupCommit(transactions=store, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=store, clock=SystemClock())
            wait_until(lambda: not charge.expire())
        assert broken_rules(url) == []
        assert ask(url, "SELECT sum(held) FROM wallets") == 0
        report = AuditBooks(transactions=store).audit()
        assert report.clean, report
    acknowledged = [reference for each in bank.tellers for reference in each.acknowledged]
    with closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT reference FROM transfers")
        made = {reference for (reference,) in cursor}
    assert [reference for reference in acknowledged if reference not in made] == []
    record_property("tries", KILLS)
    record_property("figure", f"{len(acknowledged)} transfers, {snapshots} snapshots that add up")
