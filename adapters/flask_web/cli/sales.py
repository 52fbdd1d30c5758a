"""What was sold, and the tax in it."""

from __future__ import annotations

import csv
import sys
from datetime import datetime

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.document_rows import COLUMNS, in_spreadsheet, rows_of
from adapters.flask_web.cli.period import Instant
from adapters.flask_web.context import services


@click.command()
@click.option("--month", type=Instant(["%Y-%m"]), required=True, help="Such as 2026-11, in UTC.")
@with_appcontext
def sales(month: datetime) -> None:
    """Print the receipts and credit notes of a month as CSV, for your books and the tax return.

    Amounts of credit notes are negative, so that a column adds up. A receipt is issued within
    seconds of its payment, and a credit note when the money is back with the payer. The last
    columns are what a tax authority's device said of each, where that was entered.
    """
    until = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    services().payments.documents.issue_due()
    table = csv.writer(sys.stdout)
    table.writerow(COLUMNS)
    for row in rows_of(services().payments.documents.issued(since=month, until=until)):
        table.writerow(in_spreadsheet(row))
