"""Payments by the page, the provider's and ours: memory holds one page, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from creditcore.domain.purchases import Purchase
from creditcore.ports.payment_list import ListedPayment
from creditcore.ports.store_ports import HasPurchases
from creditcore.ports.transactions import Begins

_ROWS = 100


def pages(rows: Iterable[ListedPayment]) -> Iterator[list[ListedPayment]]:
    """Return the rows of a stream in pages."""
    page: list[ListedPayment] = []
    for row in rows:
        page.append(row)
        if len(page) == _ROWS:
            yield page
            page = []
    if page:
        yield page


def credited_between(
    transactions: Begins[HasPurchases], start: datetime, end: datetime
) -> Iterator[Purchase]:
    """Return our purchases that began in a period and were credited, by their references."""
    after = ""
    while True:
        with transactions.begin() as tx:
            page = tx.purchases.paid_between(start, end, after=after, limit=_ROWS)
        yield from page
        if len(page) < _ROWS:
            return
        after = page[-1].reference
