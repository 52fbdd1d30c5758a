"""Look at what we depend on once a minute, keep what was found, raise and resolve alerts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.alerts import Alert, AlertKind, failing_check
from creditcore.domain.errors import CreditcoreError
from creditcore.domain.jobs import Job, every, storable_text
from creditcore.domain.monitoring import RESOLVE_AFTER, Finding, Reading, Verdict, judge
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasMonitoring
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.monitoring.keep_alerts import raise_alert, resolve_alert

WATCH = "watch"
"""The kind of the job that looks."""

EVERY_MINUTE = every(WATCH, timedelta(minutes=1))
RETENTION = timedelta(days=7)
_FORGOTTEN_AT_ONCE = 1000

Check = Callable[[], Finding]
"""Looks at one thing. What it raises is a bad finding too."""

_log = logging.getLogger(__name__)


class WatchTransaction(AlertsTransaction, HasMonitoring, Protocol):
    """What keeping the findings of checks reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Checks by their names, which operators read.

    Attributes:
        heal: Mends what it can of the checks that fail.
    """

    transactions: Begins[WatchTransaction]
    clock: Clock
    checks: Mapping[str, Check]
    heal: Callable[[Collection[str]], object] = len

    def look(self) -> Sequence[Reading]:
        """Return what every check finds now; nothing is kept."""
        return [self._look(name) for name in self.checks]

    def watch(self, _job: Job) -> None:
        """Look, keep what was found, and raise or resolve alerts by it."""
        readings = self.look()
        for reading in readings:
            self.keep(reading)
        self.heal([reading.check for reading in readings if not reading.finding.is_healthy])
        with self.transactions.begin() as tx:
            tx.monitoring.forget(before=self.clock.now() - RETENTION, limit=_FORGOTTEN_AT_ONCE)
            tx.commit()

    def keep(self, reading: Reading) -> Verdict:
        """Keep one reading; return what became of its alert."""
        key = f"{AlertKind.MONITOR}:{reading.check}"
        with self.transactions.begin() as tx:
            tx.monitoring.add(reading)
            raised = tx.alerts.lock(key)
            verdict = judge(
                tx.monitoring.recent(reading.check, limit=RESOLVE_AFTER),
                is_raised=raised is not None and raised.resolved_at is None,
            )
            if verdict is Verdict.RAISE:
                raise_alert(tx, failing_check(reading.check, reading.finding.detail, at=reading.at))
            elif verdict is Verdict.RESOLVE:
                resolve_alert(tx, key, at=reading.at)
            tx.commit()
        return verdict

    def troubles(self) -> Mapping[str, Alert]:
        """Return the alerts of checks that have failed for a while, by check."""
        found = {}
        with self.transactions.begin() as tx:
            for name in self.checks:
                alert = tx.alerts.lock(f"{AlertKind.MONITOR}:{name}")
                if alert is not None and alert.resolved_at is None:
                    found[name] = alert
        return found

    def latest(self) -> Mapping[str, Reading]:
        """Return the latest reading of each check that was made."""
        with self.transactions.begin() as tx:
            readings = [tx.monitoring.recent(name, limit=1) for name in self.checks]
        return {reading.check: reading for each in readings for reading in each}

    def _look(self, name: str) -> Reading:
        try:
            finding = self.checks[name]()
        except CreditcoreError as error:
            finding = Finding(is_healthy=False, detail=storable_text(str(error)))
        except Exception as error:  # noqa: BLE001 - a check that breaks is a bad finding
            _log.exception("the check of %s failed", name)
            finding = Finding(is_healthy=False, detail=f"The check broke: {type(error).__name__}.")
        return Reading(check=name, finding=finding, at=self._now())

    def _now(self) -> datetime:
        return self.clock.now()
