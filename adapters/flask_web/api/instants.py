"""Instants that clients may ask about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime
from pydantic_core import PydanticCustomError

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(9999, 1, 1, tzinfo=UTC)


def _countable(at: datetime) -> datetime:
    # The days around it, in every zone, are days that Python can write.
    if not _FIRST <= at < _END:
        raise PydanticCustomError("instant", "Input should be an instant of the years 1970 to 9998")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_countable)]
"""An instant with a zone, from 1970 on."""
