"""The statement of a period, as page and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime

from flask import Blueprint, Response, render_template, request

from adapters.flask_web.context import services
from adapters.flask_web.web import formatting
from adapters.flask_web.web.account import account
from adapters.flask_web.web.session import for_people, person
from creditcore.domain.errors import InvalidRequestError
from creditcore.usecases.payments.write_statement import Statement

blueprint = Blueprint("statements", __name__, url_prefix="/dashboard/billing")


@blueprint.get("/statement")
@for_people
def show() -> str | tuple[str, int]:
    """Show what was there, what came and went, and what is left."""
    first, last = _this_month()
    error = ""
    try:
        first, last = _period(first, last)
        statement = _statement(first, last)
    except InvalidRequestError as refused:
        error, statement = str(refused), None
    page = render_template(
        "billing/statement.html",
        page="billing",
        statement=statement,
        first=request.args.get("from", first.isoformat()),
        last=request.args.get("to", last.isoformat()),
        query={"from": first.isoformat(), "to": last.isoformat()},
        error=error,
        audited=services().books.audits.latest(),
    )
    return (page, 400) if error else page


@blueprint.get("/statement.csv")
@for_people
def download() -> Response:
    """Send the same statement as CSV, with exact amounts in credits."""
    first, last = _period(*_this_month())
    statement = _statement(first, last)
    name = f"statement-{first.isoformat()}-{last.isoformat()}.csv"
    return Response(
        "".join(_lines(statement)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _statement(first: date, last: date) -> Statement:
    owner_id = account().id
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
    return services().payments.statements.write(
        wallet.id, first=first, last=last, zone=person().zone
    )


def _this_month() -> tuple[date, date]:
    today = services().clock.now().astimezone(person().zone).date()
    return today.replace(day=1), today


def _period(first: date, last: date) -> tuple[date, date]:
    return _day("from", first), _day("to", last)


def _day(name: str, usual: date) -> date:
    text = request.args.get(name, "")
    if not text:
        return usual
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise InvalidRequestError(f"{name} is a day such as 2026-11-30.", param=name) from None
    if not 2000 <= day.year <= 2100:
        raise InvalidRequestError(f"{name} is a day of this century.", param=name)
    return day


def _lines(statement: Statement) -> Iterator[str]:
    yield _line("date", "what", "reference", "calls", "credits")
    yield _line(statement.first, "Opening balance", "", "", statement.opening)
    for transfer in statement.movements:
        what, amount = formatting.movement(transfer), statement.signed(transfer)
        yield _line(transfer.at.isoformat(), what, transfer.reference, "", amount)
    for day in statement.days:
        yield _line(day.day, "Calls", "", day.calls, f"-{day.charged}")
    yield _line(statement.last, "Closing balance", "", "", statement.closing)


def _line(*cells: object) -> str:
    row = io.StringIO()
    csv.writer(row).writerow(cells)
    return row.getvalue()
