"""What an operator must know."""

from __future__ import annotations

from dataclasses import replace

from creditcore.domain.alerts import Alert, Severity
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import NOON


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
