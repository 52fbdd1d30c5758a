"""What the text of one variable means, where that is more than a word or a number.

Each function raises ``ValueError`` with what it takes instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formataddr
from types import MappingProxyType

from adapters.flask_web.settings.variables import is_http_address
from creditcore.domain.currencies import CURRENCIES
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import Credits, ExchangeRate
from creditcore.domain.people import clean_email
from creditcore.domain.pricing import Tariff

_MAX_LINE_LENGTH = 200
_MIN_PLAN_USD = 2
_MAX_PLANS = 8
_PLAN_DIGITS = 6


def kes_rate(text: str) -> ExchangeRate:
    """Read how many shillings a US dollar costs."""
    return ExchangeRate.parse(text, base="USD", quote="KES")


def currency_rates(text: str) -> Mapping[str, ExchangeRate | None]:
    """Read ``KES=129.5,NGN=file``: a rate each, or that it stands in the file."""
    rates: dict[str, ExchangeRate | None] = {}
    for part in text.split(","):
        code, _, rate = (piece.strip() for piece in part.partition("="))
        if code not in CURRENCIES or code in rates or not rate:
            raise ValueError(f"one rate each of {', '.join(CURRENCIES)}, as in KES=129.5,NGN=1550")
        if code == "USD" and rate != "1":
            raise ValueError("a US dollar costs 1: USD=1 only says that it can be paid in too")
        from_file = rate == "file"
        rates[code] = None if from_file else ExchangeRate.parse(rate, base="USD", quote=code)
    return MappingProxyType(rates)


def plans(text: str) -> tuple[int, ...]:
    """Read the amounts of US dollars that are offered: a few, each more than the last."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= _PLAN_DIGITS for part in parts):
        raise ValueError("whole US dollars, as in 5,15,20")
    plans = tuple(map(int, parts))
    if sorted(set(plans)) != list(plans) or plans[0] < _MIN_PLAN_USD or len(plans) > _MAX_PLANS:
        raise ValueError(
            f"up to {_MAX_PLANS} amounts from {_MIN_PLAN_USD}, each more than the one before"
        )
    return plans


def ratio_above_zero(text: str) -> str:
    """Take a decimal above 0 as it is written."""
    Tariff.parse(credits_per_usd=text)
    return text


def credits_(text: str) -> Credits:
    """Read an amount of credits that is not negative."""
    read = Credits.parse(text)
    if read < Credits(0):
        raise ValueError("it is not negative")
    return read


def line(text: str) -> str:
    """Take one line that can be shown."""
    if not text.isprintable() or len(text) > _MAX_LINE_LENGTH:
        raise ValueError(f"one line of at most {_MAX_LINE_LENGTH} characters")
    return text


def link(text: str) -> str:
    """Take an address for people to follow, here or elsewhere."""
    if text.startswith("/"):
        return local_path(text)
    if not is_http_address(text):
        raise ValueError("an http(s) address, or a path on this server")
    return text


def email(text: str) -> str:
    """Read an e-mail address."""
    try:
        return clean_email(text)
    except InvalidRequestError as error:
        raise ValueError("an e-mail address") from error


def emails(text: str) -> tuple[str, ...]:
    """Read addresses that are divided by commas."""
    return tuple(email(part.strip()) for part in text.split(","))


def sender(text: str) -> str:
    """Read who mails come from: an address, perhaps with a name before it."""
    # parseaddr() would take "Jua, Nairobi <a@b>" for two addresses.
    name, bracket, address = line(text).rpartition("<")
    if not bracket:
        return email(text)
    if not address.endswith(">"):
        raise ValueError("Name <address>, or an address")
    return formataddr((name.strip().strip('"'), email(address[:-1])))


def local_path(text: str) -> str:
    """Take a path on this server."""
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        raise ValueError("a path on this server, such as /dashboard/billing")
    return text


def path_segment(text: str) -> str:
    """Take what can stand between two slashes of a path."""
    if not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise ValueError("letters, digits, - and _")
    return text
