"""Holds that were left behind end by what the model server's log says, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from creditcore import (
    AuditBooks,
    Basis,
    ChargeUsage,
    Credits,
    GroupCommit,
    HoldState,
)
from creditcore.domain.errors import SpendLogMissingError, UpstreamUnavailableError
from creditcore.domain.holds import Call
from creditcore.domain.jobs import Job
from creditcore.domain.money import ZERO
from creditcore.domain.spend import SpendRow
from creditcore.testing.contracts import a_wallet
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.usecases.calls.expire_holds import WAITS_FOR_THE_LOG, ExpireHolds
from creditcore.usecases.calls.reconcile_nightly import EVERY_NIGHT, ReconcileNightly
from creditcore.usecases.calls.reconcile_usage import ReconcileUsage

HOUR = timedelta(hours=1)


@dataclass
class Log:
    """A model server's log, which may be away."""

    kept: list[SpendRow] = field(default_factory=list)
    fault: Exception | None = None
    asked: int = 0

    def rows(self, *, start: datetime, end: datetime) -> Iterator[SpendRow]:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        yield from (row for row in self.kept if start <= row.started_at < end)


@dataclass
class Scene:
    store: MemoryTransactions
    clock: FixedClock
    charge: ChargeUsage
    log: Log
    expiry: ExpireHolds

    def leave_behind(self, reference: str = "call-1") -> None:
        """Hold 100 credits for a call that is never settled, and let its time pass."""
        call = Call(model="demo", multiplier="2")
        self.charge.authorize("wallet-1", ceiling=Credits.of(100), reference=reference, call=call)

    def ran(self, reference: str = "call-1", *, usd_cents: int = 3) -> None:
        row = SpendRow(
            call_id=reference,
            picodollars=usd_cents * 10**10,
            model="demo",
            prompt_tokens=5,
            completion_tokens=7,
            started_at=self.clock.now(),
        )
        self.log.kept.append(row)

    @property
    def posted(self) -> Credits:
        return self.store.committed.wallets["wallet-1"].posted


@pytest.fixture
def scene() -> Iterator[Scene]:
    store, clock, log = MemoryTransactions(), FixedClock(), Log()
    a_wallet(store, posted=Credits.of(1000).microcredits)
    with GroupCommit(transactions=store, clock=clock) as commits:
        charge = ChargeUsage(commits=commits, transactions=store, clock=clock)
        expiry = ExpireHolds(transactions=store, clock=clock, charge=charge, log=log)
        yield Scene(store, clock, charge, log, expiry)
    assert AuditBooks(transactions=store).audit().clean


def test_a_call_that_ran_is_charged_what_it_cost_once(scene: Scene) -> None:
    scene.leave_behind()
    scene.ran(usd_cents=3)
    scene.clock.advance(HOUR)

    assert (scene.expiry.expire(), scene.expiry.expire()) == (1, 0)

    hold = scene.store.committed.holds["call-1"]
    assert (hold.state, hold.charged) == (HoldState.SETTLED, Credits.of(6))
    assert (hold.outcome.basis, hold.outcome.error) == (Basis.PROVIDER_USAGE, "interrupted")
    assert hold.outcome.usage is not None
    assert hold.outcome.usage.completion_tokens == 7
    assert scene.posted == Credits.of(994)


def test_a_report_that_comes_after_that_changes_nothing(scene: Scene) -> None:
    scene.leave_behind()
    scene.ran()
    scene.clock.advance(HOUR)
    scene.expiry.expire()

    scene.charge.settle(scene.store.committed.holds["call-1"], Credits.of(50))

    assert scene.posted == Credits.of(994)
    assert not scene.store.committed.holds["call-1"].written_off


def test_a_call_that_is_not_in_the_log_is_given_back(scene: Scene) -> None:
    scene.leave_behind()
    scene.ran("call-2")
    scene.ran(usd_cents=0)
    scene.clock.advance(HOUR)

    assert scene.expiry.expire() == 1

    hold = scene.store.committed.holds["call-1"]
    assert (hold.state, hold.charged) == (HoldState.EXPIRED, ZERO)
    assert scene.posted == Credits.of(1000)


def test_what_runs_is_left_alone(scene: Scene) -> None:
    scene.leave_behind()
    scene.ran()

    assert (scene.expiry.expire(), scene.log.asked) == (0, 0)
    scene.charge.release(scene.store.committed.holds["call-1"])


def test_a_log_that_is_away_is_waited_for_and_not_for_ever(scene: Scene) -> None:
    scene.leave_behind()
    scene.ran()
    scene.log.fault = UpstreamUnavailableError("away")
    expires_at = scene.store.committed.holds["call-1"].expires_at
    scene.clock.advance(expires_at - scene.clock.now())

    assert scene.expiry.expire() == 0
    assert scene.store.committed.holds["call-1"].is_open
    scene.clock.advance(WAITS_FOR_THE_LOG)
    assert scene.expiry.expire() == 1
    assert scene.store.committed.holds["call-1"].state is HoldState.EXPIRED


def test_a_log_that_comes_back_in_time_counts(scene: Scene) -> None:
    scene.leave_behind()
    scene.ran()
    scene.log.fault = UpstreamUnavailableError("away")
    expires_at = scene.store.committed.holds["call-1"].expires_at
    scene.clock.advance(expires_at - scene.clock.now())
    scene.expiry.expire()
    scene.log.fault = None

    assert scene.expiry.expire() == 1
    assert scene.posted == Credits.of(994)


def test_where_there_is_no_log_nothing_is_waited_for(scene: Scene) -> None:
    scene.leave_behind()
    scene.log.fault = SpendLogMissingError()
    scene.clock.advance(HOUR)

    assert scene.expiry.expire() == 1


def test_cost_beyond_the_hold_is_the_operators(scene: Scene) -> None:
    scene.leave_behind()
    scene.ran(usd_cents=70)
    scene.clock.advance(HOUR)
    scene.expiry.expire()

    hold = scene.store.committed.holds["call-1"]
    assert (hold.charged, hold.written_off) == (Credits.of(100), Credits.of(40))


def nightly(scene: Scene) -> tuple[ReconcileNightly, Job]:
    usage = ReconcileUsage(transactions=scene.store, log=scene.log, longest_call=HOUR)
    clock = scene.clock
    clock.advance(timedelta(days=1, hours=3))
    run = ReconcileNightly(transactions=scene.store, clock=clock, usage=usage)
    return run, EVERY_NIGHT.current(clock.now())


def test_what_differs_is_told_every_night_once(scene: Scene) -> None:
    scene.ran("call-of-nobody")
    run, job = nightly(scene)

    run.run(job)
    run.run(job)

    [alert] = scene.store.committed.alerts.values()
    assert alert.kind == "spend_differs"
    assert "1 unknown here" in alert.message


def test_a_night_without_differences_or_without_a_log_says_nothing(scene: Scene) -> None:
    run, job = nightly(scene)
    run.run(job)
    scene.log.fault = SpendLogMissingError()
    run.run(job)

    assert not scene.store.committed.alerts


def test_a_log_that_breaks_off_is_read_again_later(scene: Scene) -> None:
    run, job = nightly(scene)
    scene.log.fault = UpstreamUnavailableError("away")

    with pytest.raises(UpstreamUnavailableError):
        run.run(job)
