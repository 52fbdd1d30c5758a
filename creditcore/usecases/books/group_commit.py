"""Many callers, one transaction: each is answered after its commit.

A database makes a few hundred durable commits a second, whatever is in them. Steps
that arrive while one commit is under way therefore go together into the next. Each
step decides on its own over the shared, locked books, so that one caller's refusal
is no other's.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast

from creditcore.domain.books import Books, Footprint
from creditcore.domain.errors import (
    OutcomeUnknownError,
    OverloadedError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
)
from creditcore.domain.holds import Hold
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import BooksTransactions

MAX_BATCH = 128
"""Steps per transaction: enough to share a commit, few enough to keep it short."""

MAX_WAITING = 4096
"""Steps that may wait in memory before new ones are refused."""

_BUSY_ATTEMPTS = 5
_LINGER_S = 0.003
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0

_log = logging.getLogger(__name__)

Result_co = TypeVar("Result_co", covariant=True)


class Step(Protocol[Result_co]):
    """One thing to do to the books. Doing it twice changes nothing the second time."""

    @property
    def footprint(self) -> Footprint:
        """What to lock and read for it."""

    @property
    def known_holds(self) -> Collection[Hold]:
        """Of the holds to read, those that need not be.

        The caller knows how it left them. If one is not so any more, writing it fails,
        and the step is decided again on what the database has.
        """

    def decide(self, books: Books, *, now: datetime) -> Result_co:
        """Change the books, or raise and change nothing."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """One step on its way. ``keep`` says to try until it is done, since no caller waits."""

    step: Step[Any]
    keep: bool
    then: Callable[[], None] | None = None
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: BaseException | None = None

    def answer(self, result: Any = None, error: BaseException | None = None) -> None:
        """Tell the caller who waits; where none does, an error must leave a trace."""
        if self.keep and error is not None:
            _log.error("a step was dropped: %r", self.step, exc_info=error)
        if self.then is not None and error is None:
            self.then()
        self.result, self.error = result, error
        self.done.set()


class GroupCommit:
    """Runs steps, as many as are waiting in each transaction.

    One thread commits; it starts with the first step, in the process that asks (a
    fork starts its own), and under gevent it is a greenlet like any other. ``close``
    finishes what waits; use it as a context manager where that is convenient.
    """

    def __init__(
        self, *, transactions: BooksTransactions, clock: Clock, max_waiting: int = MAX_WAITING
    ) -> None:
        self._transactions = transactions
        self._clock = clock
        self._max_waiting = max_waiting
        self._resetting = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._waiting: deque[_Ticket] = deque()
        self._in_flight: list[_Ticket] = []
        # How many of those that wait have a caller waiting for them.
        self._urgent = 0
        self._changing = threading.Lock()
        self._arrival = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        # Last: a caller who sees this process here finds everything ready.
        self._pid = os.getpid()

    def run(self, step: Step[Result_co]) -> Result_co:
        """Do a step and return what it decided, once that is durable.

        Raises:
            OverloadedError: Too many steps are waiting; nothing was done.
            OutcomeUnknownError: The database fell silent over the commit; a repeat finds
                out whether it happened.
            StoreUnavailableError: The database did not answer; nothing was done.
            CreditcoreError: What the step itself decided to raise.
        """
        ticket = self._enqueue(_Ticket(step, keep=False))
        ticket.done.wait()
        if ticket.error is not None:
            raise ticket.error
        return cast("Result_co", ticket.result)

    def run_later(self, step: Step[Any], *, then: Callable[[], None] | None = None) -> None:
        """Do a step soon, without waiting; it is tried until the database takes it.

        It is never refused for load: no more can wait than was admitted before. Once it is
        durable, ``then`` is called, which must be quick and raise nothing.
        """
        self._enqueue(_Ticket(step, keep=True, then=then))

    def flush(self) -> None:
        """Wait until every step that was handed over so far has been answered."""
        self._start_in_this_process()
        with self._changing:
            waiting = list(self._waiting) + self._in_flight
        for ticket in waiting:
            ticket.done.wait()

    @property
    def waiting(self) -> int:
        """How many steps wait for their transaction now."""
        return len(self._waiting)

    def close(self, *, timeout_s: float = 10.0) -> None:
        """Finish what waits and stop. Steps handed over later are refused."""
        self._start_in_this_process()
        with self._changing:
            self._closing.set()
            self._arrival.set()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _enqueue(self, ticket: _Ticket) -> _Ticket:
        self._start_in_this_process()
        with self._changing:
            if self._closing.is_set():
                raise StoreUnavailableError("The gateway is shutting down.")
            if not ticket.keep and len(self._waiting) >= self._max_waiting:
                raise OverloadedError("Too many calls are waiting for the database.")
            if self._thread is None:
                thread = threading.Thread(
                    target=self._commit_for_ever, name="group-commit", daemon=True
                )
                thread.start()
                self._thread = thread
            self._waiting.append(ticket)
            self._urgent += not ticket.keep
            if not ticket.keep or len(self._waiting) == 1:
                self._arrival.set()
        return ticket

    def _start_in_this_process(self) -> None:
        """Forget what a fork has left behind: the thread, and those who wait, are the parent's."""
        if self._pid != os.getpid():
            with self._resetting:
                if self._pid != os.getpid():
                    self._reset()

    def _commit_for_ever(self) -> None:
        pause_s = 0.0
        while batch := self._take(pause_s):
            failure = self._commit(batch)
            if failure is None:
                pause_s = 0.0
                continue
            if pause_s and isinstance(failure, StoreUnavailableError):
                self._tell_all()
            pause_s = min(max(pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)

    def _take(self, pause_s: float) -> list[_Ticket]:
        """Wait for work, and after a failure wait a little longer for the database.

        Work that no caller waits for lingers a moment, so that it shares the commit of the
        next caller: the settlement of one call goes with the authorization of the next.
        """
        self._in_flight = []
        if pause_s:
            self._closing.wait(pause_s)
        while not (self._waiting or self._closing.is_set()):
            self._arrival.wait()
            self._arrival.clear()
        if not (self._urgent or self._closing.is_set()):
            self._arrival.clear()
            if not self._urgent:
                self._arrival.wait(_LINGER_S)
        with self._changing:
            if pause_s:
                # Those who wait for an answer come before what has failed and is kept.
                self._waiting = deque(sorted(self._waiting, key=lambda ticket: ticket.keep))
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
            self._urgent -= sum(not ticket.keep for ticket in batch)
            self._in_flight = batch
            return batch

    def _commit(self, batch: list[_Ticket]) -> StoreError | None:
        """Commit a batch and answer everyone in it; return how the store failed us, if it did."""
        for attempt in range(1, _BUSY_ATTEMPTS + 1):
            try:
                # What was known may be wrong; after a lost race everything is read.
                answers = self._attempt([ticket.step for ticket in batch], knowing=attempt == 1)
            except StoreBusyError as error:
                if attempt == _BUSY_ATTEMPTS:
                    return self._give_back(batch, error)
            except StoreUnavailableError as error:
                return self._give_back(batch, error)
            except StoreError as error:
                # It is there and fails: perhaps at one step only.
                if len(batch) > 1:
                    return self._commit_one_by_one(batch, error)
                return self._give_back(batch, error)
            except Exception as error:  # noqa: BLE001 - its caller gets it
                return self._commit_one_by_one(batch, error)
            else:
                for ticket, (result, refusal) in zip(batch, answers, strict=True):
                    ticket.answer(result, refusal)
                return None
        raise AssertionError("the last attempt returns")

    def _attempt(
        self, steps: list[Step[Any]], *, knowing: bool
    ) -> list[tuple[Any, Exception | None]]:
        answers: list[tuple[Any, Exception | None]] = []
        now = self._clock.now()
        known = {hold.reference: hold for step in steps for hold in step.known_holds}
        if not knowing:
            known.clear()
        with self._transactions.begin() as tx:
            footprint = Footprint.union(step.footprint for step in steps)
            if known:
                unknown = [name for name in footprint.hold_references if name not in known]
                footprint = footprint._replace(hold_references=unknown)
            books = tx.ledger.lock(footprint)
            books.holds.update(known)
            for step in steps:
                try:
                    answers.append((step.decide(books, now=now), None))
                except Exception as refusal:
                    if knowing and step.known_holds:
                        raise StoreBusyError("What was known of a hold may be wrong.") from refusal
                    answers.append((None, refusal))
            try:
                tx.ledger.write(books)
                tx.commit()
            except StoreUnavailableError as error:
                raise OutcomeUnknownError(str(error)) from error
        return answers

    def _commit_one_by_one(self, batch: list[_Ticket], error: Exception) -> StoreError | None:
        """Find the step that the store chokes on, so that it harms no other."""
        if len(batch) == 1:
            batch[0].answer(error=error)
            return None
        # A list, not a generator: all of them run, even where the first one fails.
        failures = [self._commit([ticket]) for ticket in batch]
        return failures[-1] if all(failures) else None

    def _give_back(self, batch: list[_Ticket], error: StoreError) -> StoreError:
        """Answer those who wait with the failure; keep what must be done for later."""
        kept = [ticket for ticket in batch if ticket.keep and not self._closing.is_set()]
        for ticket in batch:
            if ticket not in kept:
                ticket.answer(error=error)
        with self._changing:
            self._waiting.extendleft(reversed(kept))
        return error

    def _tell_all(self) -> None:
        """Answer everyone who waits for a database that has failed twice in a row.

        They have waited through one attempt already. A batch for each attempt would leave
        the last of them waiting for minutes.
        """
        with self._changing:
            told = [ticket for ticket in self._waiting if not ticket.keep]
            self._waiting = deque(ticket for ticket in self._waiting if ticket.keep)
            self._urgent = 0
        for ticket in told:
            ticket.answer(error=StoreUnavailableError("The database does not answer."))
