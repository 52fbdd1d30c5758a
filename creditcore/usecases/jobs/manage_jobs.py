"""What an operator does with jobs: list them, try dead ones again, give some up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.alerts import AlertKind
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.jobs import Job, JobState
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasActivity, HasJobs
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.monitoring.keep_alerts import resolve_alert

_RETRIED_AT_ONCE = 1000


class ManageJobsTransaction(AlertsTransaction, HasActivity, HasJobs, Protocol):
    """What operating the queue reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageJobs:
    """Look at jobs and decide about those that are dead. Every decision is kept."""

    transactions: Begins[ManageJobsTransaction]
    clock: Clock

    def listing(
        self, *, limit: int, states: Collection[JobState] = (), kind: str | None = None
    ) -> Sequence[Job]:
        """Return jobs: those that wait first, then the latest that ended."""
        with self.transactions.begin() as tx:
            return tx.jobs.listing(limit=limit, states=states, kind=kind)

    def retry(self, name: str, *, actor: Actor = SYSTEM) -> Job:
        """Run a job now that is dead, discarded, or waits for a later attempt.

        Args:
            name: Its kind and business key, joined by a colon.
            actor: Who decided.

        Raises:
            InvalidRequestError: It is done, or the name has no colon.
            JobNotFoundError: There is none of that name.
        """
        return self._decide(name, Act.JOB_RETRIED, actor)

    def discard(self, name: str, *, actor: Actor = SYSTEM) -> Job:
        """Give up a job for good; a worker that runs it at this moment may still finish it.

        Raises:
            InvalidRequestError: It is done, or the name has no colon.
            JobNotFoundError: There is none of that name.
        """
        return self._decide(name, Act.JOB_DISCARDED, actor)

    def retry_dead(self, kind: str, *, actor: Actor = SYSTEM) -> int:
        """Run all dead jobs of a kind again; return how many there were."""
        total = 0
        while True:
            dead = self.listing(limit=_RETRIED_AT_ONCE, states=[JobState.DEAD], kind=kind)
            for job in dead:
                self._decide(job.name, Act.JOB_RETRIED, actor)
            total += len(dead)
            if len(dead) < _RETRIED_AT_ONCE:
                return total

    def _decide(self, name: str, act: Act, actor: Actor) -> Job:
        kind, colon, key = name.partition(":")
        if not colon:
            raise InvalidRequestError(
                "A job is named by its kind and key, as 'jobs list' shows it: kind:key.",
                param="name",
            )
        now = self.clock.now()
        with self.transactions.begin() as tx:
            job = tx.jobs.lock(kind, key)
            if job.state is JobState.DONE:
                raise InvalidRequestError(f"{name} is done already.", param="name")
            changed = job.retry(at=now) if act is Act.JOB_RETRIED else job.discard(at=now)
            tx.jobs.save(changed)
            tx.activity.add(
                Activity(
                    actor=actor,
                    act=act,
                    target=f"job:{name}",
                    before={"state": str(job.state), "attempts": job.lease.attempts},
                    after={"state": str(changed.state)},
                    at=now,
                )
            )
            if not tx.jobs.listing(limit=1, states=[JobState.DEAD], kind=kind):
                resolve_alert(tx, f"{AlertKind.DEAD_JOBS}:{kind}", at=now)
            tx.commit()
        return changed
