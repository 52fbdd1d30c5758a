"""Leases: work that one process may do at a time, and that falls due again if it dies.

One instant is lease and pause at once. The process that takes the work moves it into the
future; if the process dies, the work falls due again by itself and nothing needs clearing up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """How often work was started, and when it may be started next.

    Attributes:
        attempts: How many times it was started.
        due_at: When it may be started next; None where nothing is left to be done.
    """

    attempts: int = 0
    due_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether the work may be started now."""
        return self.due_at is not None and self.due_at <= now

    def take(self, *, until: datetime) -> Self:
        """Return the lease of a process that starts the work, and has until then to end it."""
        return replace(self, attempts=self.attempts + 1, due_at=until)

    def wait(self, *, until: datetime) -> Self:
        """Return the lease of work that failed and is tried again at that time."""
        return replace(self, due_at=until)

    def end(self) -> Self:
        """Return the lease of work that is over."""
        return replace(self, due_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait after a failure: twice as long each time, up to a limit.

    Attributes:
        first: The wait after the first attempt.
        longest: The longest wait.
    """

    first: timedelta
    longest: timedelta

    def wait_after(self, attempts: int, *, jitter: float = 0.0) -> timedelta:
        """Return the wait after so many attempts.

        Args:
            attempts: How many were made, at least one.
            jitter: Between 0 and 1, at random: shortens the wait by up to a half, so that
                many that failed together do not all come back together.
        """
        wait, longest = self.first, self.longest
        for _ in range(attempts - 1):
            if wait >= longest:
                break
            wait *= 2
        wait = min(wait, longest)
        return wait - wait // 2 * jitter


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long one attempt may take, how long to wait after it, and how many there are.

    The default gives up after a little more than a day.

    Attributes:
        lease: Longer than an attempt can take, or two processes work on the same thing.
        backoff: The waits between attempts.
        max_attempts: After so many failures the work is given up.
    """

    lease: timedelta = timedelta(minutes=5)
    backoff: Backoff = Backoff(first=timedelta(seconds=10), longest=timedelta(hours=1))
    max_attempts: int = 36
