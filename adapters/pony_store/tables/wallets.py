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


def balance_values(read: Wallet, wallet: Wallet) -> tuple[object, ...]:
    """Return the values of ``BALANCE_COLUMNS``."""
    return (
        wallet.id,
        read.posted.microcredits,
        read.held.microcredits,
        read.owed.microcredits,
        wallet.posted.microcredits,
        wallet.held.microcredits,
        wallet.owed.microcredits,
    )


def wallet_from_row(row: Any) -> Wallet:
    """Return the wallet of a row."""
    return Wallet(
        id=row.id,
        owner_id=row.owner_id,
        posted=Credits(row.posted),
        held=Credits(row.held),
        owed=Credits(row.owed),
    )
