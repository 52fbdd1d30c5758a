"""PostgreSQL gives transactions up: a deadlock, a serialization failure, a lock that takes long.

The money step is refused as a whole, may be asked for again under the same reference, and happens
once in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import psycopg2
import pytest

from adapters.pony_store import PonyTransactions, open_store
from adapters.pony_store.committer.committer import PostgresCommitter
from creditcore import AuditBooks, ChargeUsage, Credits, GroupCommit, SystemClock
from creditcore.domain.errors import StoreError
from creditcore.testing.contracts import a_wallet
from tests.faults.length import TIMES
from tests.stores import WAIT_S, ask, migrated_postgres_database

CALLS = 5 * TIMES
MOST_TRIES = 20

# https://www.postgresql.org/docs/current/errcodes-appendix.html
GIVEN_UP = {"deadlock": "40P01", "serialization": "40001", "lock timeout": "55P03"}

# A sequence counts on in a transaction that is given up: two of three changes fail.
FAULT = """
    CREATE SEQUENCE changes;
    CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('changes') % 3 <> 0 THEN
            RAISE EXCEPTION 'given up' USING ERRCODE = '{code}';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER give_up BEFORE UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION give_up();
"""

T = TypeVar("T")


@dataclass(frozen=True)
class Database:
    """A database, and both ways to it."""

    url: str
    store: PonyTransactions
    committer: PostgresCommitter


@pytest.fixture
def database() -> Iterator[Database]:
    with (
        migrated_postgres_database() as url,
        closing(open_store(url, wait_s=WAIT_S)) as store,
        closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer,
    ):
        yield Database(url, store, committer)


@pytest.mark.parametrize("code", GIVEN_UP.values(), ids=GIVEN_UP)
def test_a_step_that_the_database_gave_up_is_taken_once_when_asked_again(
    database: Database, code: str, record_property: Callable[[str, object], None]
) -> None:
    a_wallet(database.store, posted=100 * CALLS)
    with closing(psycopg2.connect(database.url)) as connection:
        connection.cursor().execute(FAULT.format(code=code))
        connection.commit()
    clock = SystemClock()

    with GroupCommit(transactions=database.committer, clock=clock) as commits:
        charge = ChargeUsage(commits=commits, transactions=database.store, clock=clock)
        for number in range(CALLS):
            authorize = partial(
                charge.authorize, "wallet-1", ceiling=Credits(100), reference=f"call-{number}"
            )
            hold = until_acknowledged(authorize).hold
            closed = until_acknowledged(partial(charge.settle, hold, Credits(30)))
            assert closed.charged == Credits(30)

    # Each of them succeeded at the third try.
    assert ask(database.url, "SELECT last_value FROM changes") == 3 * 2 * CALLS
    with database.store.begin() as tx:
        wallet = tx.ledger.find_wallet("wallet-1")
    assert (wallet.posted, wallet.held) == (Credits(70 * CALLS), Credits(0))
    assert AuditBooks(transactions=database.store).audit().clean
    record_property("tries", 2 * CALLS)


def until_acknowledged(step: Callable[[], T]) -> T:
    for _ in range(MOST_TRIES):
        with suppress(StoreError):
            return step()
    pytest.fail(f"refused {MOST_TRIES} times")
