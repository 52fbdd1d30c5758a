"""Quotes in every currency: never below the USD value, never more than one step above it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore import ConvertCurrency, Credits, ExchangeRate, FirstRates, FixedRates, Money
from creditcore.domain.currencies import CURRENCIES

LOCAL = sorted(set(CURRENCIES) - {"USD"})


def a_converter(rate: str, currency: str) -> ConvertCurrency:
    parsed = ExchangeRate.parse(rate, base="USD", quote=currency)
    return ConvertCurrency(rates=FixedRates((parsed,)))


rates = st.decimals("0.5", "99999", places=4).map(str)


@given(cents=st.integers(1, 10**9), rate=rates, currency=st.sampled_from(LOCAL))
def test_a_quote_is_the_value_and_less_than_one_step_more(
    cents: int, rate: str, currency: str
) -> None:
    price, used = a_converter(rate, currency).quote(Money(cents, "USD"), currency)

    exact = Fraction(cents) * Fraction(rate)
    step = CURRENCIES[currency].quote_step
    assert price.currency == currency
    assert exact <= price.minor_units < exact + step
    assert price.minor_units % step == 0
    assert used is not None
    assert ConvertCurrency.convert(Money(cents, "USD"), used) == price


@given(units=st.integers(1, 10**7), rate=rates, currency=st.sampled_from(LOCAL))
def test_a_price_is_worth_its_exact_value_rounded_down_to_the_microcredit(
    units: int, rate: str, currency: str
) -> None:
    at_par, _ = a_converter(rate, currency).value(Money(units * 100, currency), "USD")

    exact = Fraction(units * 100) / Fraction(rate) * 10**6
    assert at_par.microcredits <= exact < at_par.microcredits + 1


@given(cents=st.integers(1, 10**7), rate=rates, currency=st.sampled_from(LOCAL))
def test_paying_a_quote_is_worth_at_least_what_was_quoted(
    cents: int, rate: str, currency: str
) -> None:
    converter = a_converter(rate, currency)
    price, _ = converter.quote(Money(cents, "USD"), currency)

    at_par, _ = converter.value(price, "USD")

    assert at_par >= Credits.of(cents)


@pytest.mark.parametrize("cents", [1, 200, 999, 100_000])
def test_dollars_are_quoted_as_they_are(cents: int) -> None:
    converter = ConvertCurrency(rates=FixedRates(()))

    assert converter.quote(Money(cents, "USD"), "USD") == (Money(cents, "USD"), None)
    assert converter.value(Money(cents, "USD"), "USD") == (Credits.of(cents), None)


@pytest.mark.parametrize(
    ("rate", "currency", "price"),
    [
        ("129.5", "KES", 129_500),
        ("129.51", "KES", 129_600),
        ("1550", "NGN", 1_550_000),
        ("15.21", "GHS", 15_300),
        ("18.4567", "ZAR", 18_500),
        ("602.3", "XOF", 602_300),
        ("602.37", "XOF", 602_400),
    ],
)
def test_ten_dollars_in_each_currency(rate: str, currency: str, price: int) -> None:
    assert a_converter(rate, currency).quote(Money(1000, "USD"), currency)[0] == Money(
        price, currency
    )


def test_the_first_source_with_a_rate_counts() -> None:
    by_hand = FixedRates((ExchangeRate(129, 1, "USD", "KES"),))
    other = FixedRates((ExchangeRate(130, 1, "USD", "KES"), ExchangeRate(1550, 1, "USD", "NGN")))
    rates = FirstRates((by_hand, other))

    assert str(rates.rate("USD", "KES")) == "129"
    assert str(rates.rate("USD", "NGN")) == "1550"
    with pytest.raises(LookupError, match="GHS"):
        rates.rate("USD", "GHS")
