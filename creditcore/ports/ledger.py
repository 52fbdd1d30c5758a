"""Wallets, holds and transfers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.books import Books, Footprint
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import Transfer, Wallet


class LockedBooks(Protocol):
    """What a money step needs of the ledger: lock and read, then write."""

    def lock(self, footprint: Footprint) -> Books:
        """Lock wallets until the transaction ends, and read what belongs to them; once in it.

        Locked are the wallets named and those of the keys found, in the order of
        their ids, so that two transactions never wait for each other in a circle.
        Keys, holds and transfers are read after that: no transaction can change them any
        more. What does not exist is missing from the books; nothing raises.

        A store may answer from what it remembers, if ``commit`` proves it: when it was
        wrong, ``commit`` raises StoreBusyError, and a caller who repeats the step gets what
        is in the database.
        """

    def write(self, books: Books) -> None:
        """Write what changed in books that ``lock`` returned.

        A changed hold is written only where it is still as the books had it, so that
        it leaves the open state once.

        What is raised here may also be raised by the transaction's ``commit``, where a
        store sends both together.

        Raises:
            ReferenceConflictError: A hold's or transfer's reference is taken.
            StoreBusyError: A hold is not as the books had it, or was made meanwhile.
        """


class Ledger(LockedBooks, Protocol):
    """Every credit movement, read and appended to inside one transaction."""

    def add_wallet(self, wallet: Wallet) -> None:
        """Add an empty wallet. An owner has one.

        Raises:
            ReferenceConflictError: The owner, or the id, has a wallet.
            ValueError: It is not empty: no transfer would explain its credits.
        """

    def find_wallet(self, wallet_id: str) -> Wallet:
        """Return a wallet as it is now, without locking it.

        Raises:
            WalletNotFoundError: No wallet has this id.
        """

    def find_wallet_of(self, owner_id: str) -> Wallet:
        """Return the owner's wallet, without locking it.

        Raises:
            WalletNotFoundError: The owner has none.
        """

    def find_wallets_of(self, owner_ids: Collection[str]) -> Mapping[str, Wallet]:
        """Return the wallets of these owners, by owner, without locking them."""

    def expired_holds(self, *, now: datetime, limit: int) -> Sequence[Hold]:
        """Return open holds whose time is over, oldest first."""

    def transfers_of(
        self, wallet_id: str, *, limit: int, before: tuple[datetime, str] | None = None
    ) -> Sequence[Transfer]:
        """Return a wallet's latest transfers beside those of calls, newest first.

        With an instant and a reference, only those before them.

        What calls cost is read from ``Calls``: there are thousands of them for each of these.
        """
