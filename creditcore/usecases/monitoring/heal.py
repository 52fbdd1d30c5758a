"""Mend what may be mended without asking: each time it is noted what was done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity
from creditcore.domain.errors import CreditcoreError
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import Commits, HasActivity
from creditcore.ports.transactions import Begins

Remedy = Callable[[], int]
"""Mends something, and returns how much; a repeat does no harm."""

_log = logging.getLogger(__name__)


class HealTransaction(HasActivity, Commits, Protocol):
    """What noting a repair writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heal:
    """Remedies by the check whose trouble they may end.

    A remedy is work that some worker does anyway: done now, rather than when its turn comes.
    """

    transactions: Begins[HealTransaction]
    clock: Clock
    remedies: Mapping[str, Remedy]

    def heal(self, failing: Collection[str]) -> Mapping[str, int]:
        """Apply the remedies of failing checks; return what each mended, where it did."""
        mended = {}
        for check in failing:
            remedy = self.remedies.get(check)
            if remedy is None:
                continue
            try:
                count = remedy()
            except CreditcoreError as error:
                _log.warning("%s cannot be mended: %s", check, error)
                continue
            if count:
                mended[check] = count
                self._note(check, count)
        return mended

    def _note(self, check: str, count: int) -> None:
        now = self.clock.now()
        with self.transactions.begin() as tx:
            tx.activity.add(
                Activity(
                    actor=SYSTEM,
                    act=Act.HEALED,
                    target=f"check:{check}",
                    after={"mended": count},
                    at=now,
                )
            )
            tx.commit()
