"""What people say about themselves, what they are mailed, and what receipts name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.context import services
from adapters.flask_web.web.account import own_wallet
from adapters.flask_web.web.session import for_people, person
from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.people import zone_names

blueprint = Blueprint("general", __name__, url_prefix="/dashboard/general")

_REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
_MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class _Typed:
    """What the form holds."""

    name: str
    timezone: str
    currency: str


@blueprint.get("")
@for_people
def show() -> str:
    """Show name, zone and currency, and what stands on receipts."""
    return _page()


@blueprint.post("")
@for_people
def change() -> str | Response | tuple[str, int]:
    """Change name, zone and currency."""
    typed = _Typed(
        request.form.get("name", ""),
        request.form.get("timezone", ""),
        request.form.get("currency", ""),
    )
    try:
        services().people.profiles.change(
            person().id,
            name=typed.name,
            timezone=typed.timezone,
            shown_currency=typed.currency,
        )
    except InvalidRequestError as error:
        return _page(typed, errors={error.param or "form": str(error)}), 400
    flash("Your settings are saved.", "success")
    return redirect(url_for("general.show"))


@blueprint.post("/notices")
@for_people
def choose_notices() -> Response:
    """Switch the weekly summary on or off."""
    wanted = request.form.get("weekly_summary") == "yes"
    services().books.weeks.choose(person().id, wanted=wanted)
    flash(
        "Saved. You get a weekly summary." if wanted else "Saved. You get no weekly summary.",
        "success",
    )
    return redirect(url_for("general.show") + "#notices", code=303)


@blueprint.post("/receipts")
@for_people
def put_on_receipts() -> str | Response | tuple[str, int]:
    """Change what receipts name from now on."""
    typed = BuyerDetails(
        company=request.form.get("company", ""),
        address=request.form.get("address", ""),
        tax_number=request.form.get("tax_number", ""),
    )
    try:
        services().people.profiles.put_on_receipts(person().id, **asdict(typed))
    except InvalidRequestError as error:
        return _page(buyer=typed, errors={error.param or "form": str(error)}), 400
    flash("Receipts name this from now on.", "success")
    return redirect(url_for("general.show"))


def _page(
    typed: _Typed | None = None,
    *,
    buyer: BuyerDetails | None = None,
    errors: dict[str, str] | None = None,
) -> str:
    """Return the page with what was typed in one form, and what is kept in the others."""
    owner = person()
    own, weeks = own_wallet(), services().books.weeks
    low_balance = services().payments.balances.of(own.id) if own else None
    return render_template(
        "dashboard/general.html",
        page="general",
        typed=typed or _Typed(owner.name, owner.timezone, owner.shown_currency),
        buyer=buyer or owner.buyer,
        errors=errors or {},
        zones=_zones(services().clock.now()),
        currencies=services().people.profiles.currencies,
        sends_mail=weeks.sends_mail,
        weekly_summary=weeks.is_wanted_by(owner.id),
        low_balance=low_balance,
    )


def _zones(now: datetime) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return regions with their zones, each with its name and how far it is from UTC now."""
    names = sorted(name for name in zone_names() if name.split("/")[0] in _REGIONS)
    return [
        (region, [(name, _zone_text(name, now)) for name in some])
        for region, some in groupby(names, key=lambda name: name.split("/")[0])
    ]


def _zone_text(name: str, now: datetime) -> str:
    offset = now.astimezone(ZoneInfo(name)).utcoffset()
    minutes = int(offset.total_seconds()) // _MINUTES_PER_HOUR if offset else 0
    sign, minutes = ("\u2212", -minutes) if minutes < 0 else ("+", minutes)
    hours, rest = divmod(minutes, _MINUTES_PER_HOUR)
    place = name.partition("/")[2].replace("_", " ").replace("/", ", ")
    return f"{place} (UTC{sign}{hours}{f':{rest:02d}' if rest else ''})"
