"""What the landing page shows is worked out, and says the operator's own words."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from creditcore.domain.catalogue import flat_rates, units_per_token
from creditcore.domain.pricing import ModelPrice
from creditcore.testing.memory import MemoryTransactions
from tests.web.site import Site

ROWS = {"gpt-4o-mini": ("0.15", "0.60"), "dear": ("30", "60"), "given-away": ("0", "0")}


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(
        MemoryTransactions(),
        tmp_path_factory.mktemp("priced"),
        LANDING_TITLE="Models for <Kisumu>",
        LANDING_TEXT="By people you can call.",
    )
    with site.store.begin() as tx:
        tx.prices.replace_all(
            [
                ModelPrice(
                    model=name,
                    mode="chat",
                    rates=flat_rates(read=units_per_token(read), written=units_per_token(written)),
                )
                for name, (read, written) in ROWS.items()
            ],
            at=site.services.clock.now(),
        )
        tx.commit()
    return site


def text_of(site: Site) -> str:
    page = site.app.test_client().get("/").text
    return " ".join(unescape(re.sub("<[^>]*>", " ", page)).split())


def test_the_examples_are_worked_at_the_prices_of_today(priced: Site) -> None:
    text = text_of(priced)

    # 14 tokens at $0.15 and 6 at $0.60 a million are $0.0000057, twice that in balance.
    assert "14 \u00d7 $0.15 + 6 \u00d7 $0.60" in text
    assert "Charged $0.0000114 Balance after $1.9999886" in text
    assert '"cost":"0.00114"' in text
    # 1,000 tokens read, and 4,096 written or 120.
    assert "$0.0052152 You leave after 120 $0.000444 Free again $0.0047712" in text
    assert "Lower max_tokens to 513" in text


def test_prices_are_in_money_from_the_cheapest_on(priced: Site) -> None:
    text = text_of(priced)

    assert "gpt-4o-mini $0.15 $0.60 $0.00045 2,222 calls dear $30.00 $60.00 $0.06 16 calls" in text
    assert "given-away" not in text


def test_the_operators_words_come_first(priced: Site) -> None:
    page = priced.app.test_client().get("/").text

    assert "<h1>Models for &lt;Kisumu&gt;</h1>" in page
    assert "By people you can call." in page
    assert "paid&nbsp;up front" not in page


def test_nothing_is_priced_where_no_price_is_known(tmp_path: Path) -> None:
    text = text_of(Site(MemoryTransactions(), tmp_path))

    assert "What you pay, in money" not in text
    assert "A refusal that says the way out" in text
