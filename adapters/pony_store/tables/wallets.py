"""Wallets: their columns, and a row to a value and back."""

from __future__ import annotations

from typing import Any

from creditcore.domain.ledger import Wallet
from creditcore.domain.money import Credits

WALLET_COLUMNS = ("id", "owner_id", "posted", "held", "owed")


def wallet_values(wallet: Wallet) -> tuple[object, ...]:
    """Return a row of ``wallets``."""
    return (
        wallet.id,
        wallet.owner_id,
        wallet.posted.microcredits,
        wallet.held.microcredits,
        wallet.owed.microcredits,
    )


BALANCE_COLUMNS = {
    "id": "TEXT",
    "read_posted": "BIGINT",
    "read_held": "BIGINT",
    "read_owed": "BIGINT",
    "posted": "BIGINT",
    "held": "BIGINT",
    "owed": "BIGINT",
}
"""What changes a wallet: its name, what tells that it is as it was read, and what it becomes."""


def balance_document(read: Wallet, wallet: Wallet) -> dict[str, object]:
    """Return what changes a wallet, by ``BALANCE_COLUMNS``."""
    return {
        "id": wallet.id,
        "read_posted": read.posted.microcredits,
        "read_held": read.held.microcredits,
        "read_owed": read.owed.microcredits,
        "posted": wallet.posted.microcredits,
        "held": wallet.held.microcredits,
        "owed": wallet.owed.microcredits,
    }


def wallet_from_row(row: Any) -> Wallet:
    """Return the wallet of a row."""
    return Wallet(
        id=row.id,
        owner_id=row.owner_id,
        posted=Credits(row.posted),
        held=Credits(row.held),
        owed=Credits(row.owed),
    )
