"""How much of a key's limits is left, in the headers of Anthropic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from adapters.wires.rate_limit_fields import rate_limit_fields
from creditcore.domain.rates import Standing, tightest


def limit_headers(
    standings: Sequence[Standing], *, now: datetime | None = None
) -> list[tuple[str, str]]:
    """Return the headers; a key without limits has none.

    Of the limits of the key and its account, the one with the least left is told; the fields
    of the IETF's draft tell both.
    """
    headers = []
    for standing in tightest(standings):
        until = (now or datetime.now(UTC)) + timedelta(microseconds=standing.reset_us)
        # Rounded up: a client that waits until then is not early.
        until = (until + timedelta(seconds=1) - timedelta(microseconds=1)).replace(microsecond=0)
        prefix = f"anthropic-ratelimit-{standing.unit}-"
        headers += [
            (f"{prefix}limit", str(standing.limit)),
            (f"{prefix}remaining", str(standing.remaining)),
            (f"{prefix}reset", until.isoformat().replace("+00:00", "Z")),
        ]
    return [*headers, *rate_limit_fields(standings)]
