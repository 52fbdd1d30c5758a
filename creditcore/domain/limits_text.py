"""Limits on one line, as operators write them: ``spend=500/month rpm=60 tpm=100000 parallel=5``."""

from __future__ import annotations

import re

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.limits import KeyLimits, Period, SpendLimit
from creditcore.domain.money import Credits

_COUNTS = {"rpm": "rpm", "tpm": "tpm", "parallel": "max_parallel"}
_SPEND = re.compile(r"(?P<credits>[0-9.]+)(?:/(?P<period>\w+)(?:@(?P<zone>[\w/+-]+))?)?")


def parse_limits(text: str) -> KeyLimits:
    """Read limits; an empty line is none.

    Spend is credits in total, or by the calendar of UTC or another zone: ``spend=500``,
    ``spend=500/day``, ``spend=500/month@Africa/Nairobi``.

    Raises:
        ValueError: A word means nothing; the message says which.
    """
    found: dict[str, object] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        field = _COUNTS.get(name, name)
        if field in found or not value or (name != "spend" and name not in _COUNTS):
            raise ValueError(f"{word!r} is not one of spend=, rpm=, tpm=, parallel=, each once")
        found[field] = _spend(value) if name == "spend" else _number(word, value)
    try:
        return KeyLimits(**found)  # type: ignore[arg-type]
    except InvalidRequestError as error:
        raise ValueError(str(error).removesuffix(".")) from None


def limits_text(limits: KeyLimits) -> str:
    """Return limits as ``parse_limits`` reads them; without those of models and addresses."""
    words = [
        f"{name}={value}"
        for name, field in _COUNTS.items()
        if (value := getattr(limits, field)) is not None
    ]
    if limits.spend is None:
        return " ".join(words)
    spend = limits.spend
    period = "" if spend.period is Period.TOTAL else f"/{spend.period}"
    zone = f"@{spend.zone}" if period and spend.zone != "UTC" else ""
    return " ".join([f"spend={spend.credits}{period}{zone}", *words])


def _number(word: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise ValueError(f"{word!r} needs a whole number above zero")
    return int(value)


def _spend(value: str) -> SpendLimit:
    match = _SPEND.fullmatch(value)
    if match is None or match["period"] not in {None, *Period}:
        raise ValueError(
            f"spend={value} is not like spend=500, spend=500/day or spend=500/month@Africa/Nairobi"
        )
    try:
        return SpendLimit(
            credits=Credits.parse(match["credits"]),
            period=Period(match["period"] or Period.TOTAL),
            zone=match["zone"] or "UTC",
        )
    except InvalidRequestError as error:
        raise ValueError(str(error).removesuffix(".")) from None
