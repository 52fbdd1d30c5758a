"""A worker that says where it is, and stops there to be killed.

It runs jobs of one kind, each of which grants a wallet credits. ``python -m`` it with the URL
of a store and the place to stop at: ``before 1`` is before its first commit, ``after 3`` after
its third; ``nowhere`` runs until the job is closed.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from datetime import timedelta
from typing import Any

from adapters.pony_store import PonyTransactions, open_store
from creditcore import Credits, GrantCredits, SystemClock
from creditcore.domain.jobs import Job, JobState
from creditcore.domain.lease import Backoff, RetryPolicy
from creditcore.usecases.jobs.run_jobs import RunJobs
from tests.faults.stopping import Stopping

KIND = "grant"
POLICY = RetryPolicy(
    lease=timedelta(seconds=1), backoff=Backoff(first=timedelta(0), longest=timedelta(0))
)


def main(url: str, place: str) -> None:
    with closing(open_store(url, wait_s=60)) as store:

        def stop() -> None:
            print(place, flush=True)  # noqa: T201 - how the test knows
            sys.stdin.read()

        stopping: Any = Stopping(store, place, stop)
        grants = GrantCredits(transactions=stopping, clock=SystemClock())

        def grant(job: Job) -> None:
            grants.grant(
                str(job.payload["wallet_id"]), Credits.of(7), reason="job", reference=job.name
            )

        runner = RunJobs(
            transactions=stopping,
            clock=SystemClock(),
            handlers={KIND: grant},
            policies={KIND: POLICY},
        )
        while any_waits(store):
            runner.run_due(KIND)
            time.sleep(0.05)


def any_waits(store: PonyTransactions) -> bool:
    with store.begin() as tx:
        return bool(tx.jobs.listing(limit=1, states=[JobState.WAITING]))


if __name__ == "__main__":
    main(*sys.argv[1:])
