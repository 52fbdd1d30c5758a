"""Calls, to be read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.endings import ending_of, error_of
from creditcore.domain.errors import HoldNotFoundError
from creditcore.domain.holds import Call, Hold
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.runaway import MinuteSpend
from creditcore.ports.calls import ALL_CALLS, CallFilter, Place, WantedCalls
from creditcore.ports.usage_hours import NO_KEY, is_no_key, key_of
from creditcore.testing.memory_tables import MemoryTables, latest


def is_among(hold: Hold, which: CallFilter) -> bool:
    """Whether a call passes a filter."""
    call = hold.call or Call(model="")
    wanted = (which.key_id, which.model, which.endpoint, which.state, which.failed)
    found = (call.key_id, call.model, call.endpoint, hold.state, hold.outcome.error is not None)
    return (
        all(want is None or want == have for want, have in zip(wanted, found, strict=True))
        and (which.since is None or hold.created_at >= which.since)
        and (which.until is None or hold.created_at < which.until)
    )


@dataclass
class MemoryCalls:
    """Calls, to be read."""

    tables: MemoryTables

    def recent(self, wallet_id: str, *, limit: int) -> Sequence[Hold]:
        """Return a wallet's latest calls."""
        return self.page_of(wallet_id, limit=limit)

    def page_of(
        self,
        wallet_id: str,
        *,
        limit: int,
        which: CallFilter = ALL_CALLS,
        before: tuple[datetime, str] | None = None,
    ) -> Sequence[Hold]:
        """Return some of a wallet's calls."""
        found = [
            hold
            for hold in self.tables.holds.values()
            if hold.wallet_id == wallet_id and is_among(hold, which)
        ]
        return latest(found, lambda hold: (hold.created_at, hold.reference), limit, before)

    def spend_by_minute(
        self, wallet_id: str, counter_id: str, *, since: datetime, until: datetime
    ) -> Sequence[MinuteSpend]:
        secrets = {key.id for key in self.tables.keys.values() if key.counter_id == counter_id}
        found: dict[datetime, Credits] = {}
        for hold in self.tables.holds.values():
            is_its_own = hold.wallet_id == wallet_id and hold.call and hold.call.key_id in secrets
            if is_its_own and hold.charged and hold.closed_at and since <= hold.closed_at < until:
                minute = hold.closed_at.replace(second=0, microsecond=0)
                found[minute] = found.get(minute, ZERO) + hold.charged
        return [MinuteSpend(minute, found[minute]) for minute in sorted(found)]

    def older(
        self, wanted: WantedCalls, *, than: Place | None = None, limit: int
    ) -> Sequence[Hold]:
        found = [hold for hold in self._wanted(wanted) if than is None or _place(hold) < than]
        return found[:limit]

    def newer(self, wanted: WantedCalls, *, than: Place, limit: int) -> Sequence[Hold]:
        return [hold for hold in self._wanted(wanted) if _place(hold) > than][-limit:]

    def began_back(
        self, wallet_id: str, *, calls: int, than: Place | None = None
    ) -> datetime | None:
        began = sorted(
            hold.created_at
            for hold in self.tables.holds.values()
            if hold.wallet_id == wallet_id and (than is None or hold.created_at < than.created_at)
        )
        return began[-1 - calls] if calls < len(began) else None

    def first_began_at(self, wallet_id: str) -> datetime | None:
        mine = [hold for hold in self.tables.holds.values() if hold.wallet_id == wallet_id]
        return min((hold.created_at for hold in mine), default=None)

    def _wanted(self, wanted: WantedCalls) -> list[Hold]:
        found = [hold for hold in self.tables.holds.values() if _is_wanted(hold, wanted)]
        return sorted(found, key=_place, reverse=True)

    def find(self, reference: str, *, wallet_id: str) -> Hold:
        hold = self.tables.holds.get(reference)
        if hold is None or hold.wallet_id != wallet_id:
            raise HoldNotFoundError(reference)
        return hold

    def find_all(self, references: Collection[str]) -> Mapping[str, Hold]:
        holds = self.tables.holds
        return {name: holds[name] for name in references if name in holds}

    def closed_after(
        self, closed_at: datetime, reference: str, *, before: datetime, limit: int
    ) -> Sequence[Hold]:
        ended = [
            (hold.closed_at, hold.reference)
            for hold in self.tables.holds.values()
            if hold.closed_at is not None
        ]
        wanted = sorted(end for end in ended if (closed_at, reference) < end < (before, ""))
        return [self.tables.holds[name] for _, name in wanted[:limit]]


def _place(hold: Hold) -> Place:
    return Place(hold.created_at, hold.reference)


def _is_wanted(hold: Hold, wanted: WantedCalls) -> bool:
    call = hold.call
    ended = wanted.ended
    at = hold.closed_at or hold.created_at
    return (
        hold.wallet_id == wanted.wallet_id
        and (
            wanted.key_id in {None, key_of(hold)}
            or (wanted.key_id == NO_KEY and is_no_key(key_of(hold)))
        )
        and wanted.model in {None, call.model if call else None}
        and wanted.ending in {None, ending_of(hold)}
        and (not wanted.error or wanted.error == error_of(hold))
        and hold.charged >= wanted.at_least
        and (ended is None or ended.since <= at < ended.until)
        and (wanted.began_from is None or hold.created_at >= wanted.began_from)
        and hold.reference.startswith(wanted.search)
    )
