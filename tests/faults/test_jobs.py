"""A worker may be killed in each step of a job: the job is done, and its effect happens once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from adapters.pony_store import PonyTransactions, open_store
from adapters.pony_store.engine import engine_for
from creditcore import AuditBooks, Credits, SystemClock
from creditcore.domain.jobs import JobState
from creditcore.testing.contracts import a_wallet
from tests.faults.job_worker import KIND
from tests.stack import PATIENCE_S, REPOSITORY
from tests.stores import migrated_postgres_database

COMMITS = ("claim", "effect", "finish")
PLACES = [f"{when} {number}" for number, _ in enumerate(COMMITS, 1) for when in ("before", "after")]


@pytest.fixture
def url(any_url: str) -> str:
    return any_url


@contextmanager
def worker(url: str, place: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.job_worker", url, place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("place", PLACES)
def test_a_worker_killed_in_any_step_repeats_no_effect(url: str, place: str) -> None:
    with closing(open_store(url, wait_s=PATIENCE_S)) as store:
        enqueue(store, key="1")

        with worker(url, place) as victim:
            assert victim.stdout
            assert victim.stdout.readline() == f"{place}\n"
            victim.kill()
            victim.wait(PATIENCE_S)
        with worker(url, "nowhere") as other:
            assert other.wait(PATIENCE_S) == 0

        assert_done_once(store)


@pytest.mark.parametrize("place", PLACES)
def test_another_worker_takes_over_while_the_first_hangs_and_is_killed(place: str) -> None:
    with (
        migrated_postgres_database() as url,
        closing(open_store(url, wait_s=PATIENCE_S)) as store,
    ):
        enqueue(store, key="1")

        with worker(url, place) as victim, worker(url, "nowhere") as other:
            assert victim.stdout
            if victim.stdout.readline():
                victim.kill()
            assert other.wait(PATIENCE_S) == 0
            victim.kill()
            victim.wait(PATIENCE_S)

        assert_done_once(store)


def enqueue(store: PonyTransactions, *, key: str) -> None:
    wallet = a_wallet(store)
    with store.begin() as tx:
        tx.jobs.enqueue(KIND, key, {"wallet_id": wallet.id}, run_at=SystemClock().now())
        tx.commit()


def assert_done_once(store: PonyTransactions) -> None:
    with store.begin() as tx:
        [job] = tx.jobs.listing(limit=10)
        assert job.state is JobState.DONE
        assert tx.ledger.find_wallet("wallet-1").posted == Credits.of(7)
        assert len(tx.ledger.transfers_of("wallet-1", limit=10)) == 1
        assert len(tx.activity.recent(limit=10)) == 1
    assert AuditBooks(transactions=store).audit().clean


def test_a_million_finished_jobs_slow_no_claim_down() -> None:
    with migrated_postgres_database() as url, closing(open_store(url)) as store:
        engine = engine_for(url)
        with closing(engine.without_limits().open_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "INSERT INTO jobs (kind, business_key, payload, run_at, state, attempts, due_at,"
                " last_error, closed_at) SELECT 'grant', n::text, '{}', n, 'done', 1, NULL, '', n"
                " FROM generate_series(1, 1000000) AS n"
            )
            connection.commit()
            connection.autocommit = True
            cursor.execute("VACUUM ANALYZE jobs")
            enqueue(store, key="new")

            plans = {
                "claim": blocks_read(
                    cursor,
                    "SELECT * FROM jobs WHERE kind = 'grant' AND due_at <= 9000000000000000"
                    " ORDER BY due_at, business_key LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
                ),
                "list": blocks_read(
                    cursor,
                    "SELECT * FROM jobs WHERE state = 'done' AND closed_at IS NOT NULL"
                    " ORDER BY closed_at DESC, kind DESC, business_key DESC LIMIT 20",
                ),
                "forget": blocks_read(
                    cursor,
                    "SELECT kind, business_key FROM jobs WHERE state = 'done' AND closed_at < 500"
                    " ORDER BY closed_at LIMIT 1000",
                ),
            }
        with store.begin() as tx:
            [waiting] = tx.jobs.listing(limit=10, states=[JobState.WAITING])
            backlog = tx.jobs.backlog()

    # Of some 20,000 blocks in the table.
    assert {name: blocks < 60 for name, blocks in plans.items()} == dict.fromkeys(plans, True)
    assert waiting.business_key == "new"
    assert [(each.kind, each.waiting, each.dead) for each in backlog] == [(KIND, 1, 0)]


def blocks_read(cursor: object, query: str) -> int:
    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")  # type: ignore[attr-defined]
    [(document,)] = cursor.fetchall()  # type: ignore[attr-defined]
    plan = (json.loads(document) if isinstance(document, str) else document)[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
