"""Which amounts of credits are for sale, and what a customer may type instead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from adapters.flask_web.context import services
from adapters.flask_web.web.formatting import amount_text, whole_units
from creditcore.domain.currencies import MINOR_UNITS_PER_UNIT
from creditcore.domain.errors import CurrencyNotSoldError, InvalidRequestError
from creditcore.domain.money import Money
from creditcore.domain.purchases import Offer
from creditcore.domain.sale_terms import SaleTerms

OTHER = "other"
"""What the form chooses where the customer types an amount."""

_WHOLE = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form of amounts has chosen, as it was sent or is to be shown.

    Attributes:
        plan: One of the listed amounts, or ``OTHER``.
        typed: What stands in the field for another amount, right or wrong.
    """

    plan: str
    typed: str = ""

    @classmethod
    def first(cls) -> Self:
        """Choose what an untouched form shows: the plan in the middle."""
        plans = _plans()
        return cls(plans[len(plans) // 2])

    @classmethod
    def sent(cls, form: Mapping[str, str]) -> Self:
        """Read a form that was sent. An amount that is not listed counts as typed."""
        plan, typed = form.get("amount_usd", OTHER), form.get("custom_usd", "")
        is_known = plan == OTHER or plan in _plans()
        return cls(plan, typed) if is_known else cls(OTHER, plan)

    @classmethod
    def of(cls, value: Money) -> Self:
        """Choose an amount that the customer chose before."""
        if value.minor_units % MINOR_UNITS_PER_UNIT:
            return cls.first()
        whole = whole_units(value)
        return cls(whole) if whole in _plans() else cls(OTHER, whole)

    @property
    def amount(self) -> str:
        """The amount that is chosen, as text."""
        return self.typed if self.plan == OTHER else self.plan


def terms() -> SaleTerms:
    """Return what is sold, and how much of it."""
    return services().payments.sales.terms


def listed(currency: str | None = None) -> Sequence[Offer]:
    """Return the offers that pages show, at today's quote; none where there is no rate."""
    try:
        return services().payments.sales.plans(currency)
    except CurrencyNotSoldError:
        return ()


def currencies() -> Sequence[str]:
    """Return what people can pay in now: what is sold, and has a rate."""
    return [code for code in terms().currencies if listed(code)]


def typed(choice: Choice, currency: str | None = None) -> Offer | None:
    """Return what the amount in the field for another costs, at today's quote, where it is one."""
    try:
        return services().payments.sales.offer(chosen(choice.typed), currency)
    except InvalidRequestError:
        return None


def least_usd() -> int:
    """Return the least whole amount of US dollars for sale."""
    return terms().min_value.minor_units // MINOR_UNITS_PER_UNIT


def most_usd() -> int:
    """Return the most whole amount of US dollars in one purchase."""
    return terms().max_value.minor_units // MINOR_UNITS_PER_UNIT


def usd(whole: int) -> Money:
    """Return a whole number of US dollars."""
    return Money(whole * MINOR_UNITS_PER_UNIT, "USD")


def chosen(text: str, *, param: str = "amount_usd", most: int | None = None) -> Money:
    """Read an amount that the customer chose or typed.

    Args:
        text: As it was sent.
        param: What the field is called.
        most: The most dollars, where that is not what one purchase may be.

    Raises:
        InvalidRequestError: It is not a whole number of dollars within the limits.
    """
    text, most = text.strip(), most or most_usd()
    if not _WHOLE.fullmatch(text) or not least_usd() <= int(text) <= most:
        raise InvalidRequestError(
            f"Choose a whole number of US dollars from {least_usd()} to {most:,}.", param=param
        )
    return usd(int(text))


def local(text: str, currency: str, *, param: str = "amount") -> Money:
    """Read an amount that the customer typed in the currency they pay in.

    Raises:
        InvalidRequestError: It is not a whole number of units that can be paid.
    """
    text = text.strip()
    least = services().payment_gateway.minimum(currency)
    price = Money(int(text) * MINOR_UNITS_PER_UNIT, currency) if _WHOLE.fullmatch(text) else None
    if price is None or price < least:
        raise InvalidRequestError(
            f"Choose a whole amount in {currency}, {amount_text(least)} or more.", param=param
        )
    return price


def _plans() -> Sequence[str]:
    return [whole_units(value) for value in terms().plans]
