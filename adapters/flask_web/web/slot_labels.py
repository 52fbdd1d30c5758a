"""What stands under the bars of a chart."""

from __future__ import annotations

from datetime import datetime

from adapters.flask_web.web.times import MONTHS, zone_text
from creditcore.domain.periods import Slot

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def label(slot: Slot) -> str:
    """Return what stands under a bar: ``14:00``, ``Mon 23 Nov`` or ``Nov 2026``."""
    starts = slot.starts
    if slot.unit == "hour":
        return f"{starts:%H:%M} {zone_text(starts)}"
    month = MONTHS[starts.month - 1]
    if slot.unit == "day":
        return f"{_WEEKDAYS[starts.weekday()]} {starts.day} {month}"
    return f"{month} {starts.year}"


def edge_label(at: datetime, unit: str) -> str:
    """Return what stands at an end of the axis, in short."""
    if unit == "hour":
        return f"{at:%H:%M}"
    return f"{at.day} {MONTHS[at.month - 1]}"
