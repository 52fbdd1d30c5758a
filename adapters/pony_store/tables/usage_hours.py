"""``usage_hourly``: what was used, by wallet, hour, key and model; rolled up from ``usage_logs``.

Histograms are bytes rather than arrays: SQLite has no arrays, and a page adds thousands of
them as integers. ``usage_wallet_hours`` has the same histograms added up over keys and models:
a page of half a year reads a row for each hour, and not one for each key and model in it.
``usage_rollup`` has one row that says how far the roll-up has come. Each
answer is one statement over rows and calls, so it sees both at one instant: no call is
counted twice, and none is left out. It is longer than other modules because each statement
stands whole in the method that runs it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.money import div_floor
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import (
    BOUNDS_MS,
    BUCKETS,
    FIGURES,
    HOUR,
    NOTHING_MEASURED,
    NOTHING_TIMED,
    SPEED_FROM_TOKENS,
    Histogram,
    Tally,
    Timing,
    hour_of,
)
from creditcore.ports.usage_hours import LastUse, RefusalCount, Share, Step, UsageOf, timing_by_span

from ..instants import instant, micros
from ..session import Session, chunks, flat, tuples
from .endings import CANCELLED, DONE, FAILED

_HOUR_MICROS = 3_600_000_000
_MARGIN_MICROS = 15 * 60 * 1_000_000
_ROWS_PER_STATEMENT = 500

COUNTED_FROM_CALLS = tuple(name for name in FIGURES if not name.startswith("refused_"))
_REFUSALS = tuple(name for name in FIGURES if name.startswith("refused_"))

_HOUR = f"closed_at / {_HOUR_MICROS} * {_HOUR_MICROS}"

# Each says of a call what the domain's tally_of() says of its hold.
_STREAMED = f"""(model IS NOT NULL AND stream AND first_byte_ms IS NOT NULL
    AND COALESCE(completion_tokens, 0) >= {SPEED_FROM_TOKENS}
    AND latency_ms > first_byte_ms AND {DONE})"""
_FIGURE: dict[str, str] = {
    "calls": "1",
    "failed": f"CASE WHEN {FAILED} THEN 1 ELSE 0 END",
    "cancelled": f"CASE WHEN {CANCELLED} THEN 1 ELSE 0 END",
    "prompt_tokens": "COALESCE(prompt_tokens, 0)",
    "cached_tokens": "COALESCE(cached_tokens, 0)",
    "cache_write_tokens": "COALESCE(cache_write_tokens, 0)",
    "completion_tokens": "COALESCE(completion_tokens, 0)",
    "reasoning_tokens": "COALESCE(reasoning_tokens, 0)",
    "charge": "charge",
    "written_off": "written_off",
    "provider_cost_picodollars": "provider_cost_picodollars",
    "streamed_tokens": f"CASE WHEN {_STREAMED} THEN completion_tokens ELSE 0 END",
    "streaming_ms": f"CASE WHEN {_STREAMED} THEN latency_ms - first_byte_ms ELSE 0 END",
}


def _bucket(column: str) -> str:
    whens = " ".join(f"WHEN {column} <= {most} THEN {at}" for at, most in enumerate(BOUNDS_MS))
    return f"CASE {whens} ELSE {BUCKETS - 1} END"


_LATENCY = f"CASE WHEN {DONE} AND latency_ms > 0 THEN {_bucket('latency_ms')} END"
_FIRST_BYTE = f"""CASE WHEN {DONE} AND model IS NOT NULL AND stream AND first_byte_ms IS NOT NULL
    THEN {_bucket("first_byte_ms")} END"""

_KEY_AND_MODEL = "COALESCE(key_id, '') AS key_id, COALESCE(model, '') AS model"
SUMS_OF_CALLS = ", ".join(
    f"CAST(SUM({_FIGURE[name]}) AS BIGINT) AS {name}" for name in COUNTED_FROM_CALLS
)
_IDENTITY = ("wallet_id", "hour", "key_id", "model")
_COLUMNS = (*_IDENTITY, *FIGURES, "oldest_created_at", "latency_hist", "first_byte_hist")
ROLLED_UNTIL = "COALESCE((SELECT rolled_until FROM usage_rollup WHERE id = 1), 0)"
"""Up to when calls are counted in rows, as part of a statement."""

_LIVE = f"""state <> 'open'
    AND created_at >= COALESCE((SELECT created_from FROM usage_rollup WHERE id = 1), 0)
    AND closed_at >= {ROLLED_UNTIL}"""
"""Calls that no row counts yet. All of them began after ``created_from``, also where the
clocks of two hosts differ by minutes, and those of one wallet are found by that."""

_LIVE_FIGURES = ", ".join(f"{_FIGURE.get(name, '0')} AS {name}" for name in FIGURES)
ALL_CALLS_BY_SPAN = f"""
    SELECT span, u.model, {", ".join(f"u.{name} AS {name}" for name in FIGURES)}
    FROM spans JOIN usage_hourly u ON u.hour >= since AND u.hour < until
    UNION ALL
    SELECT span, COALESCE(model, ''), {_LIVE_FIGURES}
    FROM usage_logs JOIN spans ON closed_at >= since AND closed_at < until
    WHERE state <> 'open' AND closed_at >= {ROLLED_UNTIL}
