"""What becomes slower as keys and calls pile up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from adapters.pony_store import open_store
from bench.bulk import Bulk
from bench.installs import say
from bench.ledger import CLIENTS, ledger_load
from bench.postgres import Postgres
from creditcore import SystemClock
from creditcore.ports.transactions import Transaction

_REPEATS = 30
_WARM_UP_S = 60
"""Each page is written whole when it is first changed after a checkpoint. Loading ends with
one, and in this time most pages that calls change have been changed once."""


@dataclass(frozen=True, slots=True)
class GrowthStep:
    """A size, and how fast things are at it.

    Attributes:
        keys: Keys, each with its owner and wallet.
        calls: Rows of ``usage_logs``; half of them are of one wallet.
        pairs_per_s: Authorize and settle from many clients over one connection.
        pair_ms: The median of one pair, one client.
        pages_ms: The median of the queries of each page, for the busiest wallet.
    """

    keys: int
    calls: int
    pairs_per_s: float
    pair_ms: float
    pages_ms: dict[str, float]

    def as_document(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return asdict(self)


def measure_growth(
    server: Postgres, *, keys: list[int], calls: list[int], rounds: int, seconds: int
) -> list[GrowthStep]:
    """Measure at each number of keys without calls, then at each number of calls."""
    books = Bulk(server)
    first, *more = sorted(calls)
    sizes = [(count, first) for count in sorted(keys)] + [(max(keys), count) for count in more]
    found = []
    for key_count, call_count in sizes:
        say(f"growth: {key_count:,} keys, {call_count:,} calls")
        books.grow(keys=key_count, calls=call_count)
        ledger_load(books, clients=CLIENTS, seconds=_WARM_UP_S)
        many = [ledger_load(books, clients=CLIENTS, seconds=seconds) for _ in range(rounds)]
        one = [ledger_load(books, clients=1, seconds=seconds) for _ in range(rounds)]
        found.append(
            GrowthStep(
                keys=key_count,
                calls=call_count,
                pairs_per_s=statistics.median(told["pairs_per_s"] for told in many),
                pair_ms=statistics.median(told["p50_ms"] for told in one),
                pages_ms=_pages(books),
            )
        )
    books.drop()
    return found


def _pages(books: Bulk) -> dict[str, float]:
    """Time what each page reads, for the owner of the busiest wallet."""
    wallet, owner = "bench-wallet-0", "bench-person-0"
    now = SystemClock().now()
    pages: dict[str, Callable[[Transaction], object]] = {
        "dashboard": lambda tx: (
            tx.ledger.find_wallet_of(owner),
            tx.calls.recent(wallet, limit=25),
            tx.keys.list_of(owner),
        ),
        "billing": lambda tx: (
            tx.ledger.find_wallet_of(owner),
            tx.purchases.list_of(owner, limit=50),
            tx.ledger.transfers_of(wallet, limit=50),
        ),
        "keys": lambda tx: tx.keys.list_of(owner),
        "expired holds": lambda tx: tx.ledger.expired_holds(now=now, limit=200),
    }
    with closing(open_store(books.url)) as store:

        def once(read: Callable[[Transaction], object]) -> float:
            began = time.monotonic()
            with store.begin() as tx:
                read(tx)
            return (time.monotonic() - began) * 1000

        return {
            page: statistics.median(once(read) for _ in range(_REPEATS))
            for page, read in pages.items()
        }
