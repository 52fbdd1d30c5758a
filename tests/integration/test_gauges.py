"""The figures of this moment: what waits, what is open, how old prices are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from creditcore import ModelPrice
from creditcore.domain.alerts import Alert, Severity
from creditcore.ports.model_gateway import Catalogue
from creditcore.testing.contracts import a_purchase, admit
from tests.integration.test_access_matrix import Site
from tests.integration.test_direct_mode import RATES

HOUR = timedelta(hours=1)
TOKEN = "of the gauges 0123456789"


def test_what_is_open_now_is_counted(tmp_path: Path) -> None:
    site = Site(tmp_path, METRICS_TOKEN=TOKEN)
    owner = site.visitor()
    with site.services.transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner.person.id)
        tx.alerts.add(
            Alert(
                key="monitor:disk",
                severity=Severity.CRITICAL,
                subject="disk fails",
                message="It is full.",
                at=site.services.clock.now(),
            )
        )
        begun = a_purchase(wallet, reference="cc-of-gauges")
        tx.purchases.add(replace(begun, created_at=site.services.clock.now() - HOUR))
        tx.commit()
    admit(site.services.transactions, 7, reference="call-of-gauges", wallet_id=wallet.id)
    catalogue = Catalogue([ModelPrice(model="demo", rates=RATES)])
    site.services.calls.prices.catalogue.take(catalogue)

    headers = {"Authorization": f"Bearer {TOKEN}"}
    lines = site.app.test_client().get("/metrics", headers=headers).text.splitlines()

    assert 'creditcore_alerts_open{severity="critical"} 1.0' in lines
    # The visitor has a call under way as well.
    assert "creditcore_holds_open 2.0" in lines
    assert any(line.startswith("creditcore_webhooks_waiting ") for line in lines)
    # So it is with payments.
    assert "creditcore_payments_pending 2.0" in lines
    assert value(lines, "creditcore_payments_pending_seconds") >= HOUR.total_seconds()
    assert "creditcore_payments_to_review 0.0" in lines
    # The visitor's key was never copied.
    assert value(lines, "creditcore_key_mirror_lag_seconds") > 0
    assert any(line.startswith("creditcore_prices_age_seconds ") for line in lines)


def value(lines: list[str], name: str) -> float:
    [line] = [line for line in lines if line.startswith(f"{name} ")]
    return float(line.split()[-1])
