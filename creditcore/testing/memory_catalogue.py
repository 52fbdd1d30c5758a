"""An in-memory catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.catalogue import ListedModel, PastPrice, PriceChange, PriceRule
from creditcore.domain.errors import ReferenceConflictError


@dataclass
class MemoryCatalogue:
    """Lists and rules in memory, where there is one writer at a time anyway."""

    models: dict[str, ListedModel]
    rules_by_id: dict[str, PriceRule]
    changes: dict[int, PastPrice]
    times: dict[str, datetime]

    def lock(self) -> None:
        """Do nothing: the transaction is the only one."""

    def listed(self) -> Sequence[ListedModel]:
        return sorted(self.models.values(), key=lambda each: each.model)

    def listed_at(self) -> datetime | None:
        return self.times.get("listed")

    def keep_listed(self, models: Sequence[ListedModel], *, at: datetime) -> None:
        self.times["listed"] = at
        self.models.clear()
        self.models.update({each.model: each for each in models})

    def rules(self) -> Sequence[PriceRule]:
        by_id = sorted(self.rules_by_id.values(), key=lambda rule: rule.id)
        return sorted(by_id, key=lambda rule: rule.created_at, reverse=True)

    def add_rule(self, rule: PriceRule) -> None:
        if rule.id in self.rules_by_id:
            raise ReferenceConflictError(rule.id)
        self.rules_by_id[rule.id] = rule

    def save_rule(self, rule: PriceRule) -> None:
        self.rules_by_id[rule.id] = rule

    def note(self, changed: Sequence[PriceChange], *, at: datetime) -> None:
        for each in changed:
            number = len(self.changes) + 1
            self.changes[number] = PastPrice(model=each.model, price=each.after, at=at)

    def history(self, model: str, *, limit: int) -> Sequence[PastPrice]:
        return [each for each in self.changes.values() if each.model == model][::-1][:limit]
