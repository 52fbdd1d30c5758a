"""How much of a key's limits is left, in the headers of OpenAI."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wires.rate_limit_fields import rate_limit_fields
from creditcore.domain.rates import Standing, tightest

_US_PER_MS = 1000
_NAMES = {
    unit: tuple(f"x-ratelimit-{what}-{unit}" for what in ("limit", "remaining", "reset"))
    for unit in ("requests", "tokens")
}


def limit_headers(standings: Sequence[Standing]) -> list[tuple[str, str]]:
    """Return the headers; a key without limits has none.

    Of the limits of the key and its account, the one with the least left is told; the fields
    of the IETF's draft tell both.
    """
    if not standings:
        return []
    headers = []
    for unit, limit, remaining, reset_us, _ in tightest(standings):
        of_limit, of_remaining, of_reset = _NAMES[unit]
        headers += [
            (of_limit, str(limit)),
            (of_remaining, str(remaining)),
            (of_reset, go_duration(reset_us)),
        ]
    return [*headers, *rate_limit_fields(standings)]


def go_duration(microseconds: int) -> str:
    """Return a duration as Go writes it, in whole milliseconds, rounded up."""
    milliseconds = -(-microseconds // _US_PER_MS)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{rest:03d}".rstrip("0") if rest else ""
    text = f"{seconds}{fraction}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
