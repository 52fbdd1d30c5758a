"""An in-memory activity log."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from creditcore.domain.activity import Activity


@dataclass
class MemoryActivityLog:
    """Acts in a dictionary, by number."""

    table: dict[int, Activity]

    def add(self, activity: Activity) -> None:
        number = len(self.table) + 1
        self.table[number] = replace(
            activity,
            number=number,
            before=json.loads(json.dumps(activity.before)),
            after=json.loads(json.dumps(activity.after)),
        )

    def recent(
        self,
        *,
        limit: int,
        before: int | None = None,
        person_id: str | None = None,
        acts: Collection[str] = (),
    ) -> Sequence[Activity]:
        found = [
            activity
            for number, activity in self.table.items()
            if (before is None or number < before)
            and person_id in (None, activity.person_id)
            and (not acts or activity.act in acts)
        ]
        return found[::-1][:limit]
