"""What limited keys and accounts have used, against the calls that they counted."""

from __future__ import annotations

from .audit_checks import Check
from .tables.keys import SHARED_COLUMNS

# A hold counts for its key under a name; for its account, and its member, under one that follows.
_CALLS = """
    SELECT counter_id AS name, counted_since AS since, state, hold_amount, charge
    FROM usage_logs WHERE counter_id IS NOT NULL
    UNION ALL
    SELECT 'account:' || wallet_id, account_counted_since, state, hold_amount, charge
    FROM usage_logs WHERE account_counted_since IS NOT NULL
    UNION ALL
    SELECT 'member:' || wallet_id || ':' || member_id, member_counted_since, state, hold_amount,
           charge
    FROM usage_logs WHERE member_id IS NOT NULL
"""


def _counted(column: str, what: str, total: str, among: str) -> Check:
    return Check(
        table="key_counters",
        key="c.id",
        what=what,
        stored=f"c.{column}",
        expected="COALESCE(counted.total, 0)",
        among=f"""
            FROM key_counters c
            LEFT JOIN (
                SELECT calls.name AS name, {total} AS total
                FROM ({_CALLS}) AS calls {among}
                GROUP BY calls.name
            ) AS counted ON counted.name = c.id
            WHERE c.{column} <> COALESCE(counted.total, 0)
        """,
    )


_OPEN = "WHERE calls.state = 'open'"
_IN_ITS_PERIOD = "JOIN key_counters k ON k.id = calls.name AND k.since = calls.since"
# NULL and NULL are the same limit.
_DIFFERENT = " OR ".join(
    f"COALESCE(k.account_{column}, {nothing}) <> COALESCE(a.{column}, {nothing})"
    for column, nothing in zip(SHARED_COLUMNS, ("-1", "''", "''", "-1", "-1", "-1"), strict=True)
)

COUNTER_CHECKS: tuple[Check, ...] = (
    _counted("held", "microcredits held, by its open calls", "SUM(calls.hold_amount)", among=_OPEN),
    _counted("open_calls", "calls, by those that are open", "COUNT(*)", among=_OPEN),
    _counted(
        "spent",
        "microcredits spent in its period, by the charges of its calls",
        "SUM(calls.charge)",
        among=_IN_ITS_PERIOD,
    ),
    Check(
        table="virtual_keys",
        key="k.id",
        what="copies of the limits of its account that differ",
        stored="1",
        expected="0",
        among=f"""
            FROM virtual_keys k
            LEFT JOIN account_limits a ON a.wallet_id = k.wallet_id
            WHERE k.revoked_at IS NULL AND ({_DIFFERENT})
        """,
    ),
)
