"""Prices come from memory, also while the store behind it fails or hangs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from creditcore import ModelPrice, Rates
from creditcore.domain.errors import ModelNotFoundError, StoreUnavailableError
from creditcore.ports.transactions import Transaction
from creditcore.testing.memory import FixedClock, MemoryModelGateway, MemoryTransactions
from creditcore.usecases.calls.price_list import FRESH_FOR_S, PriceList

RATES = Rates(input=1, output=1, cache_read=1, cache_write=1, cache_write_1h=1, reasoning=1)
PRICE = ModelPrice(model="demo", rates=RATES)


@contextmanager
def _unavailable() -> Iterator[Transaction]:
    raise StoreUnavailableError("All connections are busy.")
    yield


@pytest.fixture
def store() -> MemoryTransactions:
    store = MemoryTransactions()
    with store.begin() as tx:
        tx.prices.replace_all([PRICE], at=FixedClock().now())
        tx.commit()
    return store


def test_a_copy_stays_in_force_while_the_store_cannot_be_read(
    store: MemoryTransactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FixedClock()
    prices = PriceList(transactions=store, gateway=MemoryModelGateway([]), clock=clock)
    assert prices.find("demo") == PRICE
    monkeypatch.setattr(store, "begin", _unavailable)

    clock.advance(timedelta(seconds=FRESH_FOR_S + 1))

    assert prices.find("demo") == PRICE


def test_a_clock_that_is_set_back_does_not_keep_old_prices_in_force(
    store: MemoryTransactions,
) -> None:
    clock = FixedClock()
    prices = PriceList(transactions=store, gateway=MemoryModelGateway([]), clock=clock)
    prices.find("demo")
    with store.begin() as tx:
        tx.prices.replace_all([], at=clock.now())
        tx.commit()

    clock.at -= timedelta(days=1)
    clock.elapsed += timedelta(seconds=FRESH_FOR_S)

    with pytest.raises(ModelNotFoundError):
        prices.find("demo")


def test_without_a_copy_no_client_is_told_that_a_model_is_unknown(
    store: MemoryTransactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "begin", _unavailable)

    with pytest.raises(StoreUnavailableError):
        PriceList(transactions=store, gateway=MemoryModelGateway([]), clock=FixedClock()).find(
            "demo"
        )


def test_a_model_without_a_price_is_told_to_the_operator_once() -> None:
    store, clock = MemoryTransactions(), FixedClock()
    prices = PriceList(
        transactions=store, gateway=MemoryModelGateway([PRICE], ["local-llama"]), clock=clock
    )

    prices.refresh()
    clock.advance(timedelta(hours=1))
    prices.refresh()

    with store.begin() as tx:
        [alert] = tx.alerts.recent(limit=10)
    assert "local-llama" in alert.subject
    with pytest.raises(ModelNotFoundError):
        prices.find("local-llama")


def test_the_first_list_is_fetched_once_by_many_who_find_none() -> None:
    prices = PriceList(
        transactions=MemoryTransactions(), gateway=MemoryModelGateway([PRICE]), clock=FixedClock()
    )

    assert [prices.refresh_if_empty(), prices.refresh_if_empty()] == [1, 0]
    assert prices.find("demo") == PRICE
