"""Transfers: their columns, and a row to a value and back."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from creditcore.domain.ledger import Transfer, TransferKind
from creditcore.domain.money import Credits

from ..instants import instant, micros

TRANSFER_COLUMNS = (
    "reference",
    "wallet_id",
    "from_account",
    "to_account",
    "amount",
    "kind",
    "at",
    "note",
)
_values = itemgetter(*TRANSFER_COLUMNS)


def transfer_document(transfer: Transfer) -> dict[str, object]:
    """Return a row of ``transfers`` by column."""
    return {
        "reference": transfer.reference,
        "wallet_id": transfer.wallet_id,
        # The drivers do not know a StrEnum; str() is quicker than its value.
        "from_account": str(transfer.from_account),
        "to_account": str(transfer.to_account),
        "amount": transfer.amount.microcredits,
        "kind": str(transfer.kind),
        "at": micros(transfer.at),
        "note": transfer.note,
    }


def transfer_values(transfer: Transfer) -> tuple[object, ...]:
    """Return the values of ``TRANSFER_COLUMNS``."""
    values: tuple[object, ...] = _values(transfer_document(transfer))
    return values


def transfer_from_row(row: Any) -> Transfer:
    """Return the transfer of a row."""
    return Transfer(
        wallet_id=row.wallet_id,
        from_account=row.from_account,
        to_account=row.to_account,
        amount=Credits(row.amount),
        kind=TransferKind(row.kind),
        reference=row.reference,
        at=instant(row.at),
        note=row.note,
    )
