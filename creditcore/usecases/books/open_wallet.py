"""Open the wallet of an owner."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.errors import ReferenceConflictError, WalletNotFoundError
from creditcore.domain.ledger import Wallet
from creditcore.ports.transactions import Begins, LedgerTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWallet:
    """Give owners a wallet each, empty to begin with."""

    transactions: Begins[LedgerTransaction]

    def open(self, wallet_id: str, *, owner_id: str | None = None) -> Wallet:
        """Return the wallet, opened where there was none; a repeat returns it as it is now.

        Any number of callers may open the same wallet at once.

        Args:
            wallet_id: Its name, which its transfers carry for ever.
            owner_id: Whose it is; the name itself if None.

        Raises:
            ReferenceConflictError: The wallet is another owner's, or the owner has another.
            StoreError: Unknown whether it was opened; ask again.
            ValueError: The name is empty, or a platform account's.
        """
        wallet = Wallet(id=wallet_id, owner_id=wallet_id if owner_id is None else owner_id)
        try:
            return self._find(wallet)
        except WalletNotFoundError:
            pass
        try:
            with self.transactions.begin() as tx:
                tx.ledger.add_wallet(wallet)
                tx.commit()
        except ReferenceConflictError as error:
            # Another caller was quicker, or the owner has a wallet of another name.
            try:
                return self._find(wallet)
            except WalletNotFoundError:
                raise error from None
        return wallet

    def _find(self, wallet: Wallet) -> Wallet:
        with self.transactions.begin() as tx:
            found = tx.ledger.find_wallet(wallet.id)
        if found.owner_id != wallet.owner_id:
            raise ReferenceConflictError(wallet.id)
        return found
