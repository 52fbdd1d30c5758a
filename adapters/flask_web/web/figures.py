"""Amounts as pages add them up: rounded by place, never to nothing, with the money paid beside.

A balance and the money that was paid for it differ by ``CREDITS_PER_USD``, so every amount
has two figures, each with its name. What one call cost is exact, elsewhere.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from flask import Flask
from flask_login import current_user

from adapters.flask_web.context import settings
from creditcore.domain.figures import dollar_text, per_mille, rounded
from creditcore.domain.money import Credits, ExchangeRate

_MICROCREDITS_PER_DOLLAR = 100_000_000
_NO_BREAK = "\u00a0"
_FOUR_DIGITS = Context(prec=4, rounding=ROUND_HALF_EVEN)
_THOUSAND, _MILLION, _BILLION = 10**3, 10**6, 10**9


def balance_usd(amount: Credits) -> Decimal:
    """Return an amount of balance in dollars, exactly."""
    return Decimal(amount.microcredits) / _MICROCREDITS_PER_DOLLAR


def paid_usd(amount: Credits) -> Decimal:
    """Return what was paid for an amount of balance, in dollars, to 28 digits."""
    return balance_usd(amount) / Decimal(settings().credits_per_usd)


def balance_total(amount: Credits) -> str:
    """Return a sum of balance as ``"$12.30"``, or ``"$0.001234"``."""
    return dollar_text(balance_usd(amount))


def paid_total(amount: Credits) -> str:
    """Return the money that was paid for it, as ``"$6.15"``, or ``"$0.000617"``."""
    return dollar_text(paid_usd(amount))


def paid_microcredits(count: int) -> str:
    """Return the same of so many microcredits, as charts count."""
    return paid_total(Credits(count))


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


def register(app: Flask) -> None:
    """Make the filters known to every template."""
    filters = {
        "balance_total": balance_total,
        "paid_total": paid_total,
        "paid_microcredits": paid_microcredits,
        "paid_exact": paid_exact,
        "paid_beside": paid_beside,
        "many": many,
        "per_mille": per_mille,
    }
    app.jinja_env.filters.update(filters)
