"""Issue and revoke virtual API keys."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.keys import ApiKey, KeySecret
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.transactions import Transactions

MAX_NAME_LENGTH = 64

MAX_KEYS = 100
"""Keys of one owner that are not revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKey:
    """Give an owner keys, and take them away.

    Attributes:
        pepper: The server's secret under which keys are hashed.
    """

    transactions: Transactions
    clock: Clock
    ids: Ids
    pepper: bytes

    def new_id(self) -> str:
        """Return an id for a key that is yet to be made."""
        return self.ids.new()

    def issue(
        self,
        owner_id: str,
        *,
        name: str,
        lifetime: timedelta | None = None,
        key_id: str | None = None,
    ) -> tuple[ApiKey, KeySecret]:
        """Make a key that spends from the owner's wallet.

        The secret is returned here and nowhere else. Each call makes another key, unless
        the caller names it: then a repeat is refused.

        Args:
            owner_id: Whose key it is.
            name: What its owner calls it.
            lifetime: How long it works; for ever if None.
            key_id: A name from ``new_id``, where the same request may arrive twice.

        Raises:
            InvalidRequestError: The name is empty, too long or unprintable, the owner is
                blocked, or has ``MAX_KEYS`` already.
            ReferenceConflictError: The key with this id was made already.
            WalletNotFoundError: The owner has no wallet.
        """
        name = _clean_name(name)
        secret = KeySecret.generate(secrets.choice)
        now = self.clock.now()
        with self.transactions.begin() as tx:
            # Locked, so that blocking them either comes first or finds this key too.
            owner = tx.people.lock(owner_id)
            if owner is not None and owner.blocked:
                raise InvalidRequestError("This account is blocked.")
            # Counted under the same lock, so that two requests cannot both be the last.
            kept = sum(key.revoked_at is None for key in tx.keys.list_of(owner_id))
            if kept >= MAX_KEYS:
                raise InvalidRequestError(
                    f"An account has {MAX_KEYS} keys at most. Revoke one that is not used."
                )
            key = ApiKey(
                id=key_id or self.new_id(),
                wallet_id=tx.ledger.find_wallet_of(owner_id).id,
                owner_id=owner_id,
                name=name,
                prefix=secret.shown_prefix,
                last_four=secret.last_four,
                key_hash=secret.hash(self.pepper),
                created_at=now,
                expires_at=None if lifetime is None else now + lifetime,
            )
            tx.keys.add(key)
            tx.commit()
        return key, secret

    def revoke(self, key_id: str, *, owner_id: str) -> ApiKey:
        """Refuse a key from the next request on; a repeat changes nothing.

        Raises:
            ApiKeyNotFoundError: The owner has no such key.
        """
        with self.transactions.begin() as tx:
            key = tx.keys.lock(key_id, owner_id=owner_id).revoke(at=self.clock.now())
            tx.keys.save(key)
            tx.commit()
        return key


def _clean_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidRequestError(
            f"A key's name has 1 to {MAX_NAME_LENGTH} printable characters.", param="name"
        )
    return name
