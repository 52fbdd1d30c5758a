"""What a tax authority's device said of receipts and credit notes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from typing import TextIO

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.cli.document_rows import COLUMNS, in_spreadsheet, rows_of
from adapters.flask_web.cli.stamp_file import StampRow, read_stamps
from adapters.flask_web.cli.text import AS_JSON, counted, say
from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.errors import InvalidRequestError, NotFoundError
from creditcore.usecases.payments.stamp_documents import Stamped

stamps = AppGroup("stamps", help="Fiscal stamps of receipts and credit notes.")


def _of_a_stamp(command: Callable[..., None]) -> Callable[..., None]:
    """Add the document, and the options that say what the device printed."""
    for option in (
        AS_JSON,
        click.option("--qr", default="", help="The address, or the text, in the QR code."),
        click.option("--signed-at", required=True, help="Such as 2026-11-30T10:15:00+03:00."),
        click.option("--signature", default="", help="The receipt signature, or the CSID."),
        click.option("--internal-data", default="", help="Kenya's internal data."),
        click.option("--control-unit", default="", help="The device's own number."),
        click.option("--invoice-number", required=True, help="The device's number, or the IRN."),
        click.argument("document"),
    ):
        command = option(command)
    return command


@stamps.command("list")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV to fill in, for 'stamps import'.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@with_appcontext
def list_waiting(*, as_csv: bool, as_json: bool) -> None:
    """List the documents that need a stamp and have none, with the columns of "sales".

    FISCAL_STAMPS says which those are. Their stamps stand in the last columns, still empty.
    """
    services().payments.documents.issue_due()
    rows = rows_of(services().payments.stamps.waiting())
    if as_csv:
        table = csv.writer(sys.stdout)
        table.writerow(COLUMNS)
        table.writerows(map(in_spreadsheet, rows))
    elif as_json:
        click.echo(json.dumps(list(rows), indent=2))
    elif not services().payments.stamps.seller.stamped_since:
        click.echo("No document needs a stamp: FISCAL_STAMPS names no currency.")
    else:
        row = None
        for row in rows:
            amount = f"{row['currency']} {row['gross']}"
            click.echo(f"{row['document']}  {row['issued_at']}  {amount:>18}  {row['payment']}")
        if row is None:
            click.echo("Every document that needs a stamp has one.")


@stamps.command("enter")
@_of_a_stamp
@with_appcontext
def enter(document: str, *, as_json: bool, **given: str) -> None:
    """Enter what the device said of one document, such as R-000042; a repeat changes nothing."""
    done = services().payments.stamps.enter(document, given, actor=COMMAND_LINE)
    _report("enter", done, as_json=as_json)


@stamps.command("replace")
@_of_a_stamp
@click.option("--reason", required=True, help="Why; kept in the activity log for ever.")
@with_appcontext
def replace(document: str, *, reason: str, as_json: bool, **given: str) -> None:
    """Replace a stamp that was entered wrongly; the earlier one stays in the activity log."""
    done = services().payments.stamps.replace(document, given, reason=reason, actor=COMMAND_LINE)
    _report("replace", done, as_json=as_json)


@stamps.command("import")
@click.argument("file", type=click.File(encoding="utf-8"))
@AS_JSON
@with_appcontext
def import_file(file: TextIO, *, as_json: bool) -> None:
    """Enter the stamps of a CSV or JSON file ("-" reads the input); exit 1 if a line is refused.

    The file has the columns of "stamps list --csv", in any order. Each line is entered whole or
    not at all, and the others go on; what was entered before changes nothing, so the mended file
    can be imported again. Lines whose stamp is empty are passed over.
    """
    entered = unchanged = empty = 0
    refused: list[dict[str, object]] = []
    for row in read_stamps(file):
        if row.is_blank:
            empty += 1
            continue
        try:
            done = services().payments.stamps.enter(row.document, row.given, actor=COMMAND_LINE)
        except (InvalidRequestError, NotFoundError) as error:
            refused.append({"line": row.line, "document": row.document, "error": str(error)})
            if not as_json:
                click.echo(_refusal(row, error), err=True)
            continue
        entered += done.is_new
        unchanged += not done.is_new
    facts = {"entered": entered, "unchanged": unchanged, "empty": empty, "refused": refused}
    said = (
        f"{counted(entered, 'stamps')} entered, {unchanged:,} there already, "
        f"{counted(empty, 'lines')} empty, {len(refused):,} refused."
    )
    say(facts, said, as_json=as_json)
    if refused:
        sys.exit(1)


def _refusal(row: StampRow, error: Exception) -> str:
    return f"Line {row.line}, {row.document or 'no document'}: {error}"


def _report(act: str, done: Stamped, *, as_json: bool) -> None:
    name, number = done.document.name, done.stamp.invoice_number
    said = f"{name} has the stamp {number}" + ("." if done.is_new else " already.")
    facts = {"act": act, "document": name, "invoice_number": number, "changed": done.is_new}
    say(facts, said, as_json=as_json)
