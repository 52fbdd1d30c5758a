"""What people type into the forms of a team."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from adapters.flask_web.web.session import person
from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.limits import Period, SpendLimit
from creditcore.domain.money import Credits
from creditcore.domain.teams import TeamRole

_DOLLARS = re.compile(r"[0-9]{1,10}(\.[0-9]{1,8})?")
_MICROCREDITS_PER_DOLLAR = 100_000_000
_MAX_TYPED = 300


def role(form: Mapping[str, str]) -> TeamRole:
    """Return the role that was chosen.

    Raises:
        InvalidRequestError: There is no such role.
    """
    try:
        return TeamRole(form.get("role", ""))
    except ValueError:
        raise InvalidRequestError("Choose a role from the list.", param="role") from None


def limit(form: Mapping[str, str]) -> SpendLimit | None:
    """Return the limit that was typed, by the calendar of who types it; None for no limit.

    Raises:
        InvalidRequestError: It is no amount, or no period.
    """
    text = typed(form, "limit")
    if not text:
        return None
    try:
        period = Period(form.get("period") or Period.MONTH)
    except ValueError:
        raise InvalidRequestError("Choose a period from the list.", param="period") from None
    return SpendLimit(
        credits=dollars(text, param="limit"), period=period, zone=person().timezone or "UTC"
    )


def buyer(form: Mapping[str, str]) -> BuyerDetails:
    """Return what was typed for receipts."""
    return BuyerDetails(
        company=typed(form, "company"),
        address=typed(form, "address"),
        tax_number=typed(form, "tax_number"),
    )


def dollars(text: str, *, param: str) -> Credits:
    """Return dollars of balance, as a person types them.

    Raises:
        InvalidRequestError: They are none; the error names ``param``.
    """
    text = text.removeprefix("$").replace(",", "")
    if not _DOLLARS.fullmatch(text):
        raise InvalidRequestError("Write dollars, such as 25 or 2.50.", param=param)
    return Credits(int(Decimal(text) * _MICROCREDITS_PER_DOLLAR))


def as_typed(amount: Credits) -> str:
    """Return an amount as a person would type it: ``25``, ``2.5``."""
    whole, rest = divmod(amount.microcredits, _MICROCREDITS_PER_DOLLAR)
    return f"{whole}.{rest:08d}".rstrip("0").rstrip(".") if rest else str(whole)


def typed(form: Mapping[str, str], name: str) -> str:
    """Return what was typed into a field, without spaces around it."""
    return form.get(name, "")[:_MAX_TYPED].strip()
