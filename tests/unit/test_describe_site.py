"""How the site stands, on the memory store."""

from __future__ import annotations

from datetime import UTC, timedelta

from creditcore.domain.alerts import AlertKind
from creditcore.domain.holds import Outcome
from creditcore.domain.jobs import Job
from creditcore.domain.money import Credits
from creditcore.domain.periods import last_24_hours
from creditcore.ports.audit import Breach
from creditcore.testing.contracts import NOON, a_wallet, admit, settle
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.usecases.books.audit_books import AuditBooks, Report
from creditcore.usecases.books.describe_site import KEPT_FOR, DescribeSite
from creditcore.usecases.monitoring.keep_audits import AUDIT, KeepAudits


def test_sums_are_kept_for_a_minute_and_say_so() -> None:
    store, clock = MemoryTransactions(), FixedClock(NOON + timedelta(hours=1))
    a_wallet(store, posted=100)
    site, period = DescribeSite(transactions=store, clock=clock), last_24_hours(clock.now(), UTC)

    first = site.describe(period)
    settle(store, admit(store, 30), 20, outcome=Outcome(status=200))
    again = site.describe(period)
    clock.advance(KEPT_FOR)
    later = site.describe(period)

    assert (again.total.calls, again.as_of) == (0, first.as_of)
    assert (later.total.calls, later.total.charge, later.active) == (1, 20, 1)
    assert later.totals.posted == Credits(80)
    assert later.by_model()["demo"].calls == 1


def test_an_audit_that_finds_something_wakes_an_operator_until_a_clean_one() -> None:
    store, clock = MemoryTransactions(), FixedClock(NOON)
    audits = KeepAudits(transactions=store, clock=clock, audit=AuditBooks(transactions=store))
    broken = Report({"wallets": 1}, {"I1": (Breach("I1", "wallets w", "7 stored, 0 expected"),)})

    audits.keep(broken)
    with store.begin() as tx:
        [alert] = tx.alerts.recent(limit=9, only_open=True)
    audits.run(Job.new(AUDIT, "today", {}, run_at=NOON))

    assert alert.key == f"{AlertKind.AUDIT}:books"
    with store.begin() as tx:
        readings = tx.monitoring.recent(AUDIT, limit=9)
        assert not tx.alerts.recent(limit=9, only_open=True)
    assert [reading.finding.is_healthy for reading in readings] == [True, False]
    assert "I1 wallets w: 7 stored, 0 expected" in readings[1].finding.detail
