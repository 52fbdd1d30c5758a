"""The figures of this moment: what waits, what is open, how old prices are."""

from __future__ import annotations

from pathlib import Path

from creditcore import ModelPrice
from creditcore.domain.alerts import Alert, Severity
from creditcore.ports.model_gateway import Catalogue
from creditcore.testing.contracts import admit
from tests.integration.test_access_matrix import Site
from tests.integration.test_direct_mode import RATES

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
    assert any(line.startswith("creditcore_prices_age_seconds ") for line in lines)
