"""What Supabase Auth does not promise: that a thing happens once, or a few times at most.

Recorded: four parallel requests with one link gave four sessions, and forty wrong codes did not
stop the right one. So a claim is taken, and committed, before the server is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from creditcore.domain.errors import CreditcoreError, StoreError, TooManyAttemptsError
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import Transactions

LINK_LIFE = timedelta(hours=1)
"""Of the claim: one that was used is refused by the server too, a moment later."""

CODE_LIFE = timedelta(seconds=120)
"""A code of an app is accepted a little early and a little late."""

FORGOTTEN_AT_ONCE = 100

MAX_GUESSES = 5
GUESS_WINDOW = timedelta(minutes=15)


class Once:
    """Takes claims, each in a short transaction of its own."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    @contextmanager
    def use(self, kind: str, secret: str, *, life: timedelta) -> Iterator[bool]:
        """Tell whether this is the first use of a secret.

        It is used up if all goes well. Else it may be tried again: the server knows whether it
        still counts.
        """
        name = _name(kind, secret)
        first = self._take(name, life)
        try:
            yield first
        except CreditcoreError:
            if first:
                self._release(name)
            raise

    @contextmanager
    def guess(self, kind: str, subject: str) -> Iterator[None]:
        """Let a visitor guess at a secret of an account, so often.

        A right guess forgives the wrong ones; one whose outcome is unknown counts.

        Raises:
            TooManyAttemptsError: There were too many.
        """
        name = _name(kind, subject)
        if not self._take(name, GUESS_WINDOW, places=MAX_GUESSES):
            raise TooManyAttemptsError(int(GUESS_WINDOW.total_seconds()))
        yield
        self._release(name)

    def _take(self, name: str, life: timedelta, *, places: int = 1) -> bool:
        now = self._clock.now()
        with self._transactions.begin() as tx:
            taken = tx.claims.take(name, now=now, until=now + life, places=places)
            tx.commit()
        self._forget(now)
        return taken

    def _forget(self, now: datetime) -> None:
        """Delete some of what is over, so that the table stays as small as what is going on."""
        # Another process that does so at the same moment does it for us.
        with suppress(StoreError), self._transactions.begin() as tx:
            tx.claims.forget(now=now, limit=FORGOTTEN_AT_ONCE)
            tx.commit()

    def _release(self, name: str) -> None:
        with self._transactions.begin() as tx:
            tx.claims.release(name)
            tx.commit()


def _name(kind: str, secret: str) -> str:
    return f"{kind}:{hashlib.sha256(secret.encode()).hexdigest()}"
