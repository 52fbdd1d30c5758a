"""Exchange rates from a JSON file that the operator writes anew now and then.

::

    {"as_of": "2026-11-29T08:00:00Z", "base": "USD", "rates": {"NGN": "1550", "KES": "129.5"}}

Rates are text, so that nothing between the file and the price rounds them. Past the age limit
none of them counts any more: an old rate gives credit away.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from creditcore.domain.money import ExchangeRate
from creditcore.ports.clock import Clock

_MAX_BYTES = 65_536
_MAX_AHEAD = timedelta(minutes=5)


class RateFile:
    """Reads the file whenever it is asked: rates are asked for rarely, the file is small."""

    def __init__(self, path: Path, clock: Clock, *, max_age: timedelta) -> None:
        self._path = path
        self._clock = clock
        self._max_age = max_age

    def rate(self, base: str, quote: str) -> ExchangeRate:
        """Return the rate of the file.

        Raises:
            LookupError: The file cannot be used, is too old, or has no such rate.
        """
        document = self._document()
        self._check_age(document)
        rates = document.get("rates")
        text = rates.get(quote) if isinstance(rates, dict) else None
        if document.get("base") != base or not isinstance(text, str):
            raise LookupError(f"{self._path.name} has no rate from {base} to {quote}")
        try:
            return ExchangeRate.parse(text, base=base, quote=quote)
        except ValueError as error:
            raise LookupError(f"{self._path.name}: {quote} is {text!r}: {error}") from error

    def _document(self) -> dict[str, object]:
        try:
            with self._path.open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
            document = json.loads(content) if len(content) <= _MAX_BYTES else None
        except (OSError, ValueError, RecursionError) as error:
            raise LookupError(f"{self._path.name} cannot be read: {error}") from error
        if type(document) is dict:
            return document
        raise LookupError(f"{self._path.name} is not a small JSON object")

    def _check_age(self, document: dict[str, object]) -> None:
        as_of = document.get("as_of")
        try:
            at = datetime.fromisoformat(as_of if isinstance(as_of, str) else "")
        except ValueError:
            raise LookupError(f"{self._path.name}: as_of is no date and time") from None
        if at.tzinfo is None:
            raise LookupError(f"{self._path.name}: as_of names no time zone")
        now = self._clock.now()
        if at > now + _MAX_AHEAD:
            raise LookupError(f"{self._path.name}: as_of is {at.isoformat()}, in the future")
        if now - at > self._max_age:
            hours = self._max_age // timedelta(hours=1)
            raise LookupError(
                f"{self._path.name} is of {at.isoformat()}, more than {hours} hours old"
            )
