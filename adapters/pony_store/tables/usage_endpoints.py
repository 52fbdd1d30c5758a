"""``usage_endpoints``: what calls came to by wallet, hour and route.

Counted along with their hour, in its transaction, and again when that is. Keys and models are not
told apart: a wallet has few routes, so a year of them is few rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import NOTHING_USED, Tally
from creditcore.ports.usage_hours import FIGURES_OF_ENDPOINTS, EndpointShare

from ..session import Session
from .usage_figures import FIGURE, HOUR_OF_CALL, LIVE
from .usage_steps import Steps

_ENDPOINT = "COALESCE(endpoint, '')"
_NAMES = ", ".join(FIGURES_OF_ENDPOINTS)
_SUMS = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in FIGURES_OF_ENDPOINTS)
_OF_CALL = ", ".join(FIGURE[name] for name in FIGURES_OF_ENDPOINTS)
_SUMS_OF_CALLS = ", ".join(f"SUM({FIGURE[name]})" for name in FIGURES_OF_ENDPOINTS)
_ADDED = ", ".join(f"{it} = usage_endpoints.{it} + excluded.{it}" for it in FIGURES_OF_ENDPOINTS)


def add_endpoints(session: Session, begin: int, end: int) -> None:
    """Count calls that ended in a time; both in microseconds since 1970."""
    session.change(
        f"""
        INSERT INTO usage_endpoints (wallet_id, hour, endpoint, {_NAMES})
        SELECT wallet_id, {HOUR_OF_CALL}, {_ENDPOINT}, {_SUMS_OF_CALLS} FROM usage_logs
        WHERE closed_at >= ? AND closed_at < ? AND model IS NOT NULL
        GROUP BY 1, 2, 3
        ON CONFLICT (wallet_id, hour, endpoint) DO UPDATE SET {_ADDED}
        """,
        (begin, end),
    )


def forget_endpoints(session: Session, hour: int) -> None:
    """Forget what was counted in an hour, which is to be counted again."""
    session.change("DELETE FROM usage_endpoints WHERE hour = ?", (hour,))


def endpoints_unlike_hours(session: Session, since: int, until: int, limit: int) -> set[int]:
    """Return hours of which routes say other than ``usage_hourly``, of calls of a model."""
    rows = session.rows(
        """
        SELECT hour FROM (
            SELECT wallet_id, hour, calls, charge FROM usage_hourly
            WHERE hour >= ? AND hour < ? AND model <> ''
            UNION ALL
            SELECT wallet_id, hour, -calls, -charge FROM usage_endpoints
            WHERE hour >= ? AND hour < ?
        ) AS both_sides
        GROUP BY wallet_id, hour HAVING SUM(calls) <> 0 OR SUM(charge) <> 0 ORDER BY hour LIMIT ?
        """,
        (since, until, since, until, limit),
    )
    return {row.hour for row in rows}


def endpoints_in(
    session: Session, wallet_id: str, spans: Sequence[Span], *, rolled_until: int
) -> list[EndpointShare]:
    """Add up what calls came to by span and route, counted in rows or not yet."""
    steps = Steps(spans)
    rows = session.rows(
        f"""
        SELECT step, endpoint, {_SUMS} FROM (
            SELECT {steps.of("hour")} AS step, endpoint, {_NAMES}
            FROM usage_endpoints WHERE wallet_id = ? AND {steps.around("hour")}
            UNION ALL
            SELECT {steps.of("closed_at")}, {_ENDPOINT}, {_OF_CALL}
            FROM usage_logs WHERE closed_at >= ? AND wallet_id = ? AND {LIVE}
                AND model IS NOT NULL AND {steps.around("closed_at")}
        ) AS used GROUP BY step, endpoint
        """,
        (wallet_id, rolled_until, wallet_id),
    )
    found: defaultdict[tuple[int, str], Tally] = defaultdict(lambda: NOTHING_USED)
    for row in rows:
        if (span := steps.span_of(row.step)) is not None:
            tally = Tally(**{name: getattr(row, name) for name in FIGURES_OF_ENDPOINTS})
            found[span, row.endpoint] += tally
    return [EndpointShare(*name, tally) for name, tally in sorted(found.items())]
