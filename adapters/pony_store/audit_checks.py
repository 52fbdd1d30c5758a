"""The invariants as SQL: each check returns the rows that contradict it."""

from __future__ import annotations

from dataclasses import dataclass

from .tables.payment_events import KIND_OF_PAID_BEFORE


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the books, as SQL.

    Attributes:
        table: Where the rows it finds are to be looked up.
        key: Names a row.
        what: What ``stored`` and ``expected`` are.
        among: Everything from FROM on: the rows that contradict. ``{long_ago}`` stands
            for an instant, in microseconds.
    """

    table: str
    key: str
    what: str
    stored: str
    expected: str
    among: str

    def sql(self) -> str:
        """Return the statement; its only value is the limit."""
        return (
            f"SELECT {self.key} AS name, {self.stored} AS stored, {self.expected} AS expected"
            f" {self.among} ORDER BY 1 LIMIT ?"
        )


def granted(account: str, column: str) -> Check:
    """A purchase moved what it grants from an account, if it was paid, and nothing else."""
    expected = f"CASE WHEN p.state IN ('paid', 'reversed') THEN p.{column} ELSE 0 END"
    return Check(
        table="transactions",
        key="p.paystack_ref",
        what=f"microcredits granted from {account}",
        stored="COALESCE(t.amount, 0)",
        expected=expected,
        among=f"""
            FROM transactions p
            LEFT JOIN transfers t
                ON t.reference = 'purchase:' || p.paystack_ref || ':{account}'
               AND t.from_account = '{account}' AND t.to_account = p.wallet_id
            WHERE COALESCE(t.amount, 0) <> {expected}
        """,
    )


def _without_hold(kind: str) -> Check:
    """A transfer for a call has the hold of that call."""
    return Check(
        table="transfers",
        key="t.reference",
        what="microcredits moved for a call that has no hold",
        stored="t.amount",
        expected="0",
        among=f"""
            FROM transfers t
            LEFT JOIN usage_logs u
                ON u.id = substr(t.reference, {len(kind + ":") + 1}) AND u.wallet_id = t.wallet_id
            WHERE t.kind = '{kind}' AND u.id IS NULL
        """,
    )


_OF_REFUND = """
    t.wallet_id = r.wallet_id AND t.kind IN ('reversal', 'restoration')
    AND substr(t.reference, 1, length(r.id) + 8) = 'refund:' || r.id || ':'
