"""What contradicts the invariants."""

from __future__ import annotations

from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import a_wallet, admit, settle


class AuditContract:
    """What the stored books say about the invariants."""

    def test_untouched_books_are_clean(self, transactions: Transactions) -> None:
        a_wallet(transactions, posted=100)
        settle(transactions, admit(transactions, 60, reference="call-1"), 25)
        settle(transactions, admit(transactions, 10, reference="call-2"), 25)
        settle(transactions, admit(transactions, 10, reference="call-3"), 0)
        admit(transactions, 5, reference="call-4")

        with transactions.begin() as tx:
            found = {number: tx.audit.breaches(f"I{number}", limit=10) for number in range(1, 12)}
            counts = tx.audit.counts()

        assert {number: list(rows) for number, rows in found.items() if rows} == {}
        assert (counts["wallets"], counts["holds"]) == (1, 4)
