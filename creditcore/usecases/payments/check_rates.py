"""Notice when a currency cannot be sold, because its exchange rate is missing or old."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.sale_terms import SaleTerms
from creditcore.ports.clock import Clock
from creditcore.ports.exchange_rates import ExchangeRates
from creditcore.ports.transactions import AlertsTransaction, Begins

_BASE = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRates:
    """Look for the rate of every currency that is for sale."""

    transactions: Begins[AlertsTransaction]
    rates: ExchangeRates
    terms: SaleTerms
    clock: Clock

    def check(self) -> int:
        """Raise an alert for each currency without a usable rate; return how many there are."""
        alerts = [alert for code in self.terms.currencies if (alert := self._alert(code))]
        if alerts:
            with self.transactions.begin() as tx:
                for alert in alerts:
                    tx.alerts.add(alert)
                tx.commit()
        return len(alerts)

    def _alert(self, code: str) -> Alert | None:
        if code == _BASE:
            return None
        try:
            self.rates.rate(_BASE, code)
        except LookupError as error:
            now = self.clock.now()
            return Alert(
                key=f"exchange_rate:{code}:{now:%Y-%m-%d}",
                severity=Severity.CRITICAL,
                subject=f"Selling in {code} has stopped",
                message=f"The exchange rate cannot be used: {error}.",
                at=now,
            )
        return None
