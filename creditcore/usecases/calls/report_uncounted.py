"""Tell the operator that limits per minute are counted in each process by itself."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.errors import CreditcoreError
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import AlertsTransaction, Begins


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUncounted:
    """Raise one alert an hour at most, however many processes notice."""

    transactions: Begins[AlertsTransaction]
    clock: Clock

    def report(self) -> None:
        """Raise it. A call must not fail because of this, so a store that is away is let be."""
        now = self.clock.now()
        alert = Alert(
            key=f"rates_by_process:{now:%Y-%m-%dT%H}",
            severity=Severity.WARNING,
            subject="Limits per minute are not shared between processes",
            message=(
                "Redis does not answer, so each process counts requests and tokens per minute "
                "by itself: keys may use their limit once in each. Spend limits and parallel "
                "calls stay exact."
            ),
            at=now,
        )
        with suppress(CreditcoreError), self.transactions.begin() as tx:
            tx.alerts.add(alert)
            tx.commit()
