"""Sums as people read them, on pages and in mails alike: rounded by place, never to nothing."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

_NO_BREAK = "\u00a0"
_MINUS = "\u2212"
_FOUR_DIGITS = Context(prec=4, rounding=ROUND_HALF_EVEN)
_TWO_DECIMALS = Decimal("0.01")
_PER_MILLE = 10


def rounded(amount: Decimal) -> str:
    """Return two decimals, or four significant digits below one: never ``0.00`` for something."""
    if abs(amount) >= 1 or not amount:
        return f"{amount.quantize(_TWO_DECIMALS, ROUND_HALF_EVEN):,}"
    text = f"{_FOUR_DIGITS.plus(amount):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"


def dollar_text(amount: Decimal) -> str:
    """Return an amount of US dollars as ``"$12.30"``, or ``"$0.001234"``."""
    sign = _MINUS if amount < 0 else ""
    return f"{sign}${rounded(abs(amount))}"


def per_mille(share: int | None) -> str:
    """Return a share of a thousand as ``"99.4 %"``; a dash where there is none."""
    if share is None:
        return "\u2013"
    whole, tenth = divmod(abs(share), _PER_MILLE)
    sign = "\u2212" if share < 0 else ""
    return f"{sign}{whole}.{tenth}{_NO_BREAK}%"


def change(now: int, before: int, before_text: str) -> str:
    """Return how a figure changed: ``"+12 %, was $3.10"``; nothing where there was none before."""
    if not before:
        return ""
    percent = (200 * (now - before) + before) // (2 * before)
    sign = "+" if percent > 0 else _MINUS if percent < 0 else "\u00b1"
    return f"{sign}{abs(percent):,}{_NO_BREAK}%, was {before_text}"
