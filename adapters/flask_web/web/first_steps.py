"""The first hour of a new account: four steps that tick themselves off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.flask_web.context import services
from creditcore.domain.keys import ApiKey
from creditcore.domain.limits import NO_LIMITS
from creditcore.domain.money import ZERO
from creditcore.ports.transactions import Transaction

SHOWN_FOR = timedelta(hours=24)
"""After its first call an account needs no guide, whatever it left out."""


@dataclass(frozen=True, slots=True)
class Guide:
    """How far a newcomer is."""

    has_key: bool
    has_credit: bool
    has_called: bool
    has_limits: bool

    @property
    def done(self) -> int:
        """How many of the four steps are."""
        return sum((self.has_key, self.has_credit, self.has_called, self.has_limits))

    @property
    def next_step(self) -> str:
        """The step that comes next; empty when all are done."""
        steps = (
            ("key", self.has_key),
            ("credit", self.has_credit),
            ("call", self.has_called),
            ("limits", self.has_limits),
        )
        return next((name for name, is_done in steps if not is_done), "")


def guide_of(tx: Transaction, wallet_id: str, keys: Iterable[ApiKey]) -> Guide | None:
    """Return the guide of an account, as long as it needs one."""
    first: datetime | None = tx.calls.first_began_at(wallet_id)
    if first is not None and services().clock.now() - first >= SHOWN_FOR:
        return None
    kept = list(keys)
    guide = Guide(
        has_key=bool(kept),
        has_credit=tx.ledger.find_wallet(wallet_id).available > ZERO,
        has_called=first is not None,
        has_limits=any(key.limits != NO_LIMITS or key.stop is not None for key in kept),
    )
    return guide if guide.next_step else None
