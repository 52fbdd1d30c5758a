"""Refused calls, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.refusals import RefusedCall
from creditcore.domain.usage_hours import HOUR
from creditcore.ports.calls import ALL_CALLS, CallFilter, Place


@dataclass
class MemoryRefusedCalls:
    """Refused calls by their id."""

    rows: dict[str, RefusedCall]

    def add(self, call: RefusedCall) -> None:
        self.rows.setdefault(call.reference, call)

    def keep_latest(self, wallet_id: str, hour: datetime, *, most: int) -> None:
        of_hour = [row for row in self._of(wallet_id) if hour <= row.at < hour + HOUR]
        for row in sorted(of_hour, key=_place, reverse=True)[most:]:
            del self.rows[row.reference]

    def older(
        self,
        wallet_id: str,
        *,
        than: Place | None = None,
        limit: int,
        which: CallFilter = ALL_CALLS,
    ) -> Sequence[RefusedCall]:
        found = [
            row
            for row in self._of(wallet_id)
            if (than is None or _place(row) < than) and _is_among(row, which)
        ]
        return sorted(found, key=_place, reverse=True)[:limit]

    def find(self, reference: str, *, wallet_id: str) -> RefusedCall | None:
        row = self.rows.get(reference)
        return row if row is not None and row.wallet_id == wallet_id else None

    def forget(self, *, before: datetime, limit: int) -> int:
        old = sorted((row for row in self.rows.values() if row.at < before), key=_place)[:limit]
        for row in old:
            del self.rows[row.reference]
        return len(old)

    def _of(self, wallet_id: str) -> list[RefusedCall]:
        return [row for row in self.rows.values() if row.wallet_id == wallet_id]


def _place(row: RefusedCall) -> Place:
    return Place(row.at, row.reference)


def _is_among(row: RefusedCall, which: CallFilter) -> bool:
    return (
        which.key_id in {None, row.key_id}
        and which.model in {None, row.model}
        and which.endpoint in {None, row.endpoint}
        and (which.since is None or which.since <= row.at)
        and (which.until is None or row.at < which.until)
    )
