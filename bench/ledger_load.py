"""Authorize and settle, again and again, from many greenlets over one connection.

A program of its own, so that gevent patches the process before anything else is
imported, as in the gateway: ``python -m bench.ledger_load PLAN`` prints one line of JSON.
"""

# ruff: noqa: E402 - the patch comes first
from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import hashlib
import json
import random
import statistics
import sys
import time
from contextlib import closing
from datetime import timedelta

import gevent

from adapters.pony_store import committer_for, install_wait_callback, open_store
from creditcore import ChargeUsage, Credits, GroupCommit, SystemClock, SystemIds
from creditcore.domain.holds import Basis, Call, Outcome
from creditcore.domain.pricing import Ceiling, Usage

_CEILING = Ceiling.of(Credits.parse("0.5"))
_COST = Credits.parse("0.0096")
_OUTCOME = Outcome(
    basis=Basis.PROVIDER_USAGE,
    usage=Usage(prompt_tokens=12, completion_tokens=9),
    provider_cost_picodollars=48_000_000,
    status=200,
    latency_ms=12,
    first_byte_ms=11,
)


def key_hash(number: int) -> bytes:
    """Return the hash of a key that ``bench.bulk`` has loaded."""
    return hashlib.sha256(f"bench-key-{number}".encode()).digest()


def main(plan: dict[str, object]) -> dict[str, float]:
    """Load the ledger for a while, and say how that went.

    Args:
        plan: ``url`` of the database, ``keys`` in it, how many ``clients``, ``seconds``.
    """
    install_wait_callback()
    keys, clients, seconds = (int(str(plan[name])) for name in ("keys", "clients", "seconds"))
    clock, ids = SystemClock(), SystemIds()
    latencies: list[float] = []
    with (
        closing(open_store(str(plan["url"]), pool_size=1)) as store,
        closing(committer_for(str(plan["url"]))) as committer,
        GroupCommit(transactions=committer, clock=clock) as commits,
    ):
        charge = ChargeUsage(
            commits=commits, transactions=store, clock=clock, lifetime=timedelta(minutes=5)
        )
        began = time.monotonic()
        until = began + seconds

        def client() -> None:
            while (started := time.monotonic()) < until:
                admission = charge.authorize_key(
                    key_hash(random.randrange(keys)),  # noqa: S311 - any key will do
                    ceiling=_CEILING,
                    reference=ids.new_reference("call"),
                    call=Call(model="bench-chat", endpoint="/v1/chat/completions"),
                )
                charge.settle(admission.hold, _COST, outcome=_OUTCOME)
                latencies.append(time.monotonic() - started)

        gevent.joinall([gevent.spawn(client) for _ in range(clients)], raise_error=True)
        elapsed = time.monotonic() - began
    return {
        "pairs_per_s": len(latencies) / elapsed,
        "p50_ms": statistics.median(latencies) * 1000,
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))  # noqa: T201 - the promised line
