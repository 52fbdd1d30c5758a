"""What an operator must know."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from creditcore.domain.activity import COMMAND_LINE, SYSTEM
from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.errors import AlertNotFoundError
from creditcore.ports.calls import Place
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON
from creditcore.testing.memory import FixedClock
from creditcore.usecases.monitoring.keep_alerts import KeepAlerts, raise_alert, resolve_alert


class AlertsContract:
    """Alerts for the operator."""

    def test_an_alert_is_raised_once(self, transactions: Transactions) -> None:
        alert = Alert(key="k", severity=Severity.CRITICAL, subject="Look", message="here", at=NOON)

        for message in ("here", "there"):
            with transactions.begin() as tx:
                tx.alerts.add(replace(alert, message=message))
                tx.commit()

        with transactions.begin() as tx:
            assert tx.alerts.recent(limit=10) == [alert]

    def test_an_alert_is_acknowledged_once_and_no_longer_open(
        self, transactions: Transactions
    ) -> None:
        for key in ("monitor:mail", "expired:call-1"):
            _raise(transactions, key, at=NOON)
        alerts = KeepAlerts(transactions=transactions, clock=FixedClock(NOON + MINUTE))

        for actor in (COMMAND_LINE, SYSTEM):
            known = alerts.acknowledge("monitor:mail", actor=actor)

        assert (known.acknowledged_at, known.acknowledged_by) == (NOON + MINUTE, "command line")
        with transactions.begin() as tx:
            assert [alert.key for alert in tx.alerts.recent(limit=9, only_open=True)] == [
                "expired:call-1"
            ]
            assert known in tx.alerts.recent(limit=9)
            assert [act.target for act in tx.activity.recent(limit=9)] == ["alert:monitor:mail"]

    def test_alerts_are_listed_page_by_page(self, transactions: Transactions) -> None:
        for key in ("monitor:a", "monitor:b", "monitor:c"):
            _raise(transactions, key, at=NOON)

        with transactions.begin() as tx:
            first = tx.alerts.recent(limit=2)
            rest = tx.alerts.recent(limit=2, before=Place(NOON, first[-1].key), only_open=True)
        assert [alert.key for alert in (*first, *rest)] == ["monitor:c", "monitor:b", "monitor:a"]

    def test_an_unknown_alert_cannot_be_acknowledged(self, transactions: Transactions) -> None:
        with pytest.raises(AlertNotFoundError):
            KeepAlerts(transactions=transactions, clock=FixedClock()).acknowledge("monitor:mail")

    def test_a_condition_is_raised_resolved_and_raised_again(
        self, transactions: Transactions
    ) -> None:
        changes = []
        for minutes, step in enumerate(("raise", "raise", "resolve", "resolve", "raise")):
            at = NOON + minutes * MINUTE
            if step == "raise":
                changes.append(_raise(transactions, "monitor:mail", at=at))
            else:
                with transactions.begin() as tx:
                    changes.append(resolve_alert(tx, "monitor:mail", at=at))
                    tx.commit()

        assert changes == [True, False, True, False, True]
        with transactions.begin() as tx:
            [alert] = tx.alerts.recent(limit=9, only_open=True)
            assert alert.at == NOON + 4 * MINUTE
            assert not resolve_alert(tx, "monitor:payments", at=NOON)


def _raise(transactions: Transactions, key: str, *, at: datetime) -> bool:
    with transactions.begin() as tx:
        new = raise_alert(
            tx, Alert(key=key, severity=Severity.CRITICAL, subject="s", message="m", at=at)
        )
        tx.commit()
    return new
