"""Run jobs that are due: claim one, do it, close it.

A job is claimed in a transaction of its own, so a worker that dies leaves a lease that runs
out. An effect happens at least once; the handler makes a repeat harmless, by the job's key.
A handler whose whole effect is in our own database closes the job in the same transaction.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.alerts import dead_jobs
from creditcore.domain.errors import CreditcoreError, JobNotFoundError, StoreError
from creditcore.domain.jobs import Job, JobState, Recurrence
from creditcore.domain.lease import RetryPolicy
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasJobs
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.monitoring.keep_alerts import raise_alert

JobHandler = Callable[[Job], None]
"""Does a job, or raises. It may see the same job again, also at the same time."""

DEFAULT_POLICY = RetryPolicy()
RETENTION = timedelta(days=30)

_MAX_JOBS_A_ROUND = 100
_MAX_ROUND = timedelta(seconds=30)
_FORGOTTEN_AT_ONCE = 1000
_MAX_FORGOTTEN = 50_000

_log = logging.getLogger(__name__)


class RunJobsTransaction(AlertsTransaction, HasJobs, Protocol):
    """What running jobs reads and writes."""


class _Jitter(Protocol):
    def __call__(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJobs:
    """Run jobs by their kind, each kind independent of the others.

    Attributes:
        handlers: What does the jobs of a kind. Kinds without one are left alone, so that a
            worker of the version before does no harm to the jobs of the next.
        policies: Leases and waits of the kinds that need others than the default.
        recurring: Jobs that are enqueued once in each period.
    """

    transactions: Begins[RunJobsTransaction]
    clock: Clock
    handlers: Mapping[str, JobHandler]
    policies: Mapping[str, RetryPolicy] = field(default_factory=dict)
    recurring: Collection[Recurrence] = ()
    jitter: _Jitter = random.random

    def run_due(self, kind: str) -> int:
        """Run the jobs of a kind that are due, one after another; return how many were done.

        There is an end to each round, however many are due and however long each takes.

        Raises:
            StoreError: The database cannot be used; leases run out by themselves.
        """
        done = 0
        end = self.clock.now() + _MAX_ROUND
        for _ in range(_MAX_JOBS_A_ROUND):
            job = self._claim_due(kind)
            if job is None:
                break
            done += self._run(job)
            if self.clock.now() >= end:
                break
        return done

    def enqueue_recurring(self) -> int:
        """Enqueue the jobs of the current periods; return how many are new."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            jobs = [recurrence.current(now) for recurrence in self.recurring]
            new = sum(
                tx.jobs.enqueue(job.kind, job.business_key, job.payload, run_at=job.run_at)
                for job in jobs
            )
            tx.commit()
        return new

    def forget_closed(self) -> int:
        """Delete jobs that were closed a month ago; return how many."""
        closed_before = self.clock.now() - RETENTION
        total = 0
        while total < _MAX_FORGOTTEN:
            with self.transactions.begin() as tx:
                forgotten = tx.jobs.forget(closed_before=closed_before, limit=_FORGOTTEN_AT_ONCE)
                tx.commit()
            total += forgotten
            if forgotten < _FORGOTTEN_AT_ONCE:
                break
        return total

    def _claim_due(self, kind: str) -> Job | None:
        """Lease the job that has been due longest, and bury those that had their last attempt."""
        policy = self._policy(kind)
        while True:
            now = self.clock.now()
            with self.transactions.begin() as tx:
                due = tx.jobs.lock_due(kind, now=now)
                if due is None:
                    return None
                # Its worker died in its last attempt: perhaps of this very job.
                if due.lease.attempts >= policy.max_attempts:
                    _bury(tx, due.bury(due.last_error or "its worker died", at=now), at=now)
                    tx.commit()
                    continue
                claimed = due.claim(policy, now=now)
                tx.jobs.save(claimed)
                tx.commit()
            return claimed

    def _run(self, job: Job) -> bool:
        try:
            self.handlers[job.kind](job)
        except StoreError:
            # Not the job's fault; and there is no database to write a failure to.
            raise
        except CreditcoreError as error:
            _log.warning("job %s failed: %s", job.name, error)
            self._failed(job, str(error))
            return False
        except Exception as error:  # noqa: BLE001 - a bug in one job must not stop the others
            _log.exception("job %s failed", job.name)
            # The message of a foreign exception may hold anything, secrets too.
            self._failed(job, type(error).__name__)
            return False
        self._finished(job)
        return True

    def _finished(self, job: Job) -> None:
        with self.transactions.begin() as tx:
            if _is_still_leased(tx, job):
                tx.jobs.save(job.finish(at=self.clock.now()))
                tx.commit()

    def _failed(self, job: Job, reason: str) -> None:
        now = self.clock.now()
        failed = job.fail(reason, self._policy(job.kind), at=now, jitter=self.jitter())
        with self.transactions.begin() as tx:
            if _is_still_leased(tx, job):
                if failed.state is JobState.DEAD:
                    _bury(tx, failed, at=now)
                else:
                    tx.jobs.save(failed)
                tx.commit()

    def _policy(self, kind: str) -> RetryPolicy:
        return self.policies.get(kind, DEFAULT_POLICY)


def _is_still_leased(tx: RunJobsTransaction, job: Job) -> bool:
    """Whether no other worker took the job meanwhile, and no operator changed it."""
    try:
        return tx.jobs.lock(job.kind, job.business_key).lease == job.lease
    except JobNotFoundError:
        return False


def _bury(tx: RunJobsTransaction, dead: Job, *, at: datetime) -> None:
    tx.jobs.save(dead)
    raise_alert(tx, dead_jobs(dead, at=at))
