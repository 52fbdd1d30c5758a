"""``usage_hourly``: what was used, by wallet, hour, key and model; rolled up from ``usage_logs``.

Each answer is one statement over rows and calls, so it sees both at one instant: no call is
counted twice, and none is left out. ``usage_wallet_hours`` has the histograms added up over
keys and models, and blocks are hours added up (``usage_blocks.py``), so that a page of half a
year reads few rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import FIGURES, Histogram, Tally, Timing
from creditcore.ports.usage_hours import (
    NO_KEY,
    EndpointShare,
    ErrorCount,
    LastUse,
    RefusalCount,
    Share,
    Step,
    UsageOf,
    no_key_of,
    timing_by_span,
)

from ..instants import instant, micros
from ..session import Session
from .usage_blocks import LENGTHS, SINGLE, block_of, pieces
from .usage_counting import UsageCounting
from .usage_endpoints import endpoints_in
from .usage_failures import failures_in, refusals_in
from .usage_figures import (
    FIRST_BYTE,
    HOUR_MICROS,
    HOUR_OF_CALL,
    KEY_AND_MODEL,
    KEY_OF_CALL,
    LATENCY,
    LIVE,
    LIVE_FIGURES,
    ROLLED_UNTIL,
)

_DAY = LENGTHS[0]
_LAST = "\U0010ffff"
"""Comes after the id of every member."""

_HOURS_AND_BLOCKS = ("usage_hourly", "usage_blocks")
_OF_WALLETS = ("usage_wallet_hours", "usage_wallet_blocks")
_HISTOGRAMS = "u.latency_hist, u.first_byte_hist, CAST(NULL AS INTEGER), CAST(NULL AS INTEGER)"
_FIGURES = ", ".join(f"u.{name}" for name in FIGURES)
_SUMS = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in FIGURES)


class PonyUsageHours:
    """Figures of calls by wallet, hour, key and model."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._counting = UsageCounting(session)

    def rolled_until(self) -> datetime:
        [row] = self._session.rows(f"SELECT {ROLLED_UNTIL} AS rolled_until")
        return instant(row.rolled_until)

    def roll_up(self, *, until: datetime) -> Step:
        return self._counting.roll_up(until=until)

    def recount(self, hour: datetime) -> int:
        return self._counting.recount(hour)

    def differing_hours(self, span: Span, *, limit: int) -> Sequence[datetime]:
        return self._counting.differing_hours(span, limit=limit)

    def add_refusals(self, counts: Sequence[RefusalCount]) -> None:
        self._counting.add_refusals(counts)

    def shares(
        self,
        whose: UsageOf,
        spans: Sequence[Span],
        *,
        by_key: bool = True,
        by_model: bool = True,
        whole: Span | None = None,
    ) -> Sequence[Share]:
        asked_for = [*spans, *([whole] if whole else ())]
        if not asked_for:
            return []
        asked = _Asked(self._session, whose, asked_for)
        of_whole = f"CASE WHEN span = {len(spans):d} THEN {{}} ELSE '' END" if whole else "''"
        key_id = "key_id" if by_key else of_whole.format("key_id")
        model = "model" if by_model else of_whole.format("model")
        rows = self._session.records(
            f"""
            WITH {asked.given}
            SELECT span, {key_id}, {model}, MIN(oldest) AS oldest, {_SUMS} FROM (
                {asked.stored(f"u.key_id, u.model, u.oldest_created_at AS oldest, {_FIGURES}")}
                {asked.live(f"{KEY_AND_MODEL}, created_at AS oldest, {LIVE_FIGURES}")}
            ) AS used
            GROUP BY 1, 2, 3
            """,
            asked.values,
        )
        return [
            Share(span, key_id, model, Tally(*sums), None if oldest is None else instant(oldest))
            for span, key_id, model, oldest, *sums in rows
        ]

    def timings(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[Timing]:
        if not spans:
            return []
        asked = _Asked(self._session, whose, spans)
        is_all = whose.key_id is None and whose.model is None
        tables = _OF_WALLETS if is_all else _HOURS_AND_BLOCKS
        # Each kind of row has its own columns: histograms of hours, buckets of single calls.
        rows = self._session.records(
            f"""
            WITH {asked.given}
            {asked.stored(_HISTOGRAMS, tables)}
            {asked.live(f"NULL, NULL, {LATENCY}, {FIRST_BYTE}")}
            """,
            asked.values,
        )
        latency: defaultdict[int, int] = defaultdict(int)
        first_byte: defaultdict[int, int] = defaultdict(int)
        for span, packed_latency, packed_first_byte, latency_bucket, first_byte_bucket in rows:
            # Lanes are added as integers here: there may be thousands of rows.
            latency[span] += _lanes(packed_latency, latency_bucket)
            first_byte[span] += _lanes(packed_first_byte, first_byte_bucket)
        found = {
            span: Timing(Histogram(latency[span]), Histogram(first_byte[span])) for span in latency
        }
        return timing_by_span(found, spans)

    def failures(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[ErrorCount]:
        if not spans:
            return []
        narrowed, values = _narrowed(whose)
        return failures_in(
            self._session,
            spans,
            f" AND u.wallet_id = ?{narrowed}",
            f" AND wallet_id = ? AND {LIVE}{_of_calls(narrowed)}",
            (whose.wallet_id, *values, whose.wallet_id, *values),
        )

    def refusals(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[ErrorCount]:
        if not spans:
            return []
        narrowed, values = _narrowed(whose)
        return refusals_in(
            self._session, spans, f" AND u.wallet_id = ?{narrowed}", (whose.wallet_id, *values)
        )

    def endpoints(self, wallet_id: str, spans: Sequence[Span]) -> Sequence[EndpointShare]:
        if not spans:
            return []
        rolled_until = micros(self.rolled_until())
        return endpoints_in(self._session, wallet_id, spans, rolled_until=rolled_until)

    def last_uses(self, wallet_id: str) -> Mapping[str, LastUse]:
        rolled_until, _ = _stored_within(self._session, wallet_id)
        rows = self._session.rows(
            f"""
            SELECT key_id, hour, MAX(model) AS model FROM (
                SELECT key_id, hour, model FROM usage_last_uses WHERE wallet_id = ?
                UNION ALL
                SELECT {KEY_OF_CALL}, {HOUR_OF_CALL}, COALESCE(model, '')
                FROM usage_logs WHERE closed_at >= ? AND wallet_id = ? AND {LIVE}
            ) AS used GROUP BY key_id, hour ORDER BY hour
            """,
            (wallet_id, rolled_until, wallet_id),
        )
        # The latest comes last, and stays.
        return {row.key_id: LastUse(instant(row.hour), row.model) for row in rows}


class _Asked:
    """One question, as parts of a statement.

    Rows are named one by one: databases find each by the primary key, where they would read too
    much for a stretch of unknown length. Those of each length stand apart, so that PostgreSQL
    knows how many it will find, and adds them up as they come: else it sorts them first, on disk.

    Attributes:
        given: Names the ``spans`` that were asked for, and the rows that cover them: thousands of
            numbers, which stand there as they are.
        values: What stands for the marks of ``stored`` and ``live``, in this order.
    """

    def __init__(self, session: Session, whose: UsageOf, spans: Sequence[Span]) -> None:
        rolled_until, within = _stored_within(session, whose.wallet_id)
        covered: defaultdict[int, list[str]] = defaultdict(list)
        for number, length, at in pieces(spans, within=within):
            covered[length].append(f"({number:d}, {at:d})")
        marks = [
            f"({n:d}, {micros(it.since):d}, {micros(it.until):d})" for n, it in enumerate(spans)
        ]
        self._lengths = list(covered)
        self.given = ", ".join(
            f"{name} AS (SELECT {columns} FROM (VALUES {', '.join(rows)}) AS given)"
            for name, columns, rows in (
                ("spans", "column1 AS span, column2 AS since, column3 AS until", marks),
                *(
                    (f"rows_{length:d}", "column1 AS span, column2 AS at", rows)
                    for length, rows in covered.items()
                ),
            )
        )
        self._narrowed, values = _narrowed(whose)
        of_wallet = (whose.wallet_id, *values)
        # The bound is said twice, for planners: they know how few calls end after a constant.
        self.values = (*(of_wallet * len(covered)), rolled_until, *of_wallet)

    def stored(self, columns: str, tables: tuple[str, str] = _HOURS_AND_BLOCKS) -> str:
        """Read rows of hours and of blocks, each once and none within another; then go on."""
        of_hours, of_blocks = tables
        return "".join(
            f"""
            SELECT span, {columns} FROM rows_{length:d} JOIN {
                f"{of_hours} u ON u.hour = at"
                if length == SINGLE
                else f"{of_blocks} u ON u.hours = {length:d} AND u.begins = at"
            }
            WHERE u.wallet_id = ?{self._narrowed} UNION ALL
            """
            for length in self._lengths
        )

    def live(self, columns: str) -> str:
        """Read the calls that no row counts yet."""
        return f"""
            SELECT span, {columns}
            FROM usage_logs JOIN spans ON closed_at >= since AND closed_at < until
            WHERE closed_at >= ? AND wallet_id = ? AND {LIVE}{_of_calls(self._narrowed)}
        """


def _stored_within(session: Session, wallet_id: str) -> tuple[int, tuple[int, int]]:
    """Return up to when calls are rolled up, and from and until when a wallet has rows.

    A day more is looked through: the roll-up may go on before the statement that asks for it.
    """
    [row] = session.rows(
        f"SELECT {ROLLED_UNTIL} AS rolled_until, MIN(hour) AS first, MAX(hour) AS last"
        " FROM usage_hourly WHERE wallet_id = ?",
        (wallet_id,),
    )
    rolled_until = int(row.rolled_until)
    first = row.first if row.first is not None else block_of(rolled_until, SINGLE)
    last = max(row.last or 0, block_of(rolled_until, SINGLE))
    return rolled_until, (first, last + _DAY * HOUR_MICROS)


def _narrowed(whose: UsageOf) -> tuple[str, tuple[object, ...]]:
    """Return what ends a condition on stored rows, and its values."""
    condition, values = "", []
    if whose.key_id == NO_KEY:
        condition += f" AND (u.key_id = '{NO_KEY}' OR u.key_id >= ? AND u.key_id < ?)"
        values += [no_key_of(""), no_key_of(_LAST)]
    elif whose.key_id is not None:
        condition += " AND u.key_id = ?"
        values.append(whose.key_id)
    if whose.model is not None:
        condition += " AND u.model = ?"
        values.append(whose.model)
    return condition, tuple(values)


def _of_calls(narrowed: str) -> str:
    """Return the same condition, on calls that no row counts yet."""
    return narrowed.replace("u.key_id", KEY_OF_CALL).replace("u.model", "COALESCE(model, '')")


def _lanes(packed: Any, bucket: int | None) -> int:
    if packed is not None:
        return int.from_bytes(packed, "little")
    return 0 if bucket is None else Histogram.counted([(bucket, 1)]).lanes
