"""Receipts and credit notes as rows of a table, with their fiscal stamps at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from adapters.flask_web.context import services
from creditcore.domain.documents import Document, DocumentKind
from creditcore.domain.fiscal_stamps import FiscalStamp, StampedDocument
from creditcore.domain.money import Money

STAMP_COLUMNS = {
    "stamp_control_unit": "control_unit",
    "stamp_invoice_number": "invoice_number",
    "stamp_internal_data": "internal_data",
    "stamp_signature": "signature",
    "stamp_signed_at": "signed_at",
    "stamp_qr": "qr",
}
"""What the columns of a stamp are called in tables and here; as they are printed, they are read."""

COLUMNS = (
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
    "buyer_company",
    "buyer_address",
    "buyer_tax_number",
    "channel",
    "provider_id",
    *STAMP_COLUMNS,
)

_AT_ONCE = 500
_FORMULA = ("=", "+", "-", "@")


def rows_of(documents: Iterable[Document]) -> Iterator[dict[str, str]]:
    """Return documents as rows by column, a few hundred in memory at a time."""
    remaining = iter(documents)
    while some := list(islice(remaining, _AT_ONCE)):
        for stamped in services().payments.stamps.beside(some):
            yield _row(stamped)


def in_spreadsheet(row: dict[str, str]) -> list[str]:
    """Return the cells of a row, in which no spreadsheet finds a formula.

    Amounts stay numbers, which may be negative.
    """
    amounts = {"gross", "tax", "net"}
    return [
        f"'{text}" if name not in amounts and text.startswith(_FORMULA) else text
        for name, text in row.items()
    ]


def from_spreadsheet(text: str) -> str:
    """Return what a cell said before it was kept from being a formula."""
    return text[1:] if text.startswith(tuple(f"'{sign}" for sign in _FORMULA)) else text


def _row(stamped: StampedDocument) -> dict[str, str]:
    document = stamped.document
    sign = 1 if document.kind is DocumentKind.RECEIPT else -1
    details = document.details
    cells = (
        document.name,
        document.issued_at.isoformat(timespec="seconds"),
        document.purchase,
        "" if document.original is None else f"R-{document.original:06d}",
        document.gross.currency,
        _decimal(document.gross, sign),
        document.rate_text,
        _decimal(document.tax, sign),
        _decimal(document.net, sign),
        details.get("buyer_name", ""),
        details.get("buyer_email", ""),
        details.get("buyer_company", ""),
        details.get("buyer_address", ""),
        details.get("buyer_tax_number", ""),
        details.get("channel", ""),
        details.get("provider_id", ""),
        *_stamp_cells(stamped.stamp),
    )
    return dict(zip(COLUMNS, cells, strict=True))


def _stamp_cells(stamp: FiscalStamp | None) -> Sequence[str]:
    if stamp is None:
        return [""] * len(STAMP_COLUMNS)
    return [
        stamp.control_unit,
        stamp.invoice_number,
        stamp.internal_data,
        stamp.signature,
        stamp.signed_at.isoformat(),
        stamp.qr,
    ]


def _decimal(amount: Money, sign: int) -> str:
    whole, cents = divmod(amount.minor_units, 100)
    minus = "-" if sign < 0 and amount.minor_units else ""
    return f"{minus}{whole}.{cents:02d}"
