"""An in-memory outbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.errors import JobNotFoundError
from creditcore.domain.jobs import Job, JobState
from creditcore.ports.jobs import JobBacklog


@dataclass
class MemoryJobs:
    """Jobs in a dictionary, by kind and business key."""

    table: dict[tuple[str, str], Job]

    def enqueue(
        self, kind: str, business_key: str, payload: Mapping[str, object], *, run_at: datetime
    ) -> bool:
        job = Job.new(kind, business_key, payload, run_at=run_at)
        return self.table.setdefault((kind, business_key), job) is job

    def lock_due(self, kind: str, *, now: datetime) -> Job | None:
        due = [
            (job.lease.due_at, job.business_key)
            for job in self.table.values()
            if job.kind == kind and job.lease.due_at is not None and job.lease.due_at <= now
        ]
        return self.table[kind, min(due)[1]] if due else None

    def lock(self, kind: str, business_key: str) -> Job:
        if (kind, business_key) not in self.table:
            raise JobNotFoundError(f"{kind}:{business_key}")
        return self.table[kind, business_key]

    def save(self, job: Job) -> None:
        self.table[job.kind, job.business_key] = job

    def listing(
        self, *, limit: int, states: Collection[JobState] = (), kind: str | None = None
    ) -> Sequence[Job]:
        chosen = [
            job
            for job in self.table.values()
            if job.state in (states or JobState) and kind in (None, job.kind)
        ]
        waiting = [(job.lease.due_at, job) for job in chosen if job.lease.due_at]
        closed = [(job.closed_at, job) for job in chosen if job.closed_at]
        waiting.sort(key=lambda pair: (pair[0], pair[1].kind, pair[1].business_key))
        closed.sort(key=lambda pair: (pair[0], pair[1].kind, pair[1].business_key), reverse=True)
        return [job for _, job in (*waiting, *closed)][:limit]

    def backlog(self) -> Sequence[JobBacklog]:
        kinds = {
            job.kind: [other for other in self.table.values() if other.kind == job.kind]
            for job in self.table.values()
        }
        found = [
            JobBacklog(
                kind=kind,
                waiting=sum(job.state is JobState.WAITING for job in jobs),
                oldest_due_at=min(
                    (job.lease.due_at for job in jobs if job.lease.due_at), default=None
                ),
                dead=sum(job.state is JobState.DEAD for job in jobs),
            )
            for kind, jobs in sorted(kinds.items())
        ]
        return [backlog for backlog in found if backlog.waiting or backlog.dead]

    def forget(self, *, closed_before: datetime, limit: int) -> int:
        """Delete old jobs that no operator has to look at."""
        over = (JobState.DONE, JobState.DISCARDED)
        old = [
            name
            for name, job in self.table.items()
            if job.state in over and job.closed_at and job.closed_at < closed_before
        ][:limit]
        for name in old:
            del self.table[name]
        return len(old)
