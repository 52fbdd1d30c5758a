"""The periods that pages of operators sum up."""

from __future__ import annotations

from adapters.flask_web.context import services
from adapters.flask_web.web.zone import zone
from creditcore.domain.periods import Period, last_24_hours, last_days, this_month

RANGES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "month": "This month"}


def period_of(name: str) -> Period:
    """Return a period by the name that addresses have for it; thirty days for any other."""
    now, here = services().clock.now(), zone()
    match name:
        case "24h":
            return last_24_hours(now, here)
        case "7d":
            return last_days(7, now, here)
        case "month":
            return this_month(now, here)
        case _:
            return last_days(30, now, here)
