"""Rates of a file count while they are young."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.rate_file import RateFile
from creditcore import SaleTerms
from creditcore.testing.contracts import NOON
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.usecases.payments.check_rates import CheckRates

HOUR = timedelta(hours=1)


@dataclass
class Desk:
    """Where an operator writes rates."""

    path: Path
    clock: FixedClock
    rates: RateFile

    def write(self, **changes: Any) -> None:
        document = {"as_of": NOON.isoformat(), "base": "USD", "rates": {"NGN": "1550.25"}}
        self.path.write_text(json.dumps(document | changes))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    path, clock = tmp_path / "rates.json", FixedClock(NOON)
    return Desk(path, clock, RateFile(path, clock, max_age=24 * HOUR))


def test_a_rate_is_exact(desk: Desk) -> None:
    desk.write()

    assert str(desk.rates.rate("USD", "NGN")) == "1550.25"


def test_a_new_file_counts_at_once(desk: Desk) -> None:
    desk.write()
    desk.write(rates={"NGN": "1600"})

    assert str(desk.rates.rate("USD", "NGN")) == "1600"


@pytest.mark.parametrize(("age", "good"), [(24 * HOUR, True), (24 * HOUR + HOUR / 3600, False)])
def test_an_old_file_counts_no_more(desk: Desk, age: timedelta, *, good: bool) -> None:
    desk.write()
    desk.clock.advance(age)

    if good:
        assert desk.rates.rate("USD", "NGN")
    else:
        with pytest.raises(LookupError, match="more than 24 hours old"):
            desk.rates.rate("USD", "NGN")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"as_of": "2999-01-01T00:00:00Z"}, "future"),
        ({"as_of": "2026-11-22T12:00:00"}, "time zone"),
        ({"as_of": "yesterday"}, "no date"),
        ({"as_of": None}, "no date"),
        ({"rates": {"NGN": 1550.25}}, "no rate"),
        ({"rates": {"NGN": "0"}}, "NGN"),
        ({"rates": {"NGN": "-1"}}, "NGN"),
        ({"rates": {"NGN": "NaN"}}, "NGN"),
        ({"rates": {}}, "no rate"),
        ({"rates": ["NGN"]}, "no rate"),
        ({"base": "EUR"}, "no rate"),
    ],
)
def test_a_wrong_file_is_no_rate(desk: Desk, changes: dict[str, Any], reason: str) -> None:
    desk.write(**changes)

    with pytest.raises(LookupError, match=reason):
        desk.rates.rate("USD", "NGN")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 60_000, b" " * 70_000])
def test_a_file_that_is_no_document_is_no_rate(desk: Desk, content: bytes) -> None:
    desk.path.write_bytes(content)

    with pytest.raises(LookupError):
        desk.rates.rate("USD", "NGN")


def test_a_missing_file_stops_the_sale_with_an_alert(desk: Desk) -> None:
    store = MemoryTransactions()
    check = CheckRates(
        transactions=store,
        rates=desk.rates,
        terms=SaleTerms(currencies=("USD", "NGN")),
        clock=desk.clock,
    )

    assert [check.check(), check.check()] == [1, 1]
    desk.write()
    assert check.check() == 0

    with store.begin() as tx:
        [alert] = tx.alerts.recent(limit=10)
    assert alert.key == f"exchange_rate:NGN:{NOON:%Y-%m-%d}"
    assert "rates.json cannot be read" in alert.message
