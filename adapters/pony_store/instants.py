"""Instants as the tables have them: microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECONDS_PER_DAY = 86_400


def micros(instant: datetime) -> int:
    """Return an aware instant as microseconds since 1970 in UTC, exactly."""
    # Each call has four. Dividing by a microsecond would compute the same, in twice the time.
    age = instant - _EPOCH
    return (age.days * _SECONDS_PER_DAY + age.seconds) * 1_000_000 + age.microseconds


def instant(micros: int) -> datetime:
    """Return the instant in UTC."""
    return _EPOCH + micros * _MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    """Return an instant as microseconds, where there is one."""
    return None if at is None else micros(at)


def instant_or_none(at: int | None) -> datetime | None:
    """Return the instant, if there is one."""
    return None if at is None else instant(at)
