"""What a person types into the forms of a key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.keys import ApiKey, Scope
from creditcore.domain.limits import KeyLimits, Period, SpendLimit
from creditcore.domain.money import Credits, div_floor

_DOLLARS = re.compile(r"[0-9]{1,10}(\.[0-9]{1,8})?")
_MICROCREDITS_PER_DOLLAR = 100_000_000
_MINUTE = "%Y-%m-%dT%H:%M"
_MAX_TYPED = 20_000
_PARAMS = {
    "allowed_models": "models",
    "allowed_ips": "addresses",
    "spend_limit.credits": "spend",
    "spend_limit.zone": "spend",
}

NUMBERS = ("rpm", "tpm", "max_parallel")


@dataclass(frozen=True, slots=True)
class KeyForm:
    """The terms of a key as they were typed.

    Attributes:
        typed: Each field's text, to be shown again.
        zone: Whose clock ``expires_at`` is by.
        zone_name: Whose calendar a spend limit follows.
    """

    typed: Mapping[str, str]
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    scopes: tuple[Scope, ...] = field(default=(Scope.INFERENCE,))

    @classmethod
    def of(cls, key: ApiKey, zone: tzinfo) -> KeyForm:
        """Return what the form of a key begins with."""
        spend = key.limits.spend
        typed = {
            "name": key.name,
            "expires_at": f"{key.expires_at.astimezone(zone):{_MINUTE}}" if key.expires_at else "",
        }
        typed |= _typed(key.limits)
        return cls(typed, zone, spend.zone if spend else "UTC", key.scopes)

    @classmethod
    def blank(cls, defaults: KeyLimits, zone: tzinfo) -> KeyForm:
        """Return what the form of a new key begins with: the operator's defaults."""
        return cls({"name": "", "expires_at": ""} | _typed(defaults), zone)

    @classmethod
    def read(
        cls, form: Mapping[str, str], scopes: list[str], *, zone: tzinfo, zone_name: str
    ) -> KeyForm:
        """Read a form that was sent."""
        names = ("name", "spend", "period", "models", "addresses", "expires_at", *NUMBERS)
        typed = {name: form.get(name, "")[:_MAX_TYPED].strip() for name in names}
        known = tuple(scope for scope in Scope if scope in scopes)
        return cls(typed, zone, zone_name, known)

    def limits(self) -> KeyLimits:
        """Return the limits.

        Raises:
            InvalidRequestError: A field means nothing; the error names it.
        """
        try:
            return KeyLimits(
                spend=self._spend(),
                max_parallel=self._number("max_parallel"),
                rpm=self._number("rpm"),
                tpm=self._number("tpm"),
                models=self._lines("models"),
                addresses=self._lines("addresses"),
            )
        except InvalidRequestError as error:
            raise InvalidRequestError(
                str(error), param=_PARAMS.get(error.param or "", error.param)
            ) from None

    def expires_at(self) -> datetime | None:
        """Return when the key is to expire, in UTC.

        Raises:
            InvalidRequestError: It is no instant.
        """
        text = self.typed["expires_at"]
        if not text:
            return None
        try:
            local = datetime.strptime(text, _MINUTE).replace(tzinfo=self.zone)
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            raise InvalidRequestError(
                "Write a day and a time, such as 2027-01-31T18:00.", param="expires_at"
            ) from None

    def _spend(self) -> SpendLimit | None:
        amount = read_dollars(self.typed["spend"], param="spend")
        if amount is None:
            return None
        try:
            period = Period(self.typed["period"] or Period.MONTH)
        except ValueError:
            raise InvalidRequestError("Choose a period.", param="period") from None
        return SpendLimit(credits=amount, period=period, zone=self.zone_name)

    def _number(self, name: str) -> int | None:
        text = self.typed[name].replace(",", "")
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,15}", text):
            raise InvalidRequestError("Write a whole number above zero.", param=name)
        return int(text)

    def _lines(self, name: str) -> tuple[str, ...]:
        return tuple(re.split(r"[\s,]+", self.typed[name])) if self.typed[name] else ()


def _typed(limits: KeyLimits) -> dict[str, str]:
    spend = limits.spend
    return {
        "spend": dollars(spend.credits) if spend else "",
        "period": str(spend.period if spend else Period.MONTH),
        "models": "\n".join(limits.models),
        "addresses": "\n".join(limits.addresses),
        **{name: str(getattr(limits, name) or "") for name in NUMBERS},
    }


def read_dollars(text: str, *, param: str) -> Credits | None:
    """Return an amount of balance as a person typed it; None where nothing was typed.

    Raises:
        InvalidRequestError: It is no amount.
    """
    text = text.strip().removeprefix("$")
    if not text:
        return None
    if not _DOLLARS.fullmatch(text):
        raise InvalidRequestError("Write dollars, such as 25 or 2.50.", param=param)
    return Credits(int(Decimal(text) * _MICROCREDITS_PER_DOLLAR))


def dollars(amount: Credits) -> str:
    """Return an amount as a person would type it: ``25``, ``2.5``."""
    whole, rest = divmod(amount.microcredits, _MICROCREDITS_PER_DOLLAR)
    return f"{whole}.{rest:08d}".rstrip("0").rstrip(".") if rest else str(whole)


def spent_percent(spent: Credits, limit: Credits) -> int:
    """Return how much of a limit is used, in whole percent up to 100."""
    if not limit:
        return 100
    return min(100, div_floor(spent.microcredits * 100, limit.microcredits))
