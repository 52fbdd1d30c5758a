"""Amounts are exact, and never mix."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore import Credits, ExchangeRate, Money, div_ceil, div_floor
from creditcore.domain.errors import CurrencyMismatchError
from creditcore.domain.money import MAX_INT64, decimal_ratio

int64 = st.integers(-MAX_INT64, MAX_INT64)
half_of_int64 = st.integers(-(MAX_INT64 // 2), MAX_INT64 // 2)


@given(int64, st.integers(1, MAX_INT64))
def test_ceiling_and_floor_enclose_the_exact_quotient(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)

    assert div_ceil(numerator, denominator) - 1 < exact <= div_ceil(numerator, denominator)
    assert div_floor(numerator, denominator) <= exact < div_floor(numerator, denominator) + 1


@given(int64)
def test_credits_survive_being_written_and_read(microcredits: int) -> None:
    amount = Credits(microcredits)

    assert Credits.parse(str(amount)) == amount


@given(int64)
def test_written_credits_are_plain_decimals_without_idle_zeros(microcredits: int) -> None:
    text = str(Credits(microcredits))

    assert "e" not in text.lower()
    assert "." not in text or not text.endswith(("0", "."))
    assert Fraction(text) == Fraction(microcredits, 1_000_000)


@given(half_of_int64, half_of_int64)
def test_credits_add_up_exactly(left: int, right: int) -> None:
    assert Credits(left) + Credits(right) - Credits(right) == Credits(left)


@pytest.mark.parametrize(
    ("text", "microcredits"),
    [("0", 0), ("-0", 0), ("200", 200_000_000), ("0.000001", 1), ("-1.5", -1_500_000)],
)
def test_credits_are_read_exactly(text: str, microcredits: int) -> None:
    assert Credits.parse(text) == Credits(microcredits)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "1e3", "+1", ".5", "1.", "1,5", "NaN", "Infinity", "0x10", "\uff11", "1_000"],
)
def test_only_plain_decimals_are_credits(text: str) -> None:
    with pytest.raises(ValueError, match="not a plain decimal"):
        Credits.parse(text)


def test_credits_finer_than_a_microcredit_are_refused() -> None:
    with pytest.raises(ValueError, match="six decimals"):
        Credits.parse("0.0000001")


@pytest.mark.parametrize("amount", [1.0, True, "1", None])
def test_only_real_integers_are_amounts(amount: object) -> None:
    with pytest.raises(TypeError):
        Credits(amount)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(amount, "USD")  # type: ignore[arg-type]


ORDERINGS = [operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("compare", ORDERINGS)
@given(left=st.integers(-2, 2), right=st.integers(-2, 2))
def test_credits_are_ordered_as_their_numbers_are(
    compare: Callable[[object, object], bool], left: int, right: int
) -> None:
    assert compare(Credits(left), Credits(right)) is compare(left, right)


@pytest.mark.parametrize("compare", ORDERINGS)
@pytest.mark.parametrize("other", [0, 0.0, None, "0"])
def test_credits_are_in_no_order_with_anything_else(
    compare: Callable[[object, object], bool], other: object
) -> None:
    with pytest.raises(TypeError):
        compare(Credits(0), other)
    with pytest.raises(TypeError):
        compare(other, Credits(0))

    assert Credits(0) != other


@pytest.mark.parametrize("compare", ORDERINGS)
def test_credits_are_in_no_order_with_another_value_that_counts_microcredits(
    compare: Callable[[object, object], bool],
) -> None:
    class Alike:
        microcredits = 0

    with pytest.raises(TypeError):
        compare(Credits(0), Alike())


@given(int64)
def test_credits_are_values(microcredits: int) -> None:
    amount = Credits(microcredits)
    copies = [copy.deepcopy(amount), pickle.loads(pickle.dumps(amount)), replace(amount)]  # noqa: S301

    assert {amount, *copies} == {Credits(microcredits=microcredits)}
    assert repr(amount) == f"Credits(microcredits={microcredits})"
    with pytest.raises(FrozenInstanceError):
        amount.microcredits = 1  # type: ignore[misc]


@pytest.mark.parametrize("beyond", [MAX_INT64 + 1, -MAX_INT64 - 1, 10**30])
def test_an_amount_that_its_column_cannot_keep_is_refused(beyond: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        Credits(beyond)
    with pytest.raises(ValueError, match="64 bits"):
        Money(beyond, "USD")
    with pytest.raises(ValueError, match="64 bits"):
        replace(Credits(0), microcredits=beyond)


def test_a_sum_that_its_column_cannot_keep_is_refused() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        Credits(MAX_INT64) + Credits(1)


@pytest.mark.parametrize(
    "mix",
    [
        lambda left, right: left + right,
        lambda left, right: left - right,
        lambda left, right: left < right,
        lambda left, right: left <= right,
        lambda left, right: left > right,
        lambda left, right: left >= right,
    ],
)
def test_two_currencies_never_meet(mix: Callable[[Money, Money], object]) -> None:
    with pytest.raises(CurrencyMismatchError) as caught:
        mix(Money(1, "USD"), Money(1, "KES"))

    assert (caught.value.left, caught.value.right) == ("USD", "KES")


def test_equal_numbers_of_two_currencies_are_not_equal() -> None:
    assert Money(1, "USD") != Money(1, "KES")


@pytest.mark.parametrize("currency", ["usd", "US", "USDT", "", "U D", "ÜSD"])
def test_a_currency_is_three_capitals(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


@pytest.mark.parametrize(
    ("minor_units", "text"),
    [(129000, "KES 1290.00"), (5, "KES 0.05"), (-5, "KES -0.05"), (-12345, "KES -123.45")],
)
def test_money_is_written_with_its_currency_and_sign(minor_units: int, text: str) -> None:
    assert str(Money(minor_units, "KES")) == text


@given(st.decimals(0, 10**6, places=6))
def test_a_decimal_becomes_its_exact_ratio(number: object) -> None:
    numerator, denominator = decimal_ratio(str(number))

    assert Fraction(numerator, denominator) == Fraction(str(number))


@pytest.mark.parametrize("text", ["0", "0.0", "-1", "-0.5"])
def test_an_exchange_rate_is_above_zero(text: str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        ExchangeRate.parse(text, base="USD", quote="KES")


@pytest.mark.parametrize(("text", "shown"), [("129.50", "129.5"), ("100", "100"), ("0.01", "0.01")])
def test_an_exchange_rate_is_shown_as_it_was_set(text: str, shown: str) -> None:
    assert str(ExchangeRate.parse(text, base="USD", quote="KES")) == shown


def test_credits_are_multiplied_and_summed() -> None:
    price = Credits.parse("0.25")

    assert price * 3 == 3 * price == Credits.parse("0.75")
    assert sum([price, price]) == Credits.parse("0.5")


@pytest.mark.parametrize("count", [1.5, True, "2", None])
def test_credits_are_multiplied_by_whole_numbers_only(count: object) -> None:
    with pytest.raises(TypeError):
        Credits.of(1) * count  # type: ignore[operator]


def test_credits_are_added_to_no_number_but_the_zero_of_sum() -> None:
    for number in (1, 0.0, False):
        with pytest.raises(TypeError):
            number + Credits.of(1)  # type: ignore[operator]
