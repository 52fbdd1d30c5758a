"""How long a provider asks to wait, as it says it in a header or in a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from math import ceil

_LONGEST_WAIT_S = 24 * 3600

_NUMBER = r"([0-9]{1,6}(?:\.[0-9]{1,9})?)"
_GIVEN = re.compile(rf"{_NUMBER}(ms|s)?")
_DATE = re.compile(r"[A-Z][a-z]{2,8},? [A-Za-z0-9 :+-]{10,30}")
_DURATION = (
    rf"{_NUMBER} ?"
    r"(ms|m(?:in(?:ute)?s?)?|h(?:ours?)?|s(?:ec(?:ond)?s?)?)(?![a-z])"
)
_DURATIONS = re.compile(_DURATION, re.IGNORECASE)
# Groq and OpenAI put several units in a row: ``2m59.56s``.
_WAIT = re.compile(
    rf"\b(?:try again|retry|wait|resets?)(?: in| after| for)? ((?:{_DURATION} ?){{1,3}})",
    re.IGNORECASE,
)
_WAIT_NAMES = ("retry_after", "retry_after_seconds", "retryAfter", "retry_after_s", "retryDelay")
_FINE_WAIT_NAMES = ("retry_after_ms", "retryAfterMs")
_QUOTED_WAIT = re.compile(
    rf"""["'](?:{"|".join(_WAIT_NAMES)})["']\s*:\s*["']?{_NUMBER}(?![0-9.])"""
)
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}


def seconds_given(text: str | None, now: datetime | None = None) -> int | None:
    """Return the seconds that a header asks to wait, rounded up; None where it does not.

    Args:
        text: A number of seconds, alone or before ``s``, or of milliseconds before ``ms``, or the
            date of HTTP; one that is past asks for no wait.
        now: What time it is; the system's if None.
    """
    text = (text or "").strip()
    if given := _GIVEN.fullmatch(text):
        return min(ceil(Decimal(given[1]) * _SECONDS[given[2] or "s"]), _LONGEST_WAIT_S)
    if not _DATE.fullmatch(text):
        return None
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    wait = (at.replace(tzinfo=at.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds()
    return min(max(0, ceil(wait)), _LONGEST_WAIT_S)


def wait_given(error: Mapping[str, object]) -> str:
    """Return the wait that an error names in a field of its own; empty where it does not.

    Google names it among the details of the error.
    """
    details = error.get("details")
    for place in (error, *(details if isinstance(details, list) else ())):
        if not isinstance(place, Mapping):
            continue
        for name in _WAIT_NAMES:
            if (wait := place.get(name)) is not None:
                return str(wait)
        for name in _FINE_WAIT_NAMES:
            if (wait := place.get(name)) is not None:
                return f"{wait}ms"
    return ""


def seconds_in_words(message: str) -> int | None:
    """Return the seconds that a message asks to wait, rounded up; None where it does not."""
    found = _WAIT.search(message)
    if found is None:
        quoted = _QUOTED_WAIT.search(message)
        return quoted and min(ceil(Decimal(quoted[1])), _LONGEST_WAIT_S)
    wait = sum(_seconds(*part) for part in _DURATIONS.findall(found[1]))
    return min(ceil(wait), _LONGEST_WAIT_S)


def _seconds(number: str, unit: str) -> Decimal:
    name = unit.lower()
    return Decimal(number) * _SECONDS[name if name == "ms" else name[0]]
