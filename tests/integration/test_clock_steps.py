"""A host whose clock is set, forward or back: leases, periods and rates go by other clocks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.pony_store import clock_for, committer_for, database_clock, open_store
from adapters.pony_store.database_clock import DatabaseClock
from creditcore import Credits, Hold, InsufficientCreditsError, LimitReachedError, SystemClock
from creditcore.domain.holds import Call
from creditcore.domain.limits import KeyLimits, Period, SpendLimit
from creditcore.domain.pricing import Ceiling
from creditcore.testing.contracts import a_wallet
from creditcore.testing.contracts.key_limits import a_stored_key
from creditcore.usecases.books.group_commit import GroupCommit
from creditcore.usecases.calls.charge_usage import HOLD_LIFETIME, ChargeUsage
from tests.stack import wait_until
from tests.stores import migrated_postgres_database

STEPS = [timedelta(days=40), timedelta(days=-40)]
LIMITS = KeyLimits(spend=SpendLimit(credits=Credits(79), period=Period.MONTH), max_parallel=3)
NOWHERE = "postgresql://127.0.0.1:1/none"


@dataclass
class SettableClock:
    """The clocks of a host; only one of them can be set."""

    step: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.step

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class Host:
    """A process on a host of its own."""

    machine: SettableClock
    clock: DatabaseClock
    charge: ChargeUsage

    def call(self, key_hash: bytes, reference: str, amount: int = 10) -> Hold:
        return self.charge.authorize_key(
            key_hash,
            ceiling=Ceiling.of(Credits(amount)),
            reference=reference,
            call=Call(model="demo"),
        ).hold


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def url(running: ExitStack) -> str:
    return running.enter_context(migrated_postgres_database())


def a_host(url: str, running: ExitStack, step: timedelta = timedelta()) -> Host:
    machine = SettableClock(step)
    clock = DatabaseClock(url, machine, every_s=None)
    store = running.enter_context(closing(open_store(url)))
    committer = running.enter_context(closing(committer_for(url)))
    commits = running.enter_context(GroupCommit(transactions=committer, clock=clock))
    return Host(machine, clock, ChargeUsage(commits=commits, transactions=store, clock=clock))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("from_the_start", [True, False])
def test_a_host_whose_clock_is_set_frees_no_lease_and_begins_no_period(
    url: str, running: ExitStack, step: timedelta, from_the_start: bool
) -> None:
    right = a_host(url, running)
    other = a_host(url, running, step if from_the_start else timedelta())
    with closing(open_store(url)) as store:
        key = a_stored_key(store, a_wallet(store, posted=1000), LIMITS)
    callers = (right, other, other)
    holds = [host.call(key.key_hash, f"call-{n}") for n, host in enumerate(callers)]
    other.machine.step = step

    assert other.charge.expire() == 0
    for host in (other, right):
        with pytest.raises(LimitReachedError):
            host.call(key.key_hash, "one-above")
    for hold, host in zip(holds, (other, right, other), strict=True):
        assert abs(hold.expires_at - datetime.now(UTC) - HOLD_LIFETIME) < timedelta(minutes=5)
        host.charge.settle(hold, Credits(10))
    for host in (other, right):
        with pytest.raises(InsufficientCreditsError) as refusal:
            host.call(key.key_hash, "beyond", 50)
        assert refusal.value.available == Credits(49)


def test_a_clock_that_has_drifted_is_put_right_by_the_next_comparison(url: str) -> None:
    machine = SettableClock(timedelta(hours=-1))
    clock = DatabaseClock(NOWHERE, machine, every_s=None)
    behind = clock.now()
    clock._engine = replace(clock._engine, url=url)

    clock.compare()

    assert clock.now() - behind > timedelta(minutes=59)


def test_small_differences_are_the_way_to_the_server(url: str) -> None:
    clock = DatabaseClock(url, SystemClock(), every_s=None)
    clock.now()
    before = clock._zero

    clock.compare()

    assert clock._zero == before


@dataclass
class SlowHost(SettableClock):
    """A host on which each look at the clock that is never set takes half a minute more."""

    waited_s: float = 0.0

    def monotonic(self) -> float:
        self.waited_s += 30
        return time.monotonic() + self.waited_s


def test_an_answer_that_was_long_on_its_way_moves_the_clock_by_no_guess(url: str) -> None:
    clock = DatabaseClock(url, SlowHost(), every_s=None)
    clock._pid, clock._zero = os.getpid(), datetime.now(UTC) - timedelta(seconds=time.monotonic())
    clock._zero -= timedelta(seconds=40)
    before = clock._zero

    # Said between 30 s and 60 s of this host's course, so that it fits what is gone by.
    clock.compare()

    assert clock._zero == before


def test_a_fork_that_hears_nothing_goes_on_by_what_was_known(url: str) -> None:
    clock = DatabaseClock(url, SettableClock(timedelta(hours=-1)), every_s=None)
    known = clock.now()

    clock._engine = replace(clock._engine, url=NOWHERE)
    clock._pid = os.getppid()

    assert timedelta() <= clock.now() - known < timedelta(minutes=59)


def test_a_server_that_gave_no_answer_is_asked_again_soon(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_clock, "RETRY_S", 0.05)
    clock = DatabaseClock(NOWHERE, SettableClock(timedelta(hours=-1)))
    behind = clock.now()

    clock._engine = replace(clock._engine, url=url)

    wait_until(lambda: clock.now() - behind > timedelta(minutes=59))


def test_without_a_server_the_time_goes_on_from_what_is_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine = SettableClock()
    clock = DatabaseClock(NOWHERE, machine, every_s=None)
    began = clock.now()

    machine.step = timedelta(days=40)
    clock.compare()

    assert timedelta() <= clock.now() - began < timedelta(days=1)
    assert "the time goes on without the database's" in caplog.text


def test_a_server_has_a_time_and_a_file_has_that_of_its_host(url: str) -> None:
    host = SystemClock()

    clock = clock_for(url, host)

    assert isinstance(clock, DatabaseClock)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=5)
    assert clock_for("sqlite:///credits.db", host) is host
