"""Tell whose key a client is holding, for reading what belongs to its wallet."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.errors import KeyRefusedError
from creditcore.domain.keys import ApiKey, KeySecret
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasKeys
from creditcore.ports.transactions import Begins


@dataclass(frozen=True, slots=True, kw_only=True)
class RecogniseKey:
    """Look a key up. Spending does this on its own, in the transaction that holds credits."""

    transactions: Begins[HasKeys]
    clock: Clock
    pepper: bytes

    def recognise(self, secret: KeySecret) -> ApiKey:
        """Return the key.

        Raises:
            KeyRefusedError: Unknown, revoked or expired.
        """
        with self.transactions.begin() as tx:
            key = tx.keys.find_by_hash(secret.hash(self.pepper))
        if key is None:
            raise KeyRefusedError("unknown")
        return key.usable(now=self.clock.now())
