"""What was sold, and the tax in it."""

from __future__ import annotations

import csv
import sys
from datetime import datetime

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.period import Instant
from adapters.flask_web.context import services
from creditcore.domain.documents import Document, DocumentKind
from creditcore.domain.money import Money

_COLUMNS = (
    "document",
    "issued_at",
    "payment",
    "corrects",
    "currency",
    "gross",
    "tax_rate_percent",
    "tax",
    "net",
    "buyer_name",
    "buyer_email",
    "channel",
    "provider_id",
)


@click.command()
@click.option("--month", type=Instant(["%Y-%m"]), required=True, help="Such as 2026-11, in UTC.")
@with_appcontext
def sales(month: datetime) -> None:
    """Print the receipts and credit notes of a month as CSV, for your books and the tax return.

    Amounts of credit notes are negative, so that a column adds up. A receipt is issued within
    seconds of its payment, and a credit note when the money is back with the payer.
    """
    until = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    services().payments.documents.issue_due()
    table = csv.writer(sys.stdout)
    table.writerow(_COLUMNS)
    for document in services().payments.documents.issued(since=month, until=until):
        table.writerow(_row(document))


def _row(document: Document) -> list[str]:
    sign = 1 if document.kind is DocumentKind.RECEIPT else -1
    details = document.details
    return [
        document.name,
        document.issued_at.isoformat(timespec="seconds"),
        document.purchase,
        "" if document.original is None else f"R-{document.original:06d}",
        document.gross.currency,
        _decimal(document.gross, sign),
        document.rate_text,
        _decimal(document.tax, sign),
        _decimal(document.net, sign),
        _as_text(details.get("buyer_name", "")),
        _as_text(details.get("buyer_email", "")),
        details.get("channel", ""),
        details.get("provider_id", ""),
    ]


def _decimal(amount: Money, sign: int) -> str:
    whole, cents = divmod(amount.minor_units, 100)
    minus = "-" if sign < 0 and amount.minor_units else ""
    return f"{minus}{whole}.{cents:02d}"


def _as_text(value: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@"} else value
