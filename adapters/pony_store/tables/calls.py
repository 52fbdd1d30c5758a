"""Calls, read from ``usage_logs``; the ledger writes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from creditcore.domain.endings import Ending
from creditcore.domain.errors import HoldNotFoundError
from creditcore.domain.holds import Hold
from creditcore.domain.money import Credits
from creditcore.domain.runaway import MinuteSpend
from creditcore.ports.calls import ALL_CALLS, CallFilter, Place, WantedCalls
from creditcore.ports.usage_hours import NO_KEY, member_without_key

from ..instants import instant, micros
from ..session import Session
from .endings import CONDITIONS, ERROR
from .holds import hold_from_row
from .ledger import SELECT_HOLDS

_A_DAY = timedelta(days=1)
_END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
_MAX_CALL_TIME = timedelta(hours=3)
_MINUTE_US = 60_000_000


class PonyCalls:
    """Inference calls of a wallet: each is the hold that was made for it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def recent(self, wallet_id: str, *, limit: int) -> Sequence[Hold]:
        return self.page_of(wallet_id, limit=limit)

    def page_of(
        self,
        wallet_id: str,
        *,
        limit: int,
        which: CallFilter = ALL_CALLS,
        before: tuple[datetime, str] | None = None,
    ) -> Sequence[Hold]:
        conditions: list[tuple[str, tuple[object, ...]]] = [("wallet_id = ?", (wallet_id,))]
        conditions += [
            (f"{column} = ?", (wanted,))
            for column in ("key_id", "model", "endpoint")
            if (wanted := getattr(which, column)) is not None
        ]
        if which.state is not None:
            conditions.append(("state = ?", (str(which.state),)))
        if which.failed is not None:
            conditions.append((f"error IS {'NOT ' if which.failed else ''}NULL", ()))
        if which.since is not None:
            conditions.append(("created_at >= ?", (micros(which.since),)))
        if which.until is not None:
            conditions.append(("created_at < ?", (micros(which.until),)))
        if before is not None:
            conditions.append(("(created_at, id) < (?, ?)", (micros(before[0]), before[1])))
        rows = self._session.rows(
            f"{SELECT_HOLDS} WHERE {' AND '.join(text for text, _ in conditions)}"
            " ORDER BY created_at DESC, id DESC LIMIT ?",
            [*(value for _, values in conditions for value in values), limit],
        )
        return [hold_from_row(row) for row in rows]

    def spend_by_minute(
        self, wallet_id: str, counter_id: str, *, since: datetime, until: datetime
    ) -> list[MinuteSpend]:
        rows = self._session.rows(
            f"SELECT closed_at / {_MINUTE_US} AS minute, SUM(charge) AS charged FROM usage_logs"
            " WHERE wallet_id = ? AND key_id IN"
            " (SELECT id FROM virtual_keys WHERE wallet_id = ? AND (id = ? OR family = ?))"
            # Found by when they began: none runs so long.
            " AND created_at >= ? AND closed_at >= ? AND closed_at < ? AND charge > 0"
            f" GROUP BY closed_at / {_MINUTE_US} ORDER BY 1",
            (
                *(wallet_id, wallet_id, counter_id, counter_id),
                *(micros(since - _MAX_CALL_TIME), micros(since), micros(until)),
            ),
        )
        return [
            MinuteSpend(instant(row.minute * _MINUTE_US), Credits(int(row.charged))) for row in rows
        ]

    def older(
        self, wanted: WantedCalls, *, than: Place | None = None, limit: int
    ) -> Sequence[Hold]:
        return self._page(wanted, "<", than, "DESC", limit)

    def newer(self, wanted: WantedCalls, *, than: Place, limit: int) -> Sequence[Hold]:
        return self._page(wanted, ">", than, "ASC", limit)[::-1]

    def began_back(
        self, wallet_id: str, *, calls: int, than: Place | None = None
    ) -> datetime | None:
        # By the beginning alone, which the index has: two calls of one microsecond may swap.
        until = _END_OF_TIME if than is None else than.created_at
        rows = self._session.rows(
            "SELECT created_at FROM usage_logs WHERE wallet_id = ? AND created_at < ?"
            " ORDER BY created_at DESC LIMIT 1 OFFSET ?",
            (wallet_id, micros(until), calls),
        )
        return instant(rows[0].created_at) if rows else None

    def first_began_at(self, wallet_id: str) -> datetime | None:
        [row] = self._session.rows(
            "SELECT MIN(created_at) AS first FROM usage_logs WHERE wallet_id = ?", (wallet_id,)
        )
        return None if row.first is None else instant(row.first)

    def _page(
        self, wanted: WantedCalls, beyond: str, place: Place | None, order: str, limit: int
    ) -> list[Hold]:
        conditions, values = _conditions(wanted)
        if place is not None:
            # Rows are compared as a whole, which both databases do by their index.
            conditions.append(f"(created_at, id) {beyond} (?, ?)")
            values += [micros(place.created_at), place.reference]
        rows = self._session.rows(
            f"{SELECT_HOLDS} WHERE {' AND '.join(conditions)}"
            f" ORDER BY created_at {order}, id {order} LIMIT ?",
            (*values, limit),
        )
        return [hold_from_row(row) for row in rows]

    def find(self, reference: str, *, wallet_id: str) -> Hold:
        rows = self._session.rows(
            f"{SELECT_HOLDS} WHERE id = ? AND wallet_id = ?", (reference, wallet_id)
        )
        if not rows:
            raise HoldNotFoundError(reference)
        return hold_from_row(rows[0])

    def find_all(self, references: Collection[str]) -> Mapping[str, Hold]:
        rows = self._session.rows_in(f"{SELECT_HOLDS} WHERE id IN ({{names}})", sorted(references))
        return {row.id: hold_from_row(row) for row in rows}

    def closed_after(
        self, closed_at: datetime, reference: str, *, before: datetime, limit: int
    ) -> Sequence[Hold]:
        rows = self._session.rows(
            f"{SELECT_HOLDS} WHERE closed_at >= ? AND closed_at < ?"
            " AND (closed_at > ? OR id > ?) ORDER BY closed_at, id LIMIT ?",
            (micros(closed_at), micros(before), micros(closed_at), reference, limit),
        )
        return [hold_from_row(row) for row in rows]


