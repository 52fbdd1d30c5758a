"""``usage_failures``: calls that failed, by wallet, hour, key, model and error.

There are far fewer of them than of calls, so they are kept by the hour alone. They are counted
along with their hour, in its transaction, and again when that is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from math import gcd

from creditcore.domain.endings import Ending
from creditcore.domain.periods import Span
from creditcore.ports.usage_hours import FailureCount

from ..instants import micros
from ..session import Session
from .endings import CONDITIONS, ERROR
from .usage_figures import HOUR_OF_CALL, KEY_AND_MODEL, ROLLED_UNTIL

_FAILED = CONDITIONS[Ending.FAILED]


def add_failures(session: Session, begin: int, end: int) -> None:
    """Count calls that ended in a time and failed; both in microseconds since 1970."""
    session.change(
        f"""
        INSERT INTO usage_failures (wallet_id, hour, key_id, model, error, calls)
        SELECT wallet_id, {HOUR_OF_CALL}, {KEY_AND_MODEL}, {ERROR}, COUNT(*) FROM usage_logs
        WHERE closed_at >= ? AND closed_at < ? AND {_FAILED}
        GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (wallet_id, hour, key_id, model, error)
        DO UPDATE SET calls = usage_failures.calls + excluded.calls
        """,
        (begin, end),
    )


def forget_failures(session: Session, hour: int) -> None:
    """Forget what was counted in an hour, which is to be counted again."""
    session.change("DELETE FROM usage_failures WHERE hour = ?", (hour,))


def unlike_their_hours(session: Session, since: int, until: int, limit: int) -> set[int]:
    """Return hours in which more or fewer calls failed than ``usage_hourly`` says."""
    rows = session.rows(
        """
        SELECT hour FROM (
            SELECT wallet_id, hour, failed FROM usage_hourly
            WHERE hour >= ? AND hour < ? AND failed > 0
            UNION ALL
            SELECT wallet_id, hour, -calls FROM usage_failures WHERE hour >= ? AND hour < ?
        ) AS both_sides
        GROUP BY wallet_id, hour HAVING SUM(failed) <> 0 ORDER BY hour LIMIT ?
        """,
        (since, until, since, until, limit),
    )
    return {row.hour for row in rows}


def failures_in(
    session: Session, spans: Sequence[Span], stored: str, live: str, values: Sequence[object]
) -> list[FailureCount]:
    """Count failures by span, model and error.

    Rows are read in one stretch and added up in equal steps, each within one span: joined with
    spans, every row would be compared with every one of them.

    Args:
        session: The transaction's.
        spans: Whole hours, in order and without overlapping.
        stored: What narrows rows further.
        live: What narrows calls that no row counts yet.
        values: What stands for the marks of the one and the other.
    """
    edges = [(micros(span.since), micros(span.until)) for span in spans]
    first, end = edges[0][0], edges[-1][1]
    step = gcd(*(edge - first for both in edges for edge in both))
    rows = session.rows(
        f"""
        SELECT step, model, error, CAST(SUM(calls) AS BIGINT) AS calls FROM (
            SELECT (u.hour - {first:d}) / {step:d} AS step, u.model, u.error, u.calls
            FROM usage_failures u WHERE u.hour >= {first:d} AND u.hour < {end:d}{stored}
            UNION ALL
            SELECT (closed_at - {first:d}) / {step:d}, COALESCE(model, ''), {ERROR}, 1
            FROM usage_logs WHERE closed_at >= {first:d} AND closed_at < {end:d}
                AND closed_at >= {ROLLED_UNTIL} AND {_FAILED}{live}
        ) AS failed GROUP BY step, model, error
        """,
        values,
    )
    begins = [begin for begin, _ in edges]
    found: Counter[tuple[int, str, str]] = Counter()
    for row in rows:
        at = first + row.step * step
        span = bisect_right(begins, at) - 1
        if at < edges[span][1]:
            found[span, row.model, row.error] += row.calls
    return [FailureCount(*name, calls) for name, calls in found.items()]
