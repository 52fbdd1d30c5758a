"""How much of a key's limits is left, in the headers of Anthropic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from creditcore.domain.rates import Standing


def limit_headers(
    standings: Sequence[Standing], *, now: datetime | None = None
) -> list[tuple[str, str]]:
    """Return the headers; a key without limits has none."""
    headers = []
    for standing in standings:
        until = (now or datetime.now(UTC)) + timedelta(microseconds=standing.reset_us)
        # Rounded up: a client that waits until then is not early.
        until = (until + timedelta(seconds=1) - timedelta(microseconds=1)).replace(microsecond=0)
        prefix = f"anthropic-ratelimit-{standing.unit}-"
        headers += [
            (f"{prefix}limit", str(standing.limit)),
            (f"{prefix}remaining", str(standing.remaining)),
            (f"{prefix}reset", until.isoformat().replace("+00:00", "Z")),
        ]
    return headers
