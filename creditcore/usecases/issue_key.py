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

    def issue(
        self, owner_id: str, *, name: str, lifetime: timedelta | None = None
    ) -> tuple[ApiKey, KeySecret]:
        """Make a key that spends from the owner's wallet; each call makes another.

        The secret is returned here and nowhere else.

        Raises:
            InvalidRequestError: The name is empty, too long or unprintable.
            WalletNotFoundError: The owner has no wallet.
        """
        name = _clean_name(name)
        secret = KeySecret.generate(secrets.choice)
        now = self.clock.now()
        with self.transactions.begin() as tx:
            key = ApiKey(
                id=self.ids.new(),
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
