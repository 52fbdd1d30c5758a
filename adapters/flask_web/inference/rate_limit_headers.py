"""How the limits per minute of a key stand, in the headers that SDKs of each wire read.

OpenAI's reset is a Go duration until everything is there again (``6m0s``, ``12ms``);
Anthropic's is the instant, by RFC 3339.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from creditcore.domain.rates import Standing

_US_PER_MS = 1_000


def rate_limit_headers(
    standings: Sequence[Standing], *, anthropic: bool, now: datetime | None = None
) -> list[tuple[str, str]]:
    """Return the headers; a key without limits has none."""
    headers: list[tuple[str, str]] = []
    for standing in standings:
        unit = standing.unit
        if anthropic:
            until = (now or datetime.now(UTC)) + timedelta(microseconds=standing.reset_us)
            # Rounded up: a client that waits until then is not early.
            until = (until + timedelta(seconds=1) - timedelta(microseconds=1)).replace(
                microsecond=0
            )
            prefix = f"anthropic-ratelimit-{unit}-"
            values = (f"{prefix}limit", f"{prefix}remaining", f"{prefix}reset")
            reset = until.isoformat().replace("+00:00", "Z")
        else:
            prefix = "x-ratelimit-"
            values = (f"{prefix}limit-{unit}", f"{prefix}remaining-{unit}", f"{prefix}reset-{unit}")
            reset = go_duration(standing.reset_us)
        headers += zip(values, (str(standing.limit), str(standing.remaining), reset), strict=True)
    return headers


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
