"""Everything the site keeps about an account, as a ZIP.

It is made while it is sent: a thousand rows are in memory at a time, and no copy of a person's
data is left on a disk.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from datetime import datetime, tzinfo
from itertools import islice
from typing import TypeVar

from flask import Blueprint, Response

from adapters.flask_web.context import services, settings
from adapters.flask_web.dashboard.calls import calls_csv, csv_line
from adapters.flask_web.dashboard.keys_by_id import KeyNames
from adapters.flask_web.web.session import person
from adapters.flask_web.web.stepping_up import stepped_up
from adapters.flask_web.web.zone import zone
from creditcore.domain.access import Action, Viewer, may
from creditcore.domain.activity import Activity
from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.fiscal_stamps import FiscalStamp
from creditcore.domain.ledger import Transfer
from creditcore.domain.people import Person
from creditcore.domain.purchases import Purchase
from creditcore.domain.teams import Membership, Team
from creditcore.ports.calls import WantedCalls
from creditcore.ports.transactions import Transactions

blueprint = Blueprint("data", __name__, url_prefix="/dashboard/general")

_AT_ONCE = 1_000
_README = """What {site} keeps about {email}, as of {at}.

profile.json    your name, e-mail address, time zone, and what you gave for receipts
teams.csv       your teams, and what their receipts name, where your role there may change it
keys.csv        your API keys, without their secrets, which are not kept
calls.csv       every call with its tokens and cost; what was said in it is not kept
payments.csv    every payment you began
documents.csv   your receipts and credit notes, with what a tax authority's device said of them
movements.csv   every movement of your credits beside calls
activity.csv    what was done to your account, by whom

