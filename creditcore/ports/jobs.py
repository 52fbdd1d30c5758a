"""The outbox: jobs that a transaction causes, and workers run after it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from creditcore.domain.jobs import Job, JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBacklog:
    """How far a kind of job is behind.

    Attributes:
        waiting: How many are due, now or later, or leased.
        oldest_due_at: When the one that has waited longest was due; None where none waits.
        dead: How many were given up.
    """

    kind: str
    waiting: int
    oldest_due_at: datetime | None
    dead: int


class Jobs(Protocol):
    """Jobs, each unique by its kind and business key."""

    def enqueue(
        self, kind: str, business_key: str, payload: Mapping[str, object], *, run_at: datetime
    ) -> bool:
        """Add a job that runs once this transaction has committed; return whether it is new.

        A kind and key that are there already, in whatever state, are left as they are. A job
        that is done is forgotten after a month: the caller's own row must say by then that
        its event is over.

        Raises:
            ValueError: As ``Job.new`` does.
        """

    def lock_due(self, kind: str, *, now: datetime) -> Job | None:
        """Return the job of a kind that has been due longest, locked until the transaction ends.

        Jobs that another transaction has locked are passed over: any number of workers may
        look at once, and none waits for another.
        """

    def lock(self, kind: str, business_key: str) -> Job:
        """Return a job, locked until the transaction ends.

        Raises:
            JobNotFoundError: There is none.
        """

    def save(self, job: Job) -> None:
        """Write a changed job that is locked."""

    def listing(
        self, *, limit: int, states: Collection[JobState] = (), kind: str | None = None
    ) -> Sequence[Job]:
        """Return jobs in some states, or in any.

        Those that wait come first, in the order in which they are due; then the others, the
        latest that ended first.
        """

    def backlog(self) -> Sequence[JobBacklog]:
        """Return how far each kind is behind that has a job waiting or dead."""

    def forget(self, *, closed_before: datetime, limit: int) -> int:
        """Delete jobs that were done or discarded before a time; return how many."""
