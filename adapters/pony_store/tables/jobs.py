"""Jobs in ``jobs``."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.errors import JobNotFoundError
from creditcore.domain.jobs import Job, JobState
from creditcore.domain.lease import Lease
from creditcore.ports.jobs import JobBacklog

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session, tuples

JOB_COLUMNS = (
    "kind",
    "business_key",
    "payload",
    "run_at",
    "state",
    "attempts",
    "due_at",
    "last_error",
    "closed_at",
)
_COLUMNS = ", ".join(JOB_COLUMNS)
_OVER = (str(JobState.DONE), str(JobState.DISCARDED))


def job_values(job: Job) -> tuple[object, ...]:
    """Return a row of ``jobs``."""
    return (
        job.kind,
        job.business_key,
        json.dumps(job.payload),
        micros(job.run_at),
        str(job.state),
        job.lease.attempts,
        micros_or_none(job.lease.due_at),
        job.last_error,
        micros_or_none(job.closed_at),
    )


def job_from_row(row: Any) -> Job:
    """Return the job of a row."""
    return Job(
        kind=row.kind,
        business_key=row.business_key,
        payload=json.loads(row.payload),
        run_at=instant(row.run_at),
        lease=Lease(attempts=row.attempts, due_at=instant_or_none(row.due_at)),
        state=JobState(row.state),
        last_error=row.last_error,
        closed_at=instant_or_none(row.closed_at),
    )


class PonyJobs:
    """The outbox. Closed jobs are in no index that claiming looks at."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def enqueue(
        self, kind: str, business_key: str, payload: Mapping[str, object], *, run_at: datetime
    ) -> bool:
        values = job_values(Job.new(kind, business_key, payload, run_at=run_at))
        inserted = self._session.change(
            f"INSERT INTO jobs ({_COLUMNS}) VALUES {tuples([values])} ON CONFLICT DO NOTHING",
            values,
        )
        return inserted == 1

    def lock_due(self, kind: str, *, now: datetime) -> Job | None:
        row_lock = self._session.engine.row_lock
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM jobs WHERE kind = ? AND due_at <= ?"
            f" ORDER BY due_at, business_key LIMIT 1{row_lock and row_lock + ' SKIP LOCKED'}",
            (kind, micros(now)),
        )
        return job_from_row(rows[0]) if rows else None

    def lock(self, kind: str, business_key: str) -> Job:
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM jobs WHERE kind = ? AND business_key = ?"
            f"{self._session.engine.row_lock}",
            (kind, business_key),
        )
        if not rows:
            raise JobNotFoundError(f"{kind}:{business_key}")
        return job_from_row(rows[0])

    def save(self, job: Job) -> None:
        self._session.change(
            "UPDATE jobs SET payload = ?, run_at = ?, state = ?, attempts = ?, due_at = ?,"
            " last_error = ?, closed_at = ? WHERE kind = ? AND business_key = ?",
            (*job_values(job)[2:], job.kind, job.business_key),
        )

    def listing(
        self, *, limit: int, states: Collection[JobState] = (), kind: str | None = None
    ) -> Sequence[Job]:
        found: list[Job] = []
        # Each state is read from the beginning of an index of its own.
        if not states or JobState.WAITING in states:
            found += self._list("due_at IS NOT NULL", (), kind, "due_at, kind, business_key", limit)
        closed = [
            job
            for state in JobState
            if state is not JobState.WAITING and state in (states or JobState)
            for job in self._list(
                "state = ? AND closed_at IS NOT NULL",
                (str(state),),
                kind,
                "closed_at DESC, kind DESC, business_key DESC",
                limit,
            )
        ]
        closed.sort(key=lambda job: (job.closed_at, job.kind, job.business_key), reverse=True)
        return [*found, *closed][:limit]

    def backlog(self) -> Sequence[JobBacklog]:
        rows = self._session.rows(
            "SELECT kind, sum(waiting) AS waiting, min(due_at) AS due_at, sum(dead) AS dead FROM ("
            "SELECT kind, 1 AS waiting, due_at, 0 AS dead FROM jobs WHERE due_at IS NOT NULL"
            " UNION ALL SELECT kind, 0, NULL, 1 FROM jobs"
            " WHERE state = 'dead' AND closed_at IS NOT NULL) AS open_jobs"
            " GROUP BY kind ORDER BY kind"
        )
        return [
            JobBacklog(
                kind=row.kind,
                waiting=int(row.waiting),
                oldest_due_at=instant_or_none(row.due_at),
                dead=int(row.dead),
            )
            for row in rows
        ]

    def forget(self, *, closed_before: datetime, limit: int) -> int:
        forgotten = 0
        for state in _OVER:
            forgotten += self._session.change(
                "DELETE FROM jobs WHERE (kind, business_key) IN ("
                "SELECT kind, business_key FROM jobs WHERE state = ? AND closed_at < ?"
                " ORDER BY closed_at LIMIT ?)",
                (state, micros(closed_before), limit - forgotten),
            )
        return forgotten

    def _list(
        self, condition: str, values: tuple[object, ...], kind: str | None, order: str, limit: int
    ) -> list[Job]:
        of_kind = "" if kind is None else " AND kind = ?"
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM jobs WHERE {condition}{of_kind} ORDER BY {order} LIMIT ?",
            (*values, *([] if kind is None else [kind]), limit),
        )
        return [job_from_row(row) for row in rows]
