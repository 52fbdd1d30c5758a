"""People: the newest first, one search box for everything, and a page for each of them."""

from __future__ import annotations

from datetime import timedelta

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.admin.belongings import belongings_of, name_of
from adapters.flask_web.admin.frame import ON_A_PAGE, blueprint, page
from adapters.flask_web.admin.overview import usd
from adapters.flask_web.context import services
from adapters.flask_web.web.places import place_sent, place_text
from adapters.flask_web.web.session import for_operators
from creditcore.domain.errors import PersonNotFoundError
from creditcore.domain.keys import KEY_PREFIX
from creditcore.domain.people import Person
from creditcore.domain.usage_hours import NOTHING_USED, hour_of
from creditcore.ports.oversight import Found, FoundKind
from creditcore.ports.transactions import Transaction

_MAX_TEXT_LENGTH = 300
_FOUND = 50
_SHOWN_OF_KEY = len(KEY_PREFIX) + 4
_THIRTY_DAYS = timedelta(days=30)
_WHOLE_KEY = (
    "Do not paste whole keys: addresses are kept in logs. The first characters that its owner "
    "sees, or the last four, find it as well."
)


@blueprint.get("/people")
@for_operators
def people() -> str:
    """List people with their balance and what they used in 30 days."""
    before = place_sent(request.args, "before")
    since = hour_of(services().clock.now()) - _THIRTY_DAYS
    with services().transactions.begin() as tx:
        accounts = tx.oversight.accounts(limit=ON_A_PAGE + 1, before=before)
        shown = accounts[:ON_A_PAGE]
        used = tx.oversight.used_by([row.wallet.id for row in shown if row.wallet], since=since)
    last = shown[-1].person if len(accounts) > ON_A_PAGE else None
    return page(
        "people.html",
        "people",
        accounts=shown,
        used=used,
        nothing=NOTHING_USED,
        is_first=before is None,
        older=place_text(last.created_at, last.id) if last else None,
    )


@blueprint.post("/search")
@for_operators
def search() -> str | Response | tuple[str, int]:
    """Take what is searched for: by POST, so that a key that is pasted whole reaches no log."""
    text = request.form.get("q", "").strip()[:_MAX_TEXT_LENGTH]
    if text.startswith(KEY_PREFIX) and len(text) > _SHOWN_OF_KEY:
        return page("search.html", "people", text="", found=[], fault=_WHOLE_KEY), 400
    return redirect(url_for("admin.found", q=text))


@blueprint.get("/search")
@for_operators
def found() -> str | Response:
    """Show people, keys, calls, payments and webhooks that a text names."""
    text = request.args.get("q", "").strip()[:_MAX_TEXT_LENGTH]
    with services().transactions.begin() as tx:
        found = tx.oversight.search(text, limit=_FOUND)
    if len(found) == 1:
        return redirect(_address(found[0]))
    listed = [(each, _address(each)) for each in found]
    return page("search.html", "people", text=text, found=listed)


@blueprint.get("/people/<person_id>")
@for_operators
def person(person_id: str) -> str:
    """Show one person: balance, keys, calls, payments, movements and what was done."""
    with services().transactions.begin() as tx:
        someone = find_person(tx, person_id)
        belongings = belongings_of(tx, someone.id)
        teams = tx.teams.of_person(someone.id)
    return page(
        "person.html",
        "people",
        someone=someone,
        teams=teams,
        people={someone.id: "They themselves"},
        now=services().clock.now(),
        **belongings.shown,
    )


@blueprint.get("/accounts/<owner_id>")
@for_operators
def account(owner_id: str) -> Response:
    """Lead to the page of whose account it is: a person's or a team's."""
    with services().transactions.begin() as tx:
        is_person = "\x00" not in owner_id and tx.people.find(owner_id) is not None
    if is_person:
        return redirect(url_for("admin.person", person_id=owner_id))
    return redirect(url_for("admin.team", team_id=owner_id))


@blueprint.get("/calls/<call_id>")
@for_operators
def call(call_id: str) -> str:
    """Show the receipt of one call of any account."""
    with services().transactions.begin() as tx:
        found = tx.calls.find_all([call_id]).get(call_id) if "\x00" not in call_id else None
        owner_id = tx.ledger.find_wallet(found.wallet_id).owner_id if found else ""
        owner = name_of(tx, owner_id) if owner_id else ""
        caller = name_of(tx, found.member_id) if found and found.member_id else ""
    receipt = services().calls.receipts.write(call_id, wallet_id=found.wallet_id if found else "")
    hold = receipt.call
    reported = hold.outcome.reported_cost_picodollars
    return page(
        "call.html",
        "people",
        receipt=receipt,
        hold=hold,
        owner_id=owner_id,
        owner=owner,
        caller=caller,
        provider_cost=usd(hold.outcome.provider_cost_picodollars),
        reported_cost=None if reported is None else usd(reported),
    )


def find_person(tx: Transaction, person_id: str) -> Person:
    """Return a person.

    Raises:
        PersonNotFoundError: No person has this id.
    """
    found = tx.people.find(person_id) if "\x00" not in person_id else None
    if found is None:
        raise PersonNotFoundError(person_id)
    return found


def _address(found: Found) -> str:
    """Return where what was found is shown."""
    match found.kind:
        case FoundKind.CALL:
            return url_for("admin.call", call_id=found.id)
        case FoundKind.PAYMENT:
            return url_for("admin.payment", reference=found.id)
        case FoundKind.WEBHOOK:
            return url_for("admin.webhook", digest=found.id)
        case FoundKind.PERSON:
            return url_for("admin.person", person_id=found.id)
        case FoundKind.TEAM:
            return url_for("admin.team", team_id=found.id)
        case FoundKind.KEY | FoundKind.REFUSED_CALL:
            return url_for("admin.account", owner_id=found.owner_id)
