"""Which amounts of credits are for sale, and what somebody may type instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from adapters.flask_web.context import services
from adapters.flask_web.web.formatting import whole_units
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import Money
from creditcore.domain.purchases import Offer

MIN_USD = 2
"""Paystack's least USD transaction; the least in KES is far below it."""

MAX_USD = 1_000

OTHER = "other"
"""What the form chooses where somebody types an amount."""

_LISTED_USD = (5, 10, 25, 50, 100)
_LISTED = frozenset(map(str, _LISTED_USD))
_FIRST_CHOSEN_USD = 10
_CENTS_PER_USD = 100
_DIGITS = len(str(MAX_USD))


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form of amounts has chosen, as it was sent or is to be shown.

    Attributes:
        plan: One of the listed amounts, or ``OTHER``.
        typed: What stands in the field for another amount, right or wrong.
    """

    plan: str = str(_FIRST_CHOSEN_USD)
    typed: str = ""

    @classmethod
    def sent(cls, form: Mapping[str, str]) -> Self:
        """Read a form that was sent. An amount that is not listed counts as typed."""
        plan, typed = form.get("amount_usd", OTHER), form.get("custom_usd", "")
        is_known = plan == OTHER or plan in _LISTED
        return cls(plan, typed) if is_known else cls(OTHER, plan)

    @classmethod
    def of(cls, value: Money) -> Self:
        """Choose an amount that somebody chose before."""
        whole = whole_units(value)
        return cls(whole) if whole in _LISTED else cls(OTHER, whole)

    @property
    def amount(self) -> str:
        """The amount that is chosen, as text."""
        return self.typed if self.plan == OTHER else self.plan


def listed() -> Sequence[Offer]:
    """Return the offers that pages show, at today's quote."""
    return [services().sales.offer(usd(amount)) for amount in _LISTED_USD]


def typed(choice: Choice) -> Offer | None:
    """Return what the amount in the field for another costs, at today's quote, where it is one."""
    try:
        value = chosen(choice.typed)
    except InvalidRequestError:
        return None
    return services().sales.offer(value)


def usd(whole: int) -> Money:
    """Return a whole number of US dollars."""
    return Money(whole * _CENTS_PER_USD, "USD")


def chosen(text: str) -> Money:
    """Read an amount that somebody chose or typed.

    Raises:
        InvalidRequestError: It is not a whole number of dollars within the limits.
    """
    text = text.strip()
    allowed = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    if not allowed or not MIN_USD <= int(text) <= MAX_USD:
        raise InvalidRequestError(
            f"Choose a whole number of US dollars from {MIN_USD} to {MAX_USD:,}.",
            param="amount_usd",
        )
    return usd(int(text))
