"""Pages of long lists, newest first: the address of the next begins where this one ends."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from adapters.flask_web.api.operations import Query
from creditcore.domain.errors import InvalidRequestError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

Start = tuple[datetime, str] | None
"""The instant and the name of the last item of the page before."""


class Page(Query):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 50
    cursor: Annotated[
        str | None, Field(max_length=400, description="The `next_cursor` of the page before.")
    ] = None

    @property
    def start(self) -> Start:
        """Where it begins.

        Raises:
            InvalidRequestError: The cursor is none of ours.
        """
        if self.cursor is None:
            return None
        try:
            text = base64.b64decode(self.cursor.encode(), altchars=b"-_", validate=True).decode()
            micros, _, name = text.partition(":")
            at = int(micros)
        except (binascii.Error, ValueError):
            raise _no_cursor() from None
        if not 0 <= at <= _LAST_US or not name or "\0" in name:
            raise _no_cursor()
        return _EPOCH + timedelta(microseconds=at), name


def next_cursor(at: datetime, name: str) -> str:
    """Return where the page after an item begins."""
    text = f"{(at - _EPOCH) // _MICROSECOND}:{name}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _no_cursor() -> InvalidRequestError:
    return InvalidRequestError(
        "cursor is the next_cursor of the page before, as it came.", param="cursor"
    )
