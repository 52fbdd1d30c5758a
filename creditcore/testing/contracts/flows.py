"""What waits for people who are away at Google or GitHub."""

from __future__ import annotations

from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, at_once

_NAME, _OTHER = b"n" * 32, b"o" * 32


class FlowsContract:
    """What waits for people who are away."""

    def test_what_was_kept_is_taken_once_also_at_once(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            tx.flows.add(_NAME, b"\x00sealed\xff", expires_at=NOON + MINUTE)
            tx.commit()

        def take(_: int) -> bytes | None:
            with transactions.begin() as tx:
                taken = tx.flows.take(_NAME, now=NOON)
                tx.commit()
            return taken

        taken = at_once(4, take)

        assert sorted(taken, key=lambda one: one is None) == [b"\x00sealed\xff", None, None, None]

    def test_what_is_over_is_not_taken(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            tx.flows.add(_NAME, b"sealed", expires_at=NOON + MINUTE)
            assert tx.flows.take(_OTHER, now=NOON) is None
            assert tx.flows.take(_NAME, now=NOON + MINUTE) is None

    def test_what_no_visitor_came_back_for_is_forgotten(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            tx.flows.add(_NAME, b"sealed", expires_at=NOON)
            tx.flows.add(_OTHER, b"sealed", expires_at=NOON + MINUTE)
            forgotten = [tx.flows.forget(expired_before=NOON, limit=5) for _ in range(2)]

            assert forgotten == [1, 0]
            assert tx.flows.take(_OTHER, now=NOON) == b"sealed"
