"""Whether a process should get traffic, and in words what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adapters.journal import FileJournal
from creditcore import ModelPrice, Rates, SystemClock
from tests.integration.test_access_matrix import Site
from tests.integration.test_journal import a_settlement

RATES = Rates(input=1, output=1, cache_read=1, cache_write=1, cache_write_1h=1, reasoning=1)


def test_a_site_without_prices_says_so_and_is_ready_with_them(tmp_path: Path) -> None:
    site = Site(tmp_path)
    client = site.app.test_client()

    before = client.get("/readyz")
    with site.services.transactions.begin() as tx:
        tx.prices.replace_all([ModelPrice(model="demo", rates=RATES)], at=SystemClock().now())
        tx.commit()
    after = client.get("/readyz")

    assert before.status_code == 503
    assert "no price list yet" in before.json["missing"][0]
    assert (after.status_code, after.json["missing"]) == (200, [])


def test_a_journal_that_cannot_be_written_is_told_and_keeps_no_call_out(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.services.transactions.begin() as tx:
        tx.prices.replace_all([ModelPrice(model="demo", rates=RATES)], at=SystemClock().now())
        tx.commit()
    (tmp_path / "taken").write_text("no folder")
    journal = FileJournal(tmp_path / "taken")
    journal.note(a_settlement("call-1"))

    site.services = replace(site.services, journal=journal)
    site.app.extensions["creditcore"] = site.services
    told = site.app.test_client().get("/readyz")

    assert told.status_code == 200
    assert told.json["checks"]["journal"] is False
    assert "DATA_DIR" in told.json["missing"][0]
    assert str(tmp_path) not in told.text
