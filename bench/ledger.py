"""The ledger alone: authorize and settle over one connection, beside pgbench on the same server."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from bench.bulk import Bulk
from bench.installs import say
from bench.place import REPOSITORY
from bench.postgres import Postgres

CLIENTS = 256
PGBENCH_SCALE = 10

_MARGIN_S = 60


@dataclass(frozen=True, slots=True)
class LedgerRound:
    """What each did in one round, a second.

    Attributes:
        pairs: Authorize and settle, two durable steps, over one connection.
        pgbench: Transactions of ``pgbench -N`` over one connection.
        pgbench_8: The same over eight.
    """

    pairs: float
    pgbench: float
    pgbench_8: float

    def as_document(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return asdict(self)


def measure_ledger(server: Postgres, *, rounds: int, seconds: int) -> list[LedgerRound]:
    """Let our ledger and pgbench take turns on one server."""
    server.pgbench("-i", "-q", "-s", str(PGBENCH_SCALE), "postgres", timeout_s=120)
    books = Bulk(server)
    books.grow(keys=CLIENTS, calls=0)
    found = []
    for number in range(1, rounds + 1):
        say(f"ledger, round {number} of {rounds}")
        found.append(
            LedgerRound(
                pairs=ledger_load(books, clients=CLIENTS, seconds=seconds)["pairs_per_s"],
                pgbench=server.pgbench_rate(clients=1, seconds=seconds),
                pgbench_8=server.pgbench_rate(clients=8, seconds=seconds),
            )
        )
    books.drop()
    return found


def ledger_load(books: Bulk, *, clients: int, seconds: int) -> dict[str, float]:
    """Load a ledger from a process of its own; return its rate and its median latency."""
    plan = {"url": books.url, "keys": books.keys, "clients": clients, "seconds": seconds}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "bench.ledger_load", json.dumps(plan)],
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.PIPE,
        timeout=seconds + _MARGIN_S,
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told
