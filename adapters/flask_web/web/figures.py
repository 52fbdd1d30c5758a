"""Amounts as pages add them up: rounded by place, never to nothing, with the money paid beside.

A balance and the money that was paid for it differ by ``CREDITS_PER_USD``, so every amount
has two figures, each with its name. What one call cost is exact, elsewhere.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from flask import Flask
from flask_login import current_user

from adapters.flask_web.context import settings
from creditcore.domain.money import Credits, ExchangeRate

_MICROCREDITS_PER_DOLLAR = 100_000_000
_NO_BREAK = "\u00a0"
_MINUS = "\u2212"
_FOUR_DIGITS = Context(prec=4, rounding=ROUND_HALF_EVEN)
_TWO_DECIMALS = Decimal("0.01")
_PER_MILLE = 10
_THOUSAND, _MILLION, _BILLION = 10**3, 10**6, 10**9


def rounded(amount: Decimal) -> str:
    """Return two decimals, or four significant digits below one: never ``0.00`` for something."""
    if abs(amount) >= 1 or not amount:
        return f"{amount.quantize(_TWO_DECIMALS, ROUND_HALF_EVEN):,}"
    text = f"{_FOUR_DIGITS.plus(amount):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"


def _dollar_text(amount: Decimal) -> str:
    sign = _MINUS if amount < 0 else ""
    return f"{sign}${rounded(abs(amount))}"


def balance_usd(amount: Credits) -> Decimal:
    """Return an amount of balance in dollars, exactly."""
    return Decimal(amount.microcredits) / _MICROCREDITS_PER_DOLLAR


def paid_usd(amount: Credits) -> Decimal:
    """Return what was paid for an amount of balance, in dollars, to 28 digits."""
    return balance_usd(amount) / Decimal(settings().credits_per_usd)


def balance_total(amount: Credits) -> str:
    """Return a sum of balance as ``"$12.30"``, or ``"$0.001234"``."""
    return _dollar_text(balance_usd(amount))


def paid_total(amount: Credits) -> str:
    """Return the money that was paid for it, as ``"$6.15"``, or ``"$0.000617"``."""
    return _dollar_text(paid_usd(amount))


def paid_exact(amount: Credits) -> str:
    """Return the money that was paid for what one call cost, every digit of it."""
    text = f"{paid_usd(amount).normalize():f}"
    whole, _, decimals = text.partition(".")
    return f"${int(whole):,}.{decimals:0<2}"


def shown_rate() -> ExchangeRate | None:
    """Return the rate of the currency that stands beside US dollars, if any does.

    People choose it; for those who did not, and for visitors, it is the one that is charged in.
    """
    rate = settings().usd_to_kes_rate
    chosen = current_user.person.shown_currency if current_user.is_authenticated else ""
    wanted = chosen or settings().paystack_currency
    return rate if rate is not None and rate.quote == wanted else None


def beside(usd: Decimal) -> str:
    """Return an amount of US dollars in the reader's currency: ``"about KES 795"``; or nothing."""
    rate = shown_rate()
    if rate is None:
        return ""
    amount = usd * rate.numerator / rate.denominator
    return f"about{_NO_BREAK}{rate.quote}{_NO_BREAK}{rounded(amount)}"


def paid_beside(amount: Credits) -> str:
    """Return the money paid for an amount of balance in the reader's currency; or nothing."""
    return beside(paid_usd(amount))


def many(count: int) -> str:
    """Return a large count in short: ``"1,234"``, ``"56.7K"``, ``"8.90M"``."""
    if count < 10 * _THOUSAND:
        return f"{count:,}"
    for unit, letter in ((_BILLION, "B"), (_MILLION, "M"), (_THOUSAND, "K")):
        if count >= unit:
            return f"{_FOUR_DIGITS.plus(Decimal(count) / unit).quantize(Decimal('0.1')):f}{letter}"
    return f"{count:,}"


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


def register(app: Flask) -> None:
    """Make the filters known to every template."""
    filters = {
        "balance_total": balance_total,
        "paid_total": paid_total,
        "paid_exact": paid_exact,
        "paid_beside": paid_beside,
        "many": many,
        "per_mille": per_mille,
    }
    app.jinja_env.filters.update(filters)
