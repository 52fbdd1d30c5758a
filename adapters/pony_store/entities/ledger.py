"""Wallets and the transfers between accounts."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class Wallet(entity):
        _table_ = "wallets"
        id = PrimaryKey(str, autostrip=False)
        owner_id = Required(str, unique=True, autostrip=False)
        posted = Required(int, size=64)
        held = Required(int, size=64)
        owed = Required(int, size=64)

    class Transfer(entity):
        _table_ = "transfers"
        reference = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        from_account = Required(str, autostrip=False)
        to_account = Required(str, autostrip=False)
        amount = Required(int, size=64)
        kind = Required(str)
        at = Required(int, size=64)
        note = Optional(str, autostrip=False)