def _condition_on_key(key_id: str) -> tuple[str, ...]:
    if member_id := member_without_key(key_id):
        return "key_id IS NULL AND member_id = ?", member_id
    return ("key_id IS NULL",) if key_id == NO_KEY else ("key_id = ?", key_id)


def _conditions(wanted: WantedCalls) -> tuple[list[str], list[object]]:
    conditions: list[str] = ["wallet_id = ?"]
    values: list[object] = [wanted.wallet_id]

    def add(condition: str, *more: object) -> None:
        conditions.append(condition)
        values.extend(more)

    if wanted.key_id is not None:
        add(*_condition_on_key(wanted.key_id))
    if wanted.model is not None:
        add("model = ?", wanted.model)
    if wanted.ending is not None:
        add(CONDITIONS[wanted.ending])
    if wanted.error:
        add(f"{CONDITIONS[Ending.FAILED]} AND {ERROR} = ?", wanted.error)
    if wanted.at_least:
        add("charge >= ?", wanted.at_least.microcredits)
    if wanted.ended is not None:
        since, until = micros(wanted.ended.since), micros(wanted.ended.until)
        add(
            "created_at < ? AND ((closed_at >= ? AND closed_at < ?)"
            " OR (state = 'open' AND created_at >= ?))",
            *(until, since, until, since),
        )
    if wanted.began_from is not None:
        add("created_at >= ?", micros(wanted.began_from))
    if wanted.search:
        # Ids are compared by their bytes: what begins so stands between these two.
        add("id >= ? AND id < ?", wanted.search, f"{wanted.search}\U0010ffff")
    return conditions, values