"""
"""What calls of all wallets count for, where ``spans`` has numbered stretches of time."""

_Identity = tuple[str, int, str, str]


class PonyUsageHours:
    """Figures of calls by wallet, hour, key and model."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def rolled_until(self) -> datetime:
        [row] = self._session.rows(f"SELECT {ROLLED_UNTIL} AS rolled_until")
        return instant(row.rolled_until)

    def roll_up(self, *, until: datetime) -> Step:
        session, end = self._session, micros(until)
        begin = self._lock_state()
        # What nobody used is skipped: after a standstill, and before the first call of all.
        [row] = session.rows(
            "SELECT MIN(closed_at) AS first FROM usage_logs WHERE closed_at >= ?", (begin,)
        )
        first = end if row.first is None else row.first
        end = max(begin, min(end, (div_floor(first, _HOUR_MICROS) + 1) * _HOUR_MICROS))
        counted = self._count("closed_at >= ? AND closed_at < ?", (begin, end))
        self._merge(counted)
        [open_ones] = session.rows(
            "SELECT MIN(created_at) AS first FROM usage_logs WHERE state = 'open'"
        )
        [later] = session.rows(
            "SELECT MIN(created_at) AS first FROM usage_logs WHERE closed_at >= ?", (end,)
        )
        begun = (row.first for row in (open_ones, later) if row.first is not None)
        created_from = min(end, *begun, end) - _MARGIN_MICROS
        session.change(
            "UPDATE usage_rollup SET rolled_until = ?, created_from = ? WHERE id = 1",
            (end, created_from),
        )
        return Step(instant(end), sum(tally.calls for tally, _, _ in counted.values()))

    def recount(self, hour: datetime) -> int:
        rolled_until = self._lock_state()
        begin = micros(hour_of(hour))
        end = min(begin + _HOUR_MICROS, rolled_until)
        if end <= begin:
            return 0
        session = self._session
        nothing = ", ".join(f"{name} = 0" for name in COUNTED_FROM_CALLS)
        session.change(
            f"UPDATE usage_hourly SET {nothing}, oldest_created_at = NULL,"
            " latency_hist = ?, first_byte_hist = ? WHERE hour = ?",
            (b"", b"", begin),
        )
        session.change("DELETE FROM usage_wallet_hours WHERE hour = ?", (begin,))
        counted = self._count("closed_at >= ? AND closed_at < ?", (begin, end))
        self._merge(counted)
        unused = " AND ".join(f"{name} = 0" for name in ("calls", *_REFUSALS))
        session.change(f"DELETE FROM usage_hourly WHERE hour = ? AND {unused}", (begin,))
        return sum(tally.calls for tally, _, _ in counted.values())

    def differing_hours(self, span: Span, *, limit: int) -> Sequence[datetime]:
        names = ("calls", "charge", "written_off")
        stored = ", ".join(f"SUM({name}) AS {name}" for name in names)
        minus = ", ".join(f"-SUM({_FIGURE[name]}) AS {name}" for name in names)
        differs = " OR ".join(f"SUM({name}) <> 0" for name in names)
        rows = self._session.rows(
            f"""
            SELECT hour FROM (
                SELECT wallet_id, hour, {stored} FROM usage_hourly
                WHERE hour >= ? AND hour < ? GROUP BY wallet_id, hour
                UNION ALL
                SELECT wallet_id, {_HOUR} AS hour, {minus} FROM usage_logs
                WHERE closed_at >= ? AND closed_at < ?
                  AND closed_at < {ROLLED_UNTIL}
                GROUP BY wallet_id, {_HOUR}
            ) AS both_sides
            GROUP BY wallet_id, hour HAVING {differs} ORDER BY hour LIMIT ?
            """,
            (*self._whole_hours(span), *self._whole_hours(span), limit),
        )
        return [instant(hour) for hour in sorted({row.hour for row in rows})]

    def add_refusals(self, counts: Sequence[RefusalCount]) -> None:
        added: dict[_Identity, tuple[Tally, int | None, Timing]] = {}
        for count in counts:
            name = (count.wallet_id, micros(count.hour), count.key_id, count.model)
            tally = Tally(**{kind: getattr(count, kind) for kind in _REFUSALS})
            before = added[name][0] if name in added else Tally()
            added[name] = (before + tally, None, NOTHING_MEASURED)
        self._merge(added)

    def shares(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[Share]:
        if not spans:
            return []
        narrowed, values = _narrowed(whose)
        stored = ", ".join(f"u.{name} AS {name}" for name in FIGURES)
        sums = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in FIGURES)
        rows = self._session.rows(
            f"""
            WITH spans AS (SELECT column1 AS span, column2 AS since, column3 AS until
                           FROM (VALUES {tuples(span_marks(spans))}) AS given)
            SELECT span, key_id, model, MIN(oldest) AS oldest, {sums} FROM (
                SELECT span, u.key_id, u.model, u.oldest_created_at AS oldest, {stored}
                FROM spans JOIN usage_hourly u ON u.hour >= since AND u.hour < until
                WHERE u.wallet_id = ? {narrowed}
                UNION ALL
                SELECT span, {_KEY_AND_MODEL}, created_at AS oldest, {_LIVE_FIGURES}
                FROM usage_logs JOIN spans ON closed_at >= since AND closed_at < until
                WHERE wallet_id = ? AND {_LIVE} {_narrowed_calls(narrowed)}
            ) AS used
            GROUP BY span, key_id, model
            """,
            (*flat(span_marks(spans)), whose.wallet_id, *values, whose.wallet_id, *values),
        )
        return [
            Share(
                row.span,
                row.key_id,
                row.model,
                _tally(row),
                None if row.oldest is None else instant(row.oldest),
            )
            for row in rows
        ]

    def timings(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[Timing]:
        if not spans:
            return []
        narrowed, values = _narrowed(whose)
        is_all = whose.key_id is None and whose.model is None
        hours = "usage_wallet_hours" if is_all else "usage_hourly"
        has_calls = "" if is_all else " AND u.calls > 0"
        # Each kind of row has its own columns: histograms of hours, buckets of single calls.
        rows = self._session.records(
            f"""
            WITH spans AS (SELECT column1 AS span, column2 AS since, column3 AS until
                           FROM (VALUES {tuples(span_marks(spans))}) AS given)
            SELECT span, latency_hist, first_byte_hist, NULL, NULL
            FROM spans JOIN {hours} u ON u.hour >= since AND u.hour < until
            WHERE u.wallet_id = ?{has_calls} {narrowed}
            UNION ALL
            SELECT span, NULL, NULL, {_LATENCY}, {_FIRST_BYTE}
            FROM usage_logs JOIN spans ON closed_at >= since AND closed_at < until
            WHERE wallet_id = ? AND {_LIVE} {_narrowed_calls(narrowed)}
            """,
            (*flat(span_marks(spans)), whose.wallet_id, *values, whose.wallet_id, *values),
        )
        latency: defaultdict[int, int] = defaultdict(int)
        first_byte: defaultdict[int, int] = defaultdict(int)
        for span, packed_latency, packed_first_byte, latency_bucket, first_byte_bucket in rows:
            # Lanes are added as integers here: there are thousands of rows.
            latency[span] += _lanes(packed_latency, latency_bucket)
            first_byte[span] += _lanes(packed_first_byte, first_byte_bucket)
        found = {
            span: Timing(Histogram(latency[span]), Histogram(first_byte[span])) for span in latency
        }
        return timing_by_span(found, spans)

    def last_uses(self, wallet_id: str) -> Mapping[str, LastUse]:
        rows = self._session.rows(
            f"""
            SELECT key_id, MAX(hour) AS hour, MAX(model) AS model FROM (
                SELECT u.key_id, u.hour, u.model FROM usage_hourly u
                JOIN (SELECT key_id, MAX(hour) AS hour FROM usage_hourly
                      WHERE wallet_id = ? AND calls > 0 GROUP BY key_id) AS latest
                  ON latest.key_id = u.key_id AND latest.hour = u.hour
                WHERE u.wallet_id = ? AND u.calls > 0
                UNION ALL
                SELECT COALESCE(key_id, ''), {_HOUR}, COALESCE(model, '')
                FROM usage_logs WHERE wallet_id = ? AND {_LIVE}
            ) AS used GROUP BY key_id, hour ORDER BY hour
            """,
            (wallet_id, wallet_id, wallet_id),
        )
        # The latest comes last, and stays.
        return {row.key_id: LastUse(instant(row.hour), row.model) for row in rows}

    def _lock_state(self) -> int:
        # The row is made by whoever comes first; it is locked either way.
        self._session.change(
            "INSERT INTO usage_rollup (id, rolled_until, created_from) VALUES (1, 0, 0)"
            " ON CONFLICT DO NOTHING"
        )
        [state] = self._session.rows(
            "SELECT rolled_until FROM usage_rollup WHERE id = 1" + self._session.engine.row_lock
        )
        return int(state.rolled_until)

    @staticmethod
    def _whole_hours(span: Span) -> tuple[int, int]:
        end = hour_of(span.until)
        return micros(hour_of(span.since)), micros(end if end == span.until else end + HOUR)

    def _count(
        self, which: str, values: Sequence[object]
    ) -> dict[_Identity, tuple[Tally, int | None, Timing]]:
        """Return what some calls come to, by row."""
        session = self._session
        identity = f"wallet_id, {_HOUR} AS hour, {_KEY_AND_MODEL}"
        rows = session.rows(
            f"SELECT {identity}, MIN(created_at) AS oldest, {SUMS_OF_CALLS}"
            f" FROM usage_logs WHERE {which} GROUP BY 1, 2, 3, 4",
            values,
        )
        buckets = session.rows(
            f"SELECT {identity}, {_LATENCY} AS latency, {_FIRST_BYTE} AS first_byte,"
            f" COUNT(*) AS calls FROM usage_logs WHERE {which} GROUP BY 1, 2, 3, 4, 5, 6",
            values,
        )
        timings: defaultdict[_Identity, Timing] = defaultdict(Timing)
        for row in buckets:
            timings[_identity(row)] += Timing(
                _counted(row.latency, row.calls), _counted(row.first_byte, row.calls)
            )
        return {_identity(row): (_tally(row), row.oldest, timings[_identity(row)]) for row in rows}

    def _merge(self, counted: Mapping[_Identity, tuple[Tally, int | None, Timing]]) -> None:
        """Add to the rows there are, and make those there are not."""
        stored = self._timings_of(counted)
        adding = ", ".join(f"{name} = usage_hourly.{name} + excluded.{name}" for name in FIGURES)
        older = """CASE WHEN usage_hourly.oldest_created_at IS NULL
                          OR excluded.oldest_created_at < usage_hourly.oldest_created_at
                        THEN excluded.oldest_created_at ELSE usage_hourly.oldest_created_at END"""
        values = []
        for name, (tally, oldest, timing) in sorted(counted.items(), key=lambda item: item[0]):
            whole = stored.get(name, NOTHING_MEASURED) + timing
            figures = (getattr(tally, figure) for figure in FIGURES)
            hists = (whole.latency.pack(), whole.first_byte.pack())
            values.append((*name, *figures, oldest, *hists))
        for some in chunks(values, _ROWS_PER_STATEMENT):
            self._session.change(
                f"INSERT INTO usage_hourly ({', '.join(_COLUMNS)}) VALUES {tuples(some)}"
                f" ON CONFLICT ({', '.join(_IDENTITY)}) DO UPDATE SET {adding},"
                f" oldest_created_at = {older}, latency_hist = excluded.latency_hist,"
                " first_byte_hist = excluded.first_byte_hist",
                flat(some),
            )

        self._merge_timings(counted)

    def _merge_timings(self, counted: Mapping[_Identity, tuple[Tally, int | None, Timing]]) -> None:
        """Add how long calls took to the hours of their wallets."""
        added: defaultdict[tuple[str, int], Timing] = defaultdict(Timing)
        for (wallet_id, hour, _, _), (_, _, timing) in counted.items():
            if timing != NOTHING_MEASURED:
                added[wallet_id, hour] += timing
        for some in chunks(sorted(added), _ROWS_PER_STATEMENT):
            rows = self._session.rows(
                "SELECT u.wallet_id, u.hour, u.latency_hist, u.first_byte_hist"
                f" FROM (VALUES {tuples(some)}) AS named JOIN usage_wallet_hours u"
                " ON u.wallet_id = named.column1 AND u.hour = named.column2"
                f"{self._session.engine.row_lock and ' FOR NO KEY UPDATE OF u'}",
                flat(some),
            )
            for row in rows:
                added[row.wallet_id, row.hour] += _stored_timing(row)
            values = [
                (*name, added[name].latency.pack(), added[name].first_byte.pack()) for name in some
            ]
            self._session.change(
                "INSERT INTO usage_wallet_hours (wallet_id, hour, latency_hist, first_byte_hist)"
                f" VALUES {tuples(values)} ON CONFLICT (wallet_id, hour) DO UPDATE SET"
                " latency_hist = excluded.latency_hist, first_byte_hist = excluded.first_byte_hist",
                flat(values),
            )

    def _timings_of(self, names: Iterable[_Identity]) -> dict[_Identity, Timing]:
        found: dict[_Identity, Timing] = {}
        matches = " AND ".join(
            f"u.{column} = named.column{at}" for at, column in enumerate(_IDENTITY, start=1)
        )
        for some in chunks(names, _ROWS_PER_STATEMENT):
            rows = self._session.rows(
                "SELECT u.wallet_id, u.hour, u.key_id, u.model, u.latency_hist, u.first_byte_hist"
                f" FROM (VALUES {tuples(some)}) AS named JOIN usage_hourly u ON {matches}"
                f"{self._session.engine.row_lock and ' FOR NO KEY UPDATE OF u'}",
                flat(some),
            )
            for row in rows:
                found[_identity(row)] = _stored_timing(row)
        return found


def _stored_timing(row: Any) -> Timing:
    return Timing(
        Histogram.unpack(bytes(row.latency_hist)), Histogram.unpack(bytes(row.first_byte_hist))
    )


def _identity(row: Any) -> _Identity:
    return (row.wallet_id, row.hour, row.key_id, row.model)


def _tally(row: Any) -> Tally:
    return Tally(**{name: getattr(row, name, 0) for name in FIGURES})


def _counted(bucket: int | None, calls: int) -> Histogram:
    return NOTHING_TIMED if bucket is None else Histogram.counted([(bucket, calls)])


def _lanes(packed: Any, bucket: int | None) -> int:
    if packed is not None:
        return int.from_bytes(packed, "little")
    return _counted(bucket, 1).lanes


def span_marks(spans: Sequence[Span]) -> list[tuple[object, ...]]:
    """Return the number, beginning and end of each span, as a statement joins them."""
    return [(number, micros(span.since), micros(span.until)) for number, span in enumerate(spans)]


def _narrowed(whose: UsageOf) -> tuple[str, tuple[object, ...]]:
    """Return what ends a condition on rows of hours, and its values."""
    condition, values = "", []
    if whose.key_id is not None:
        condition += " AND u.key_id = ?"
        values.append(whose.key_id)
    if whose.model is not None:
        condition += " AND u.model = ?"
        values.append(whose.model)
    return condition, tuple(values)


def _narrowed_calls(narrowed: str) -> str:
    """Return the same condition on calls."""
    return narrowed.replace("u.key_id", "COALESCE(key_id, '')").replace(
        "u.model", "COALESCE(model, '')"
    )
