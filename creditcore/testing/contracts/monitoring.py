"""Readings of checks, and the alerts that come of them."""

from __future__ import annotations

from datetime import timedelta

from creditcore.domain.errors import MailUnavailableError
from creditcore.domain.jobs import Job
from creditcore.domain.lease import Lease
from creditcore.domain.monitoring import RAISE_AFTER, RESOLVE_AFTER, Finding, Reading, Verdict
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON
from creditcore.testing.memory import FixedClock
from creditcore.usecases.monitoring.watch import RETENTION, WATCH, Watch

GOOD, BAD = Finding(is_healthy=True), Finding(is_healthy=False, detail="It is away.", value=7)
JOB = Job(kind=WATCH, business_key="now", run_at=NOON, lease=Lease())


class MonitoringContract:
    """Checks that are watched."""

    def test_readings_come_back_newest_first(self, transactions: Transactions) -> None:
        for minutes, finding in enumerate((GOOD, BAD)):
            _keep(transactions, finding, minutes=minutes)
        _keep(transactions, GOOD, check="payments")

        with transactions.begin() as tx:
            readings = tx.monitoring.recent("mail", limit=10)
            assert len(tx.monitoring.recent("mail", limit=1)) == 1
        assert [reading.finding for reading in readings] == [BAD, GOOD]
        assert readings[0].at == NOON + MINUTE

    def test_an_alert_is_raised_once_and_resolved_once(self, transactions: Transactions) -> None:
        findings = [GOOD, *[BAD] * (RAISE_AFTER + 5), *[GOOD] * (RESOLVE_AFTER + 5)]

        verdicts = [
            _keep(transactions, finding, minutes=minutes)
            for minutes, finding in enumerate(findings)
        ]

        assert verdicts.index(Verdict.RAISE) == RAISE_AFTER
        assert verdicts.count(Verdict.RAISE) == 1
        assert verdicts.index(Verdict.RESOLVE) == RAISE_AFTER + 5 + RESOLVE_AFTER
        assert verdicts.count(Verdict.RESOLVE) == 1
        with transactions.begin() as tx:
            [alert] = tx.alerts.recent(limit=10)
        assert (alert.key, alert.message) == ("monitor:mail", "It is away.")
        assert alert.resolved_at is not None

    def test_flapping_makes_no_storm(self, transactions: Transactions) -> None:
        verdicts = {
            _keep(transactions, finding, minutes=minutes)
            for minutes, finding in enumerate([GOOD, BAD, BAD, GOOD, BAD] * 20)
        }

        assert verdicts == {Verdict.NOTHING}

    def test_every_check_is_looked_at_though_one_breaks(self, transactions: Transactions) -> None:
        def refused() -> Finding:
            raise MailUnavailableError("The mail server is away.")

        def broken() -> Finding:
            raise ZeroDivisionError

        watch = Watch(
            transactions=transactions,
            clock=FixedClock(NOON),
            checks={"mail": refused, "jobs": broken, "disk": lambda: GOOD},
        )
        for _ in range(RAISE_AFTER):
            watch.watch(JOB)

        assert {name: reading.finding.detail for name, reading in watch.latest().items()} == {
            "mail": "The mail server is away.",
            "jobs": "The check broke: ZeroDivisionError.",
            "disk": "",
        }
        assert set(watch.troubles()) == {"mail", "jobs"}

    def test_old_readings_are_forgotten(self, transactions: Transactions) -> None:
        clock = FixedClock(NOON)
        watch = Watch(transactions=transactions, clock=clock, checks={"mail": lambda: GOOD})
        watch.watch(JOB)
        clock.advance(RETENTION + timedelta(seconds=1))
        watch.watch(JOB)

        with transactions.begin() as tx:
            assert len(tx.monitoring.recent("mail", limit=10)) == 1


def _keep(
    transactions: Transactions, finding: Finding, *, check: str = "mail", minutes: int = 0
) -> Verdict:
    watch = Watch(transactions=transactions, clock=FixedClock(NOON), checks={})
    return watch.keep(Reading(check=check, finding=finding, at=NOON + minutes * MINUTE))
