"""Post the transfers of one wallet that a decided payment comes to."""

from __future__ import annotations

from collections.abc import Sequence

from creditcore.domain.books import Footprint
from creditcore.domain.ledger import Transfer
from creditcore.ports.store_ports import HasLedger


def post_transfers(tx: HasLedger, wallet_id: str, transfers: Sequence[Transfer]) -> None:
    """Move credits of a wallet, which is locked from here on; a repeat of a movement is none.

    Raises:
        ReferenceConflictError: A reference stands for another movement.
        WalletNotFoundError: No wallet has this id.
    """
    books = tx.ledger.lock(
        Footprint(
            wallet_ids={wallet_id},
            transfer_references={transfer.reference for transfer in transfers},
        )
    )
    books.post(transfers)
    tx.ledger.write(books)
