"""The outbox: jobs, and how workers run them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from creditcore.domain.errors import InvalidRequestError, JobNotFoundError
from creditcore.domain.jobs import Job, JobState, every
from creditcore.domain.lease import Lease, RetryPolicy
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, at_once
from creditcore.testing.memory import FixedClock
from creditcore.usecases.jobs.run_jobs import RETENTION, RunJobs

POLICY = RetryPolicy(max_attempts=3)


class JobsContract:
    """Jobs, as transactions enqueue them and workers run them."""

    def test_a_job_comes_back_as_it_was_enqueued(self, transactions: Transactions) -> None:
        payload = {"to": "Amína", "count": 2**53, "nested": [1, None, {"a": "\0"}]}

        with transactions.begin() as tx:
            assert tx.jobs.enqueue("mail", "welcome: p-1?", payload, run_at=NOON)
            tx.commit()

        assert _listed(transactions) == [
            Job(
                kind="mail",
                business_key="welcome: p-1?",
                payload=payload,
                run_at=NOON,
                lease=Lease(due_at=NOON),
            )
        ]

    def test_a_job_is_enqueued_once(self, transactions: Transactions) -> None:
        _enqueue(transactions, "1")
        _change(transactions, lambda job: job.finish(at=NOON))

        with transactions.begin() as tx:
            assert not tx.jobs.enqueue("mail", "1", {"other": True}, run_at=NOON + MINUTE)
            assert tx.jobs.enqueue("sync", "1", {}, run_at=NOON)
            tx.commit()

        assert {(job.kind, job.state) for job in _listed(transactions)} == {
            ("mail", JobState.DONE),
            ("sync", JobState.WAITING),
        }

    def test_a_job_is_forgotten_with_the_transaction_that_causes_it(
        self, transactions: Transactions
    ) -> None:
        with transactions.begin() as tx:
            tx.jobs.enqueue("mail", "1", {}, run_at=NOON)

        assert _listed(transactions) == []

    def test_many_who_enqueue_at_once_enqueue_one(self, transactions: Transactions) -> None:
        def enqueue(_index: int) -> bool:
            with transactions.begin() as tx:
                new = tx.jobs.enqueue("mail", "1", {}, run_at=NOON)
                tx.commit()
            return new

        assert sorted(at_once(4, enqueue), key=str) == [False, False, False, True]

    def test_an_unknown_job_is_named(self, transactions: Transactions) -> None:
        with transactions.begin() as tx, pytest.raises(JobNotFoundError, match="mail:1"):
            tx.jobs.lock("mail", "1")

    def test_what_is_due_comes_in_turn(self, transactions: Transactions) -> None:
        for key, run_at in {"a": NOON, "b": NOON - MINUTE, "c": NOON + MINUTE, "d": NOON}.items():
            _enqueue(transactions, key, run_at=run_at)
        _enqueue(transactions, "other", kind="sync", run_at=NOON - MINUTE)
        seen: list[str] = []

        done = _runner(transactions, lambda job: seen.append(job.business_key)).run_due("mail")

        assert seen == ["b", "a", "d"]
        assert done == 3
        assert [job.business_key for job in _listed(transactions, JobState.WAITING)] == [
            "other",
            "c",
        ]
        assert _listed(transactions, JobState.DONE)[0].closed_at == NOON

    def test_a_job_is_leased_while_it_runs(self, transactions: Transactions) -> None:
        _enqueue(transactions, "1")
        inside: list[int] = []

        def work(job: Job) -> None:
            inside.append(_runner(transactions, work).run_due("mail"))
            assert _listed(transactions)[0].lease == job.lease
            assert job.lease == Lease(attempts=1, due_at=NOON + POLICY.lease)

        assert _runner(transactions, work).run_due("mail") == 1
        assert inside == [0]

    def test_many_workers_run_each_job_once(self, transactions: Transactions) -> None:
        keys = [f"{number:02}" for number in range(12)]
        for key in keys:
            _enqueue(transactions, key)
        seen: list[str] = []

        def work(_index: int) -> None:
            _runner(transactions, lambda job: seen.append(job.business_key)).run_due("mail")

        errors = [error for error in at_once(4, work) if error is not None]

        assert not errors
        assert sorted(seen) == keys
        assert _listed(transactions, JobState.WAITING) == []

    def test_a_job_that_fails_is_tried_again_later(self, transactions: Transactions) -> None:
        clock = FixedClock(NOON)
        _enqueue(transactions, "1")
        attempts: list[int] = []

        def work(job: Job) -> None:
            attempts.append(job.lease.attempts)
            if len(attempts) < 3:
                raise InvalidRequestError("not \0 yet \ud83d")

        runner = _runner(transactions, work, clock)
        done = [runner.run_due("mail")]
        [failed] = _listed(transactions)
        done.append(runner.run_due("mail"))
        for _ in range(2):
            clock.advance(POLICY.backoff.longest)
            done.append(runner.run_due("mail"))

        assert (done, attempts) == ([0, 0, 0, 1], [1, 2, 3])
        assert failed.last_error == "not \\x00 yet \\ud83d"
        assert failed.lease == Lease(attempts=1, due_at=NOON + POLICY.backoff.first)
        assert _listed(transactions)[0].last_error == ""

    def test_a_job_whose_worker_died_is_run_again(self, transactions: Transactions) -> None:
        clock = FixedClock(NOON)
        _enqueue(transactions, "1")

        def die(_job: Job) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            _runner(transactions, die, clock).run_due("mail")
        seen: list[Job] = []
        runner = _runner(transactions, seen.append, clock)
        done = [runner.run_due("mail")]
        clock.advance(POLICY.lease)
        done.append(runner.run_due("mail"))

        assert done == [0, 1]

    def test_a_poisoned_job_dies_with_one_alert_and_holds_up_no_other(
        self, transactions: Transactions
    ) -> None:
        clock = FixedClock(NOON)
        for key in ("1", "2", "3"):
            _enqueue(transactions, key)

        def work(job: Job) -> None:
            if job.business_key != "2":
                raise ZeroDivisionError("secret")

        runner = _runner(transactions, work, clock)
        for _ in range(POLICY.max_attempts + 1):
            runner.run_due("mail")
            clock.advance(POLICY.backoff.longest)

        assert [job.business_key for job in _listed(transactions, JobState.DONE)] == ["2"]
        dead = _listed(transactions, JobState.DEAD)
        assert [(job.business_key, job.last_error) for job in dead] == [
            ("3", "ZeroDivisionError"),
            ("1", "ZeroDivisionError"),
        ]
        with transactions.begin() as tx:
            [alert] = tx.alerts.recent(limit=10)
        assert alert.key == "dead_jobs:mail"

    def test_a_job_that_kills_its_workers_dies_too(self, transactions: Transactions) -> None:
        clock = FixedClock(NOON)
        _enqueue(transactions, "1")
        deaths = 0

        def kill(_job: Job) -> None:
            nonlocal deaths
            deaths += 1
            raise KeyboardInterrupt

        runner = _runner(transactions, kill, clock)
        for _ in range(POLICY.max_attempts):
            with pytest.raises(KeyboardInterrupt):
                runner.run_due("mail")
            clock.advance(POLICY.lease)

        assert runner.run_due("mail") == 0
        assert deaths == POLICY.max_attempts
        assert [job.state for job in _listed(transactions)] == [JobState.DEAD]

    def test_a_worker_that_overstays_its_lease_changes_nothing(
        self, transactions: Transactions
    ) -> None:
        clock = FixedClock(NOON)
        _enqueue(transactions, "1")

        def overstay(job: Job) -> None:
            clock.advance(POLICY.lease)
            if job.lease.attempts == 1:
                _runner(transactions, overstay, clock).run_due("mail")
                raise ZeroDivisionError

        assert _runner(transactions, overstay, clock).run_due("mail") == 0

        [job] = _listed(transactions)
        assert (job.state, job.lease.attempts) == (JobState.DONE, 2)

    def test_a_handler_may_close_its_job_with_its_own_effect(
        self, transactions: Transactions
    ) -> None:
        _enqueue(transactions, "1")

        def work(job: Job) -> None:
            with transactions.begin() as tx:
                tx.jobs.save(tx.jobs.lock(job.kind, job.business_key).finish(at=NOON - MINUTE))
                tx.commit()

        _runner(transactions, work).run_due("mail")

        assert _listed(transactions)[0].closed_at == NOON - MINUTE

    def test_an_operator_retries_and_discards(self, transactions: Transactions) -> None:
        for key in ("1", "2"):
            _enqueue(transactions, key)
            _change(transactions, lambda job: job.bury("broken", at=NOON), key)

        _change(transactions, lambda job: job.retry(at=NOON + MINUTE), "1")
        _change(transactions, lambda job: job.discard(at=NOON + MINUTE), "2")

        first, second = _listed(transactions)
        assert (first.state, first.lease) == (JobState.WAITING, Lease(due_at=NOON + MINUTE))
        assert (second.state, second.closed_at) == (JobState.DISCARDED, NOON + MINUTE)
        assert {first.last_error, second.last_error} == {"broken"}

    def test_jobs_are_listed_by_state_and_kind(self, transactions: Transactions) -> None:
        for number, state in enumerate(("waiting", "done", "dead", "discarded")):
            for kind in ("mail", "sync"):
                _enqueue(transactions, state, kind=kind, run_at=NOON + number * MINUTE)
        for kind in ("mail", "sync"):
            _change(transactions, lambda job: job.finish(at=NOON), "done", kind=kind)
            _change(transactions, lambda job: job.bury("x", at=NOON + MINUTE), "dead", kind=kind)
            _change(
                transactions, lambda job: job.discard(at=NOON + 2 * MINUTE), "discarded", kind=kind
            )

        with transactions.begin() as tx:
            assert [job.name for job in tx.jobs.listing(limit=5)] == [
                "mail:waiting",
                "sync:waiting",
                "sync:discarded",
                "mail:discarded",
                "sync:dead",
            ]
            assert [job.name for job in tx.jobs.listing(limit=5, kind="mail")] == [
                "mail:waiting",
                "mail:discarded",
                "mail:dead",
                "mail:done",
            ]
            chosen = tx.jobs.listing(limit=3, states=[JobState.DEAD, JobState.WAITING], kind="sync")
            assert [job.name for job in chosen] == ["sync:waiting", "sync:dead"]
            assert [
                (backlog.kind, backlog.waiting, backlog.oldest_due_at, backlog.dead)
                for backlog in tx.jobs.backlog()
            ] == [("mail", 1, NOON, 1), ("sync", 1, NOON, 1)]

    def test_a_recurring_job_runs_once_in_each_period(self, transactions: Transactions) -> None:
        clock = FixedClock(NOON)
        seen: list[str] = []
        runner = replace(
            _runner(transactions, lambda job: seen.append(job.business_key), clock),
            recurring=[every("mail", timedelta(hours=1), offset=15 * MINUTE)],
        )

        for _ in range(10):
            runner.enqueue_recurring()
            runner.run_due("mail")
            clock.advance(10 * MINUTE)

        assert seen == [
            "2026-06-01T11:15:00Z",
            "2026-06-01T12:15:00Z",
            "2026-06-01T13:15:00Z",
        ]

    def test_what_was_closed_long_ago_is_forgotten(self, transactions: Transactions) -> None:
        clock = FixedClock(NOON)
        for key in ("done", "dead", "discarded", "waiting"):
            _enqueue(transactions, key)
        _change(transactions, lambda job: job.finish(at=NOON), "done")
        _change(transactions, lambda job: job.bury("broken", at=NOON), "dead")
        _change(transactions, lambda job: job.discard(at=NOON), "discarded")
        runner = _runner(transactions, lambda _job: None, clock)

        clock.advance(RETENTION)
        forgotten = [runner.forget_closed()]
        clock.advance(MINUTE)
        forgotten.append(runner.forget_closed())

        assert forgotten == [0, 2]
        assert [job.business_key for job in _listed(transactions)] == ["waiting", "dead"]

    def test_no_more_are_forgotten_at_once_than_asked(self, transactions: Transactions) -> None:
        for key in ("1", "2", "3"):
            _enqueue(transactions, key)
            _change(transactions, lambda job: job.finish(at=NOON), key)

        with transactions.begin() as tx:
            assert tx.jobs.forget(closed_before=NOON + MINUTE, limit=2) == 2
            tx.commit()

        assert len(_listed(transactions)) == 1


def _runner(
    transactions: Transactions, work: Callable[[Job], None], clock: FixedClock | None = None
) -> RunJobs:
    return RunJobs(
        transactions=transactions,
        clock=clock or FixedClock(NOON),
        handlers={"mail": work},
        policies={"mail": POLICY},
        jitter=lambda: 0.0,
    )


def _enqueue(
    transactions: Transactions, key: str, *, kind: str = "mail", run_at: datetime = NOON
) -> None:
    with transactions.begin() as tx:
        tx.jobs.enqueue(kind, key, {}, run_at=run_at)
        tx.commit()


def _change(
    transactions: Transactions,
    change: Callable[[Job], Job],
    key: str = "1",
    *,
    kind: str = "mail",
) -> None:
    with transactions.begin() as tx:
        tx.jobs.save(change(tx.jobs.lock(kind, key)))
        tx.commit()


def _listed(transactions: Transactions, *states: JobState) -> list[Job]:
    with transactions.begin() as tx:
        return list(tx.jobs.listing(limit=100, states=states))
