"""``usage_failures``: calls that failed, by wallet, hour, key, model and error.

There are far fewer of them than of calls, so they are kept by the hour alone. They are counted
along with their hour, in its transaction, and again when that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditcore.domain.endings import Ending
from creditcore.domain.periods import Span
from creditcore.ports.usage_hours import FailureCount

from ..instants import micros
from ..session import Session, flat, tuples
from .endings import CONDITIONS, ERROR
from .usage_blocks import span_marks
from .usage_figures import HOUR_OF_CALL, KEY_AND_MODEL, ROLLED_UNTIL

_FAILED = CONDITIONS[Ending.FAILED]
_SPANS = "SELECT column1 AS span, column2 AS since, column3 AS until FROM (VALUES {}) AS given"


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

    Args:
        session: The transaction's.
        spans: Whole hours, in order and without overlapping.
        stored: What narrows rows further.
        live: What narrows calls that no row counts yet.
        values: What stands for the marks of the one and the other.
    """
    marks = span_marks(spans)
    rows = session.rows(
        f"""
        WITH spans AS ({_SPANS.format(tuples(marks))})
        SELECT span, model, error, CAST(SUM(calls) AS BIGINT) AS calls FROM (
            SELECT span, u.model, u.error, u.calls
            FROM spans JOIN usage_failures u ON u.hour >= since AND u.hour < until
            WHERE u.hour >= ? AND u.hour < ?{stored}
            UNION ALL
            SELECT span, COALESCE(model, ''), {ERROR}, 1
            FROM usage_logs JOIN spans ON closed_at >= since AND closed_at < until
            WHERE closed_at >= {ROLLED_UNTIL} AND {_FAILED}{live}
        ) AS failed GROUP BY span, model, error
        """,
        # The whole stretch is said too: planners know how many rows that is.
        (*flat(marks), micros(spans[0].since), micros(spans[-1].until), *values),
    )
    return [_count(row) for row in rows]


def _count(row: Any) -> FailureCount:
    return FailureCount(row.span, row.model, row.error, row.calls)
