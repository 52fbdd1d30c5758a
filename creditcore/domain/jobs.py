"""Work that has to be done once, after the transaction that caused it, until it succeeds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from creditcore.domain.lease import Lease, RetryPolicy

MAX_NAME_LENGTH = 200
MAX_PAYLOAD_LENGTH = 64 * 1024
MAX_ERROR_LENGTH = 500

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    """Due now or later, or leased to a worker."""

    DONE = "done"
    DEAD = "dead"
    """It failed as often as it may. An operator retries or discards it."""

    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work.

    Attributes:
        kind: Which handler does it, such as ``send_mail``.
        business_key: Names the event that causes it, unique within the kind: enqueuing it
            again changes nothing. What recurs for one object carries a version.
        payload: What the handler needs beside the key, as JSON has it. No secrets.
        run_at: When it was to run first.
        lease: How often it was tried, and when the next attempt is due.
        last_error: Why the latest attempt failed; empty after a success.
        closed_at: When it ended, well or not.
    """

    kind: str
    business_key: str
    payload: Mapping[str, object] = field(default_factory=dict)
    run_at: datetime
    lease: Lease
    state: JobState = JobState.WAITING
    last_error: str = ""
    closed_at: datetime | None = None

    @classmethod
    def new(
        cls, kind: str, business_key: str, payload: Mapping[str, object], *, run_at: datetime
    ) -> Self:
        """Return a job that is due at a time.

        Raises:
            ValueError: A name is empty or too long, the kind has a colon, or the payload is
                no JSON object or too large.
        """
        if not kind or ":" in kind or not business_key:
            raise ValueError(f"a job has a kind without a colon and a key, not {kind!r}")
        if max(len(kind), len(business_key)) > MAX_NAME_LENGTH:
            raise ValueError(f"the names of a job have at most {MAX_NAME_LENGTH} characters")
        try:
            text = json.dumps(payload, allow_nan=False)
        except TypeError as error:
            raise ValueError(f"the payload of a job is JSON: {error}") from None
        if len(text) > MAX_PAYLOAD_LENGTH:
            raise ValueError(f"the payload of a job has at most {MAX_PAYLOAD_LENGTH} characters")
        return cls(
            kind=kind,
            business_key=business_key,
            # A copy, and exactly what comes back out of a store.
            payload=json.loads(text),
            run_at=run_at,
            lease=Lease(due_at=run_at),
        )

    @property
    def name(self) -> str:
        """What operators call it: kind and business key."""
        return f"{self.kind}:{self.business_key}"

    def claim(self, policy: RetryPolicy, *, now: datetime) -> Self:
        """Return the job as leased to a worker, which counts as an attempt."""
        return replace(self, lease=self.lease.take(until=now + policy.lease))

    def finish(self, *, at: datetime) -> Self:
        """Return the job as done. Its payload, which may speak of people, is erased."""
        return replace(self._closed(JobState.DONE, at=at, last_error=""), payload={})

    def fail(self, reason: str, policy: RetryPolicy, *, at: datetime, jitter: float = 0.0) -> Self:
        """Return the job as due again after a wait, or dead if that was its last attempt."""
        if self.lease.attempts >= policy.max_attempts:
            return self.bury(reason, at=at)
        wait = policy.backoff.wait_after(self.lease.attempts, jitter=jitter)
        return replace(
            self, lease=self.lease.wait(until=at + wait), last_error=storable_text(reason)
        )

    def bury(self, reason: str, *, at: datetime) -> Self:
        """Return the job as given up."""
        return self._closed(JobState.DEAD, at=at, last_error=storable_text(reason))

    def retry(self, *, at: datetime) -> Self:
        """Return the job as due now, with all its attempts before it."""
        return replace(self, state=JobState.WAITING, lease=Lease(due_at=at), closed_at=None)

    def discard(self, *, at: datetime) -> Self:
        """Return the job as never to be done."""
        return self._closed(JobState.DISCARDED, at=at, last_error=self.last_error)

    def _closed(self, state: JobState, *, at: datetime, last_error: str) -> Self:
        return replace(
            self, state=state, lease=self.lease.end(), closed_at=at, last_error=last_error
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A job for each period of a fixed length, such as an hour or a day.

    Attributes:
        kind: Which handler does it.
        interval: The length of a period. Periods are counted from 1970 in UTC.
        offset: When in its period the job runs.
    """

    kind: str
    interval: timedelta
    offset: timedelta = timedelta(0)

    def current(self, now: datetime) -> Job:
        """Return the job of the period that a time lies in, named by the period's beginning."""
        periods = (now - self.offset - _EPOCH) // self.interval
        run_at = _EPOCH + periods * self.interval + self.offset
        return Job.new(self.kind, f"{run_at:%Y-%m-%dT%H:%M:%SZ}", {}, run_at=run_at)


def every(kind: str, interval: timedelta, *, offset: timedelta = timedelta(0)) -> Recurrence:
    """Return the schedule of a job that runs once in each interval.

    Periods in which no worker ran are skipped: only the current one is made up for.

    Raises:
        ValueError: The interval is shorter than a second.
    """
    if interval < timedelta(seconds=1):
        raise ValueError("a job recurs at most once a second")
    return Recurrence(kind=kind, interval=interval, offset=offset)


def storable_text(text: str) -> str:
    """Return text, shortened, as every database can keep it."""
    plain = text[:MAX_ERROR_LENGTH].encode(errors="backslashreplace").decode()
    return plain.replace("\0", "\\x00")
