"""Check every stored row against the invariants of the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.ports.audit import Breach
from creditcore.ports.transactions import AuditTransaction, Begins

INVARIANTS = {
    "I1": "a wallet's posted balance is the sum of its transfers",
    "I2": "a wallet's held amount is the sum of its open holds",
    "I3": "held is between zero and posted",
    "I4": "a reference moves credits at most once",
    "I5": "a hold leaves the open state once, in the commit that charges it",
    "I6": "a charge is between zero and its hold; cost beyond it is written off",
    "I7": "no call ran without a hold",
    "I8": "what was acknowledged is there",
    "I9": "a wallet owes what was reversed and is not paid off, and spends nothing meanwhile",
    "I10": "refunds reverse what their purchase granted, and no more",
    "I11": "usage by the hour adds up to the charges of the ledger",
    "I12": "what limited keys and accounts have used is what their calls held and were charged",
}

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found.

    Attributes:
        counts: How many rows of each kind were looked at.
        breaches: By invariant; at most a hundred each.
    """

    counts: dict[str, int]
    breaches: dict[str, tuple[Breach, ...]]

    @property
    def clean(self) -> bool:
        """Whether nothing contradicts anything."""
        return not any(self.breaches.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditBooks:
    """Let the stored books prove themselves. Reads only; safe while calls are running."""

    transactions: Begins[AuditTransaction]

    def audit(self) -> Report:
        """Return what contradicts the invariants, as of one instant."""
        with self.transactions.begin() as tx:
            breaches = {
                invariant: tuple(tx.audit.breaches(invariant, limit=_SHOWN))
                for invariant in INVARIANTS
            }
            counts = tx.audit.counts()
        return Report(counts, breaches)
