"""Millions of rows, copied inside the database from one that the use cases made."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg2

from adapters.pony_store import migrate, open_store
from bench.accounts import CREDITS
from bench.postgres import Postgres
from creditcore import ChargeUsage, Credits, GroupCommit, SystemClock, SystemIds
from creditcore.domain.holds import Basis, Call, Outcome
from creditcore.domain.identities import Identity
from creditcore.domain.pricing import Ceiling, Usage
from creditcore.usecases.keys.issue_key import IssueKey
from creditcore.usecases.people.welcome_person import WelcomePerson

_BATCH = 1_000_000

# Half of all calls belong to wallet 0: the page of its owner is the hardest to make.
_OF_SOMEBODY = "(CASE WHEN n % 2 = 0 THEN 0 ELSE n / 2 % {keys} END)"

PEOPLE_WITH_KEYS: Mapping[str, Mapping[str, str]] = {
    "profiles": {
        "id": "'bench-person-' || n",
        "email": "'bench-person-' || n || '@example.com'",
    },
    "wallets": {"id": "'bench-wallet-' || n", "owner_id": "'bench-person-' || n"},
    "virtual_keys": {
        "id": "'bench-key-' || n",
        "wallet_id": "'bench-wallet-' || n",
        "owner_id": "'bench-person-' || n",
        "key_hash": "sha256(convert_to('bench-key-' || n, 'UTF8'))",
    },
}
_CALLS: Mapping[str, Mapping[str, str]] = {
    "usage_logs": {
        "id": "'bench-call-' || lpad(n::text, 12, '0')",
        "wallet_id": f"'bench-wallet-' || {_OF_SOMEBODY}",
        "key_id": f"'bench-key-' || {_OF_SOMEBODY}",
        "created_at": "made.created_at - (1000000000 - n) * 1000",
        "expires_at": "made.expires_at - (1000000000 - n) * 1000",
        "closed_at": "made.closed_at - (1000000000 - n) * 1000",
    },
    "transfers": {
        "reference": "'bench-call-' || lpad(n::text, 12, '0')",
        "wallet_id": f"'bench-wallet-' || {_OF_SOMEBODY}",
        "at": "made.at - (1000000000 - n) * 1000",
    },
}
# Which of the rows that the use cases made is copied.
_MADE = {
    "usage_logs": "state = 'settled'",
    "transfers": "kind = 'charge'",
    "profiles": "email = 'bench@example.com'",
}


class Bulk:
    """A database of a gateway, which grows.

    Attributes:
        url: How to connect to it.
        keys: How many keys it has; each has an owner and a wallet of its own.
        calls: How many calls it has.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._name = f"growth_{secrets.token_hex(4)}"
        self.url = server.new_database(self._name)
        self.keys = 0
        self.calls = 0
        migrate(self.url)
        make_one_of_each(self.url)

    def grow(self, *, keys: int, calls: int) -> None:
        """Add rows until there are so many."""
        self._copy_more(PEOPLE_WITH_KEYS, self.keys, keys)
        self.keys = max(keys, self.keys)
        self._copy_more(_CALLS, self.calls, calls)
        self.calls = max(calls, self.calls)
        # As autovacuum would, had the rows come over months.
        self._server.run("VACUUM ANALYZE", "CHECKPOINT", database=self._name)

    def drop(self) -> None:
        """Give the disk space back."""
        self._server.run(f"DROP DATABASE {self._name} WITH (FORCE)")

    def _copy_more(self, tables: Mapping[str, Mapping[str, str]], first: int, end: int) -> None:
        of_now = {
            table: {column: text.format(keys=self.keys) for column, text in different.items()}
            for table, different in tables.items()
        }
        copy_rows(self.url, of_now, first=first, end=end)


def copy_rows(
    url: str, tables: Mapping[str, Mapping[str, str]], *, first: int, end: int, batch: int = _BATCH
) -> None:
    """Copy a row of each table, numbered from one number up to and without another.

    Args:
        url: The database, where ``make_one_of_each`` has been.
        tables: By table and column, what differs in each copy: SQL over ``n``, its number,
            and ``made``, the row that is copied.
        first: The number of the first copy.
        end: The number after that of the last one.
        batch: How many are in one transaction.
    """
    with closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        # The rows refer to one another as they should; checking each takes longer than
        # writing it.
        cursor.execute("SET session_replication_role = replica")
        for start in range(first, end, batch):
            last = min(start + batch, end) - 1
            for table, different in tables.items():
                _copy(cursor, table, different, first=start, last=last)
            connection.commit()


def _copy(cursor: Any, table: str, different: Mapping[str, str], *, first: int, last: int) -> None:
    # Every statement is put together from constants of this package.
    cursor.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608
    columns = [column[0] for column in cursor.description]
    values = [different.get(column, f"made.{column}") for column in columns]
    made = f"SELECT * FROM {table} WHERE {_MADE.get(table, 'true')} LIMIT 1"  # noqa: S608
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"  # noqa: S608
        f" FROM generate_series({first}::bigint, {last}) AS n, ({made}) AS made"
    )


def make_one_of_each(url: str) -> None:
    """Make a person with a key and a call, by the use cases: what copies are made of."""
    clock, ids = SystemClock(), SystemIds()
    with closing(open_store(url)) as store, GroupCommit(transactions=store, clock=clock) as commits:
        person = WelcomePerson(
            transactions=store,
            clock=clock,
            ids=ids,
            signup_credits=CREDITS,
            credits_per_day=CREDITS,
        ).welcome(Identity(subject=ids.new(), email="bench@example.com", email_verified=True))
        key, _ = IssueKey(transactions=store, clock=clock, ids=ids, pepper=b"bench").issue(
            person.id, name="bench"
        )
        charge = ChargeUsage(commits=commits, transactions=store, clock=clock)
        admission = charge.authorize_key(
            key.key_hash,
            ceiling=Ceiling.of(Credits.parse("0.5")),
            reference=ids.new_reference("call"),
            call=Call(model="bench-chat", endpoint="/v1/chat/completions"),
        )
        outcome = Outcome(
            basis=Basis.PROVIDER_USAGE,
            usage=Usage(prompt_tokens=12, completion_tokens=9),
            status=200,
        )
        charge.settle(admission.hold, Credits.parse("0.0096"), outcome=outcome)
