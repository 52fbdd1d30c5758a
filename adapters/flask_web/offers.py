"""Which amounts of credits are for sale, and what somebody may type instead."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.flask_web import session
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import Money
from creditcore.domain.purchases import Offer

MIN_USD = 2
"""Paystack's least USD transaction; the least in KES is far below it."""

MAX_USD = 1_000

_LISTED_USD = (5, 10, 25, 50, 100)
_CENTS_PER_USD = 100
_DIGITS = len(str(MAX_USD))


def listed() -> Sequence[Offer]:
    """Return the offers that pages show, at today's quote."""
    return [session.services().purchase.offer(usd(amount)) for amount in _LISTED_USD]


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
