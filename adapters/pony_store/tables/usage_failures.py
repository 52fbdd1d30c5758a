"""``usage_failures`` and ``usage_refusals``: calls by wallet, hour, key, model and error.

There are far fewer of them than of calls, so they are kept by the hour alone. Those that failed
are counted along with their hour, in its transaction, and again when that is. Those that were
refused have left nothing from which they could be counted again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from creditcore.domain.endings import Ending
from creditcore.domain.periods import Span
from creditcore.domain.refusals import tally_of_refused
from creditcore.domain.usage_hours import Tally
from creditcore.ports.usage_hours import ErrorCount, RefusalCount

from ..instants import micros
from ..session import Session, chunks, flat, tuples
from .endings import CONDITIONS, ERROR
from .usage_figures import FIGURE, HOUR_OF_CALL, KEY_AND_MODEL, ROLLED_UNTIL
from .usage_steps import Steps

_FAILED = CONDITIONS[Ending.FAILED]
_FIGURES = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens", "charge")
_SUMS = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in _FIGURES)
_ROWS_PER_STATEMENT = 500


def add_failures(session: Session, begin: int, end: int) -> None:
    """Count calls that ended in a time and failed; both in microseconds since 1970."""
    sums = ", ".join(f"SUM({FIGURE[name]})" for name in _FIGURES)
    added = ", ".join(f"{name} = usage_failures.{name} + excluded.{name}" for name in _FIGURES)
    session.change(
        f"""
        INSERT INTO usage_failures (wallet_id, hour, key_id, model, error, {", ".join(_FIGURES)})
        SELECT wallet_id, {HOUR_OF_CALL}, {KEY_AND_MODEL}, {ERROR}, {sums} FROM usage_logs
        WHERE closed_at >= ? AND closed_at < ? AND {_FAILED}
        GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (wallet_id, hour, key_id, model, error) DO UPDATE SET {added}
        """,
        (begin, end),
    )


def add_refusals_by_error(session: Session, counts: Sequence[RefusalCount]) -> None:
    """Count calls that were refused."""
    found: defaultdict[tuple[object, ...], int] = defaultdict(int)
    for each in counts:
        name = (each.wallet_id, micros(each.hour), each.key_id, each.model, each.error, each.status)
        found[name] += each.calls
    for some in chunks([(*name, calls) for name, calls in found.items()], _ROWS_PER_STATEMENT):
        session.change(
            "INSERT INTO usage_refusals (wallet_id, hour, key_id, model, error, status, calls)"
            f" VALUES {tuples(some)} ON CONFLICT (wallet_id, hour, key_id, model, error, status)"
            " DO UPDATE SET calls = usage_refusals.calls + excluded.calls",
            flat(some),
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
) -> list[ErrorCount]:
    """Count failures by span, model and error.

    Args:
        session: The transaction's.
        spans: Whole hours, in order and without overlapping.
        stored: What narrows rows further.
        live: What narrows calls that no row counts yet.
        values: What stands for the marks of the one and the other.
    """
    figures = ", ".join(f"u.{name}" for name in _FIGURES)
    of_calls = ", ".join(FIGURE[name] for name in _FIGURES)
    steps = Steps(spans)
    rows = session.rows(
        f"""
        SELECT step, model, error, {_SUMS} FROM (
            SELECT {steps.of("u.hour")} AS step, u.model, u.error, {figures}
            FROM usage_failures u WHERE {steps.around("u.hour")}{stored}
            UNION ALL
            SELECT {steps.of("closed_at")}, COALESCE(model, ''), {ERROR}, {of_calls}
            FROM usage_logs WHERE {steps.around("closed_at")}
                AND closed_at >= {ROLLED_UNTIL} AND {_FAILED}{live}
        ) AS failed GROUP BY step, model, error
        """,
        values,
    )
    return _by_span(steps, [(row, _of_failed(row)) for row in rows])


def refusals_in(
    session: Session, spans: Sequence[Span], narrowed: str, values: Sequence[object]
) -> list[ErrorCount]:
    """Count refusals by span, model and error; as ``failures_in``."""
    steps = Steps(spans)
    rows = session.rows(
        f"""
        SELECT {steps.of("u.hour")} AS step, u.model, u.error, u.status,
            CAST(SUM(u.calls) AS BIGINT) AS calls
        FROM usage_refusals u WHERE {steps.around("u.hour")}{narrowed}
        GROUP BY 1, 2, 3, 4
        """,
        values,
    )
    return _by_span(steps, [(row, tally_of_refused(row.status, row.calls)) for row in rows])


def _by_span(steps: Steps, rows: Sequence[tuple[Any, Tally]]) -> list[ErrorCount]:
    found: dict[tuple[int, str, str], Tally] = {}
    for row, tally in rows:
        if (span := steps.span_of(row.step)) is not None:
            name = (span, row.model, row.error)
            found[name] = found[name] + tally if name in found else tally
    return [ErrorCount(*name, tally) for name, tally in found.items()]


def _of_failed(row: Any) -> Tally:
    return Tally(
        calls=row.calls,
        failed=row.calls,
        prompt_tokens=row.prompt_tokens,
        cached_tokens=row.cached_tokens,
        completion_tokens=row.completion_tokens,
        charge=row.charge,
    )
