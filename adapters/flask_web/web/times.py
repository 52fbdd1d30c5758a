"""Times as pages show them: in the zone of the person who looks, with its abbreviation."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from markupsafe import Markup

from adapters.flask_web.web.zone import zone

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def instant(at: datetime) -> Markup:
    """Return a ``<time>`` that reads ``22 Nov 2026, 17:05 EAT``, in the reader's zone.

    Raises:
        ValueError: The instant has no time zone.
    """
    local = _local(at)
    text = f"{_day_text(local)}, {local:%H:%M} {zone_text(local)}"
    return Markup('<time datetime="{}">{}</time>').format(_iso(at), text)


def clock_time(at: datetime) -> Markup:
    """Return a ``<time>`` that reads ``17:05:10 EAT``, for what happened a moment ago.

    Raises:
        ValueError: The instant has no time zone.
    """
    local = _local(at)
    text = f"{local:%H:%M:%S} {zone_text(local)}"
    return Markup('<time datetime="{}">{}</time>').format(_iso(at), text)


def day(at: datetime) -> Markup:
    """Return a ``<time>`` that reads ``22 Nov 2026``, for what needs no hour.

    Raises:
        ValueError: The instant has no time zone.
    """
    return Markup('<time datetime="{}">{}</time>').format(_iso(at), _day_text(_local(at)))


def day_before(at: datetime) -> Markup:
    """Return the last day before an instant that ends a period."""
    return day(at - timedelta(hours=12))


def date_words(date: date) -> str:
    """Return a day of a calendar as ``22 Nov 2026``."""
    return _day_text(date)


def date_text(at: datetime) -> str:
    """Return the day of an instant in the reader's zone, as addresses have it: ``2026-11-22``."""
    return f"{_local(at):%Y-%m-%d}"


def date_before(at: datetime) -> str:
    """Return the last day before an instant that ends a period, as addresses have it."""
    return date_text(at - timedelta(hours=12))


def zone_text(local: datetime) -> str:
    """Return the abbreviation of an instant's zone: ``EAT``, or ``UTC+05:45`` where it has none."""
    name = local.tzname() or "UTC"
    if name[0] not in "+-":
        return name
    offset = f"{local:%z}"
    return f"UTC{offset[:3]}:{offset[3:5]}"


def _local(at: datetime) -> datetime:
    # A naive instant would silently be read in the time zone of the server.
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a time zone, got {at!r}")
    return at.astimezone(zone())


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _day_text(local: date) -> str:
    # strftime("%b") would follow the locale of the server.
    return f"{local.day} {MONTHS[local.month - 1]} {local.year}"