Times are in {zone}. Amounts of credits are exact; 1 credit is 1 US cent of balance.
"""

Row = TypeVar("Row")
Cells = tuple[object, ...]


@blueprint.get("/data.zip")
@stepped_up("general.show")
def download() -> Response:
    """Send all of it, to a person who has lately shown who they are."""
    someone, here, store = person(), zone(), services().transactions
    with store.begin() as tx:
        wallet = tx.ledger.find_wallet_of(someone.id)
        keys = tx.keys.list_of(someone.id)
        teams = tx.teams.of_person(someone.id)
    files: dict[str, Iterator[str]] = {
        "README.txt": iter([_readme(someone, here)]),
        "profile.json": iter([json.dumps(_profile(someone), indent=2, ensure_ascii=False)]),
        "teams.csv": _lines(
            ("id", "name", "role", "joined_at", "company", "address", "tax_number"),
            (_team_cells(someone, team, place, here) for team, place in teams),
        ),
        "keys.csv": _lines(
            ("id", "name", "prefix", "last_four", "made_at", "revoked_at"),
            (
                (key.id, key.name, key.prefix, key.last_four, _at(key.created_at, here),
                 _at(key.revoked_at, here))
                for key in keys
            ),
        ),
        "calls.csv": calls_csv(WantedCalls(wallet_id=wallet.id), KeyNames.of(keys)),
        "payments.csv": _lines(
            ("reference", "began_at", "ended_at", "state", "price", "paid", "credits", "channel"),
            _payments(store, someone, here),
        ),
        "documents.csv": _lines(
            ("document", "issued_at", "payment", "total", "tax", "tax_rate_percent", "buyer_name",
             "buyer_email", "buyer_company", "buyer_address", "buyer_tax_number", "control_unit",
             "tax_invoice_number", "internal_data", "signature", "signed_at", "qr"),
            _documents(store, someone, here),
        ),
        "movements.csv": _lines(
            ("reference", "at", "kind", "credits", "note"), _movements(store, wallet.id, here)
        ),
        "activity.csv": _lines(
            ("number", "at", "act", "by", "address"), _acts(store, someone, here)
        ),
    }  # fmt: skip
    return Response(
        zipped(files),
        mimetype="application/zip",
        headers={
            "content-disposition": 'attachment; filename="my-data.zip"',
            "cache-control": "no-store",
        },
    )


def zipped(files: dict[str, Iterator[str]]) -> Iterator[bytes]:
    """Return a ZIP of files whose text comes bit by bit, as it is made."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, texts in files.items():
            with archive.open(name, "w", force_zip64=True) as file:
                for text in texts:
                    file.write(text.encode())
                    yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """What a ZIP is written to: it cannot be gone back in, so nothing has to be kept."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: object) -> int:
        """Take some bytes."""
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        """Return what was written since this was last asked."""
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


def _readme(someone: Person, here: tzinfo) -> str:
    now = services().clock.now()
    return _README.format(
        site=settings().site_name,
        email=someone.email,
        at=_at(now, here),
        zone=someone.timezone or "UTC",
    )


def _profile(someone: Person) -> dict[str, object]:
    return {
        "id": someone.id,
        "email": someone.email,
        "name": someone.name,
        "joined_at": someone.created_at.isoformat(),
        "timezone": someone.timezone,
        "shown_currency": someone.shown_currency,
        "company": someone.buyer.company,
        "address": someone.buyer.address,
        "tax_number": someone.buyer.tax_number,
        "role": str(someone.role),
        "weekly_summary": services().books.weeks.is_wanted_by(someone.id),
    }


def _team_cells(someone: Person, team: Team, place: Membership, here: tzinfo) -> Cells:
    viewer = Viewer(person=someone, membership=place, team_blocked=team.blocked)
    buyer = team.buyer if may(viewer, Action.DESCRIBE_TEAM) else BuyerDetails()
    joined_at = _at(place.joined_at, here)
    return team.id, team.name, str(place.role), joined_at, *astuple(buyer)


def _payments(store: Transactions, someone: Person, here: tzinfo) -> Iterator[Cells]:
    for row in _purchases(store, someone):
        yield (
            row.reference,
            _at(row.created_at, here),
            _at(row.closed_at, here),
            str(row.state),
            str(row.offer.price),
            str(row.paid or ""),
            str(row.offer.credits),
            row.channel,
        )


def _purchases(store: Transactions, someone: Person) -> Iterator[Purchase]:
    def page(before: tuple[datetime, str] | None) -> Sequence[Purchase]:
        with store.begin() as tx:
            return tx.purchases.list_of(someone.id, limit=_AT_ONCE, before=before)

    return _all(page, lambda row: (row.created_at, row.reference))


def _documents(store: Transactions, someone: Person, here: tzinfo) -> Iterator[Cells]:
    purchases = (row.reference for row in _purchases(store, someone))
    while some := list(islice(purchases, _AT_ONCE)):
        with store.begin() as tx:
            documents = tx.documents.of_purchases(some)
            stamps = tx.fiscal_stamps.of(documents)
        for row in documents:
            stamp = stamps.get(row.name)
            yield (
                row.name,
                _at(row.issued_at, here),
                row.purchase,
                str(row.gross),
                str(row.tax),
                row.rate_text,
                row.details.get("buyer_name", ""),
                row.details.get("buyer_email", ""),
                row.details.get("buyer_company", ""),
                row.details.get("buyer_address", ""),
                row.details.get("buyer_tax_number", ""),
                *(_stamp_cells(stamp, here) if stamp else [""] * 6),
            )


def _stamp_cells(stamp: FiscalStamp, here: tzinfo) -> Cells:
    return (
        stamp.control_unit,
        stamp.invoice_number,
        stamp.internal_data,
        stamp.signature,
        _at(stamp.signed_at, here),
        stamp.qr,
    )


def _movements(store: Transactions, wallet_id: str, here: tzinfo) -> Iterator[Cells]:
    def page(before: tuple[datetime, str] | None) -> Sequence[Transfer]:
        with store.begin() as tx:
            return tx.ledger.transfers_of(wallet_id, limit=_AT_ONCE, before=before)

    for row in _all(page, lambda row: (row.at, row.reference)):
        sign = "" if row.to_account == wallet_id else "-"
        amount = f"{sign}{row.amount}"
        yield row.reference, _at(row.at, here), str(row.kind), amount, row.note


def _acts(store: Transactions, someone: Person, here: tzinfo) -> Iterator[Cells]:
    last: int | None = None
    while True:
        with store.begin() as tx:
            acts: Sequence[Activity] = tx.activity.recent(
                limit=_AT_ONCE, before=last, person_id=someone.id
            )
        for act in acts:
            # Which operator it was is theirs to keep.
            is_own = act.actor.id == someone.id
            by = "you" if is_own else "the site"
            yield act.number, _at(act.at, here), act.act, by, act.actor.address if is_own else ""
        if len(acts) < _AT_ONCE:
            return
        last = acts[-1].number


def _all(
    page: Callable[[tuple[datetime, str] | None], Sequence[Row]],
    place: Callable[[Row], tuple[datetime, str]],
) -> Iterator[Row]:
    before: tuple[datetime, str] | None = None
    while True:
        rows = page(before)
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        before = place(rows[-1])


def _lines(head: Sequence[str], rows: Iterator[Cells] | Sequence[Cells]) -> Iterator[str]:
    yield csv_line(head)
    for row in rows:
        yield csv_line(row)


def _at(at: datetime | None, here: tzinfo) -> str:
    return at.astimezone(here).isoformat() if at else ""
