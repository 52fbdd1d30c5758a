"""What is sent by column has a value for every column: one that is left out would be null."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from adapters.pony_store.tables.keys import TERM_COLUMNS, term_document
from adapters.pony_store.tables.transfers import TRANSFER_COLUMNS, transfer_document
from adapters.pony_store.tables.wallets import BALANCE_COLUMNS, balance_document
from creditcore.domain.ledger import Transfer, TransferKind, Wallet
from creditcore.domain.money import Credits
from creditcore.testing.contracts import NOON, a_key

WALLET = Wallet(id="wallet-1", owner_id="owner-1")
TRANSFER = Transfer(
    wallet_id=WALLET.id,
    from_account=WALLET.id,
    to_account="usage",
    amount=Credits(3),
    kind=TransferKind.CHARGE,
    reference="charge:call-1",
    at=NOON,
)


@pytest.mark.parametrize(
    ("document", "columns"),
    [
        (transfer_document(TRANSFER), TRANSFER_COLUMNS),
        (term_document(a_key(WALLET)), TERM_COLUMNS),
        (balance_document(WALLET, WALLET), BALANCE_COLUMNS),
    ],
    ids=["transfer", "terms of a key", "balance"],
)
def test_it_names_every_column(document: dict[str, object], columns: Iterable[str]) -> None:
    assert list(document) == list(columns)
