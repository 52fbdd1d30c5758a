"""Half a year of calls in a gateway's books, half of them of one customer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence

from adapters.pony_store import migrate
from bench.bulk import PEOPLE_WITH_KEYS, copy_rows, make_one_of_each
from bench.installs import say
from bench.postgres import Postgres

DAYS = 180
MODELS = 8
PEOPLE = 1_000
_BATCH = 250_000
_SPAN_MICROS = DAYS * 24 * 3_600_000_000
_MINE = "n % 2 = 0"
_OTHERS = f"(n / 2 % {PEOPLE})"
# The same in both tables.
_CHARGE = "(2000 + n * 7919 % 90000)"
_LATENCY_MS = "(300 + n * 104729 % 4000)"
_FAILS = "n % 97 = 0"

_PEOPLE: Mapping[str, Mapping[str, str]] = {
    **PEOPLE_WITH_KEYS,
    "profiles": {**PEOPLE_WITH_KEYS["profiles"], "subject": "'bench-person-' || n"},
}


def _calls(wallet_id: str, keys: Sequence[str], calls: int) -> Mapping[str, Mapping[str, str]]:
    wallet = f"CASE WHEN {_MINE} THEN '{wallet_id}' ELSE 'bench-wallet-' || {_OTHERS} END"
    listed = ", ".join(f"'{key}'" for key in keys)
    own_key = f"(ARRAY[{listed}])[n / 2 % {len(keys)} + 1]"

    step = _SPAN_MICROS // max(1, calls)

    def after_start(column: str, more: str = "0") -> str:
        return f"made.{column} - {_SPAN_MICROS} + n * {step} + {more}"

    return {
        "usage_logs": {
            "id": "'bench-call-' || lpad(n::text, 12, '0')",
            "wallet_id": wallet,
            "key_id": f"CASE WHEN {_MINE} THEN {own_key} ELSE 'bench-key-' || {_OTHERS} END",
            "model": f"'bench-model-' || (n / 2 / {len(keys)} % {MODELS})",
            "stream": "n % 3 > 0",
            "charge": _CHARGE,
            "hold_amount": "100000",
            "prompt_tokens": "100 + n * 31 % 5000",
            "completion_tokens": "20 + n * 17 % 900",
            "status": f"CASE WHEN {_FAILS} THEN 502 ELSE 200 END",
            "error": f"CASE WHEN {_FAILS} THEN 'upstream_unavailable' END",
            "latency_ms": _LATENCY_MS,
            "first_byte_ms": f"{_LATENCY_MS} / 4",
            "created_at": after_start("created_at"),
            "expires_at": after_start("expires_at"),
            "closed_at": after_start("closed_at", f"{_LATENCY_MS} * 1000"),
        },
        "transfers": {
            "reference": "'charge:bench-call-' || lpad(n::text, 12, '0')",
            "wallet_id": wallet,
            "from_account": wallet,
            "amount": _CHARGE,
            "at": after_start("at", f"{_LATENCY_MS} * 1000"),
        },
    }


class HalfYear:
    """A database of a gateway, which half a year of calls is written to.

    Attributes:
        url: How to connect to it.
        calls: How many calls it gets; every other one is of one customer.
    """

    def __init__(self, server: Postgres, *, calls: int) -> None:
        self._server = server
        self._name = f"pages_{secrets.token_hex(4)}"
        self.url = server.new_database(self._name)
        self.calls = calls
        migrate(self.url)
        make_one_of_each(self.url)

    def fill(self, wallet_id: str, key_ids: Sequence[str], roll_up: Callable[[], int]) -> None:
        """Write people and calls, half of them of one wallet, and roll them up.

        Args:
            wallet_id: The customer's.
            key_ids: The customer's.
            roll_up: The use case, which returns how many calls it counted.
        """
        say(f"pages: writing {self.calls:,} calls")
        copy_rows(self.url, _PEOPLE, first=0, end=PEOPLE, batch=_BATCH)
        calls = _calls(wallet_id, key_ids, self.calls)
        copy_rows(self.url, calls, first=0, end=self.calls, batch=_BATCH)
        # As autovacuum would, had the rows come over months.
        self._server.run("VACUUM ANALYZE", "CHECKPOINT", database=self._name)
        say("pages: rolling them up")
        while roll_up():
            pass
        self._server.run("VACUUM ANALYZE", "CHECKPOINT", database=self._name)

    def drop(self) -> None:
        """Give the disk space back."""
        self._server.run(f"DROP DATABASE {self._name} WITH (FORCE)")
