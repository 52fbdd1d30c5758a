"""What ``doctor`` says of settings that no part of the site trips over by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from creditcore.domain.pricing import ImageCount, ModelPrice, Rates
from creditcore.testing.memory import MemoryTransactions
from tests.web.site import Site

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("public", "told"),
    [
        (f"pk_test_{KEY}", "ok    Paystack's public key\n"),
        (f"pk_live_{KEY}", "FAIL  Paystack's public key: PAYSTACK_PUBLIC_KEY is a live key"),
        (f"sk_test_{KEY}", "FAIL  Paystack's public key: PAYSTACK_PUBLIC_KEY begins with pk_"),
    ],
)
def test_the_public_key_is_of_the_same_mode_as_the_secret_one(
    tmp_path: Path, public: str, told: str
) -> None:
    site = Site(MemoryTransactions(), tmp_path, PAYSTACK_PUBLIC_KEY=public)

    said = site.app.test_cli_runner().invoke(args=["doctor"]).stdout

    assert told in said
    assert KEY not in said


def test_without_a_public_key_nothing_is_said_of_it(tmp_path: Path) -> None:
    site = Site(MemoryTransactions(), tmp_path)

    said = site.app.test_cli_runner().invoke(args=["doctor"]).stdout

    assert "Paystack (" in said
    assert "public key" not in said


RATES = Rates(input=1, output=1, cache_read=1, cache_write=1, cache_write_1h=1, reasoning=1)


@pytest.mark.parametrize(
    ("served", "named"), [(("blind", "known", "llava"), "llava"), (("blind", "known"), None)]
)
def test_models_that_count_images_in_an_unknown_way_are_named(
    tmp_path: Path, served: tuple[str, ...], named: str | None
) -> None:
    site = Site(MemoryTransactions(), tmp_path)
    features = {"blind": (), "known": ("vision", ImageCount.GROK), "llava": ("vision",)}
    prices = [
        ModelPrice(model=model, rates=RATES, features=frozenset(features[model]))
        for model in served
    ]
    with site.store.begin() as tx:
        tx.prices.replace_all(prices, at=site.services.clock.now())
        tx.commit()

    said = site.app.test_cli_runner().invoke(args=["doctor"]).stdout

    assert re.findall(r"no base_model says how these count them: (.*)\)", said) == (
        [named] if named else []
    )