"""

CHECKS: dict[str, tuple[Check, ...]] = {
    "I1": (
        Check(
            table="wallets",
            key="w.id",
            what="microcredits posted, by the sum of transfers",
            stored="w.posted",
            expected="COALESCE(moved.total, 0)",
            among="""
                FROM wallets w
                LEFT JOIN (
                    SELECT wallet_id, SUM(CASE wallet_id WHEN to_account THEN amount
                                                         WHEN from_account THEN -amount
                                                         ELSE 0 END) AS total
                    FROM transfers GROUP BY wallet_id
                ) AS moved ON moved.wallet_id = w.id
                WHERE w.posted <> COALESCE(moved.total, 0)
            """,
        ),
    ),
    "I2": (
        Check(
            table="wallets",
            key="w.id",
            what="microcredits held, by the sum of open holds",
            stored="w.held",
            expected="COALESCE(reserved.total, 0)",
            among="""
                FROM wallets w
                LEFT JOIN (
                    SELECT wallet_id, SUM(hold_amount) AS total
                    FROM usage_logs WHERE state = 'open' GROUP BY wallet_id
                ) AS reserved ON reserved.wallet_id = w.id
                WHERE w.held <> COALESCE(reserved.total, 0)
            """,
        ),
    ),
    "I3": (
        Check(
            table="wallets",
            key="id",
            what="microcredits held, between zero and what is posted",
            stored="held",
            expected="posted",
            among="FROM wallets WHERE NOT (0 <= held AND held <= posted)",
        ),
    ),
    "I4": (
        Check(
            table="transfers",
            key="reference",
            what="times a reference moved microcredits",
            stored="COUNT(*)",
            expected="1",
            among="FROM transfers GROUP BY reference HAVING COUNT(*) > 1",
        ),
        granted("sales", "sold"),
        granted("bonus", "bonus"),
        Check(
            table="transfers",
            key="t.reference",
            what="microcredits sold without a purchase",
            stored="t.amount",
            expected="0",
            among=f"""
                FROM transfers t
                LEFT JOIN transactions p
                    ON p.paystack_ref = substr(t.reference, {len("purchase:") + 1},
                                               length(t.reference) - {len("purchase::sales")})
                WHERE t.kind = 'purchase' AND p.paystack_ref IS NULL
            """,
        ),
    ),
    "I5": (
        Check(
            table="usage_logs",
            key="u.id",
            what="microcredits transferred for a call, by its charge",
            stored="COALESCE(t.amount, 0)",
            expected="u.charge",
            among="""
                FROM usage_logs u
                LEFT JOIN transfers t
                    ON t.reference = 'charge:' || u.id
                   AND t.from_account = u.wallet_id AND t.to_account = 'usage'
                WHERE COALESCE(t.amount, 0) <> u.charge OR (u.state = 'open' AND u.charge <> 0)
            """,
        ),
    ),
    "I6": (
        Check(
            table="usage_logs",
            key="id",
            what="microcredits charged, between zero and the hold",
            stored="charge",
            expected="hold_amount",
            among="FROM usage_logs WHERE NOT (0 <= charge AND charge <= hold_amount)",
        ),
        Check(
            table="usage_logs",
            key="u.id",
            what="microcredits transferred as written off, by the call",
            stored="COALESCE(t.amount, 0)",
            expected="u.written_off",
            among="""
                FROM usage_logs u
                LEFT JOIN transfers t
                    ON t.reference = 'write_off:' || u.id
                   AND t.from_account = 'write_off' AND t.to_account = 'usage'
                WHERE COALESCE(t.amount, 0) <> u.written_off
            """,
        ),
    ),
    "I7": (
        _without_hold("charge"),
        _without_hold("write_off"),
        Check(
            table="usage_logs",
            key="id",
            what="time a call ended, not before its hold was made",
            stored="closed_at",
            expected="created_at",
            among="FROM usage_logs WHERE closed_at < created_at",
        ),
    ),
    "I8": (
        Check(
            table="transactions",
            key="paystack_ref",
            what="minor units paid, at least the price and in its currency",
            stored="COALESCE(paid_minor_units, 0)",
            expected="price_minor_units",
            among="""
                FROM transactions
                WHERE state = 'paid'
                  AND (closed_at IS NULL OR paid_minor_units IS NULL
                       OR paid_currency <> price_currency
                       OR paid_minor_units < price_minor_units)
            """,
        ),
        Check(
            table="transactions",
            key="p.paystack_ref",
            what="minor units paid, announced by the provider and never confirmed",
            stored="0",
            expected="p.price_minor_units",
            among=f"""
                FROM transactions p
                WHERE p.state IN ('pending', 'failed') AND EXISTS (
                    SELECT 1 FROM payment_events e
                    WHERE e.reference = p.paystack_ref
                      AND e.kind IN ('paid', '{KIND_OF_PAID_BEFORE}')
                      AND e.received_at < {{long_ago}}
                      AND (e.due_at IS NULL OR e.due_at < {{long_ago}}))
            """,
        ),
        Check(
            table="usage_logs",
            key="id",
            what="time a closed call ended",
            stored="0",
            expected="created_at",
            among="FROM usage_logs WHERE state <> 'open' AND closed_at IS NULL",
        ),
    ),
    "I9": (
        Check(
            table="wallets",
            key="w.id",
            what="microcredits owed, by the sum of transfers",
            stored="w.owed",
            expected="COALESCE(moved.total, 0)",
            among="""
                FROM wallets w
                LEFT JOIN (
                    SELECT wallet_id, SUM(CASE WHEN from_account = 'receivable' THEN amount
                                               ELSE -amount END) AS total
                    FROM transfers
                    WHERE from_account = 'receivable' OR to_account = 'receivable'
                    GROUP BY wallet_id
                ) AS moved ON moved.wallet_id = w.id
                WHERE w.owed <> COALESCE(moved.total, 0)
            """,
        ),
        Check(
            table="wallets",
            key="id",
            what="microcredits posted in a wallet that owes, by what holds reserve",
            stored="posted",
            expected="held",
            among="FROM wallets WHERE owed < 0 OR (owed > 0 AND posted <> held)",
        ),
    ),
    "I10": (
        Check(
            table="refunds",
            key="name",
            what="microcredits reversed, by the sum of transfers",
            stored="credits",
            expected="moved",
            among=f"""
                FROM (
                    SELECT r.id AS name, r.credits AS credits, COALESCE(SUM(
                        CASE t.to_account WHEN 'refunds' THEN t.amount ELSE -t.amount END
                    ), 0) AS moved
                    FROM refunds r
                    LEFT JOIN transfers t ON {_OF_REFUND}
                    GROUP BY r.id, r.credits
                ) AS sums
                WHERE credits <> moved
            """,
        ),
        Check(
            table="transfers",
            key="t.reference",
            what="microcredits reversed without a refund",
            stored="t.amount",
            expected="0",
            among=f"""
                FROM transfers t LEFT JOIN refunds r ON {_OF_REFUND}
                WHERE t.kind IN ('reversal', 'restoration') AND r.id IS NULL
            """,
        ),
        Check(
            table="transactions",
            key="name",
            what="microcredits reversed of a purchase",
            stored="reversed",
            expected="granted",
            among="""
                FROM (
                    SELECT p.paystack_ref AS name, p.state AS state, SUM(r.credits) AS reversed,
                           CASE WHEN p.state IN ('paid', 'reversed') THEN p.sold + p.bonus
                                ELSE 0 END AS granted
                    FROM transactions p JOIN refunds r ON r.purchase_ref = p.paystack_ref
                    GROUP BY p.paystack_ref, p.state, p.sold, p.bonus
                ) AS sums
                WHERE reversed > granted OR (state = 'reversed' AND reversed <> granted)
            """,
        ),
    ),
    "I11": (
        Check(
            table="usage_hourly",
            key="wallet_id || ' at ' || hour",
            what="microcredits charged in an hour, by its calls",
            stored="SUM(stored)",
            expected="SUM(charge)",
            among="""
                FROM (
                    SELECT wallet_id, hour, charge AS stored, 0 AS charge, calls FROM usage_hourly
                    UNION ALL
                    SELECT wallet_id, closed_at / 3600000000 * 3600000000, 0, charge, -1
                    FROM usage_logs WHERE closed_at < {rolled}
                ) AS both_sides
                GROUP BY wallet_id, hour HAVING SUM(stored) <> SUM(charge) OR SUM(calls) <> 0
            """,
        ),
        Check(
            table="usage_blocks",
            key="wallet_id || ' at ' || begins || ' for ' || hours || ' hours'",
            what="microcredits charged in a block of hours, by its hours",
            stored="SUM(stored)",
            expected="SUM(charge)",
            among="""
                FROM (
                    SELECT wallet_id, hours, begins, charge AS stored, 0 AS charge, calls
                    FROM usage_blocks
                    UNION ALL
                    SELECT wallet_id, 3, hour / 10800000000 * 10800000000, 0, charge, -calls
                    FROM usage_hourly
                    UNION ALL
                    SELECT wallet_id, 6, hour / 21600000000 * 21600000000, 0, charge, -calls
                    FROM usage_hourly
                    UNION ALL
                    SELECT wallet_id, 24, hour / 86400000000 * 86400000000, 0, charge, -calls
                    FROM usage_hourly
                ) AS both_sides
                GROUP BY wallet_id, hours, begins
                HAVING SUM(stored) <> SUM(charge) OR SUM(calls) <> 0
            """,
        ),
        Check(
            table="wallets",
            key="wallet_id",
            what="microcredits charged by the hour and since the last roll-up, by its transfers",
            stored="SUM(stored)",
            expected="SUM(moved)",
            among="""
                FROM (
                    SELECT wallet_id, charge AS stored, 0 AS moved FROM usage_hourly
                    UNION ALL
                    SELECT wallet_id, charge, 0 FROM usage_logs WHERE closed_at >= {rolled}
                    UNION ALL
                    SELECT wallet_id, 0, amount FROM transfers WHERE kind = 'charge'
                ) AS both_sides
                GROUP BY wallet_id HAVING SUM(stored) <> SUM(moved)
            """,
        ),
    ),
}
