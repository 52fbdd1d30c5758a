"""Keep on the server what belongs to a visitor who is away at Google or GitHub."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from creditcore.domain.errors import SealBrokenError
from creditcore.domain.sessions import new_secret, secret_hash
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import Commits, HasFlows
from creditcore.ports.transactions import Begins
from creditcore.ports.vault import Vault

LIFETIME = timedelta(minutes=10)
"""The states of Supabase Auth live for five."""

_FORGOTTEN_AT_ONCE = 100


class KeepFlowsTransaction(HasFlows, Commits, Protocol):
    """What keeping flows reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepFlows:
    """Bind a flow to the browser that began it: what it needs to go on never leaves the server."""

    transactions: Begins[KeepFlowsTransaction]
    clock: Clock
    vault: Vault

    def keep(self, secret: bytes) -> str:
        """Keep it for ten minutes; return what the browser is given to come back with."""
        token = new_secret()
        name = secret_hash(token)
        now = self.clock.now()
        sealed = self.vault.seal(secret, context=f"flow:{name.hex()}")
        with self.transactions.begin() as tx:
            tx.flows.forget(expired_before=now, limit=_FORGOTTEN_AT_ONCE)
            tx.flows.add(name, sealed, expires_at=now + LIFETIME)
            tx.commit()
        return token

    def take(self, token: str) -> bytes | None:
        """Return what was kept, once; None where nothing is, or not any more."""
        name = secret_hash(token)
        with self.transactions.begin() as tx:
            sealed = tx.flows.take(name, now=self.clock.now())
            tx.commit()
        if sealed is None:
            return None
        with suppress(SealBrokenError):
            return self.vault.open(sealed, context=f"flow:{name.hex()}")
        return None
