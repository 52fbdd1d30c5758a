"""What was rolled up before there were blocks of hours is added up when they come."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.pony_store import open_store
from adapters.pony_store.engine import engine_for
from creditcore.testing.contracts import NOON, a_wallet
from creditcore.testing.contracts.usage_hours import ENDS, Made, make
from creditcore.testing.memory import FixedClock
from creditcore.usecases.books.roll_up_usage import RollUpUsage
from tests.stores import migrate_to, migrated_postgres_database, migrated_sqlite_file

TABLES = ("usage_blocks", "usage_wallet_blocks", "usage_last_uses")


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_blocks_of_what_was_rolled_up_before_are_those_that_the_roll_up_writes(
    database: str, tmp_path: Path
) -> None:
    if database == "sqlite":
        check(migrated_sqlite_file(tmp_path / "credits.db"))
        return
    with migrated_postgres_database() as url:
        check(url)


def check(url: str) -> None:
    with closing(open_store(url)) as store:
        a_wallet(store, posted=100_000)
        for number, outcome in enumerate(ENDS):
            at = NOON + number * timedelta(hours=5)
            make(store, Made(reference=f"call-{number}", began=at, outcome=outcome))
        clock = FixedClock(NOON + timedelta(days=9))
        RollUpUsage(transactions=store, clock=clock).roll_up()
    before = rows(url)
    assert all(before)
    change(url, *(f"DROP TABLE {table}" for table in TABLES),
           "UPDATE alembic_version SET version_num = '0041'")  # fmt: skip

    # Later migrations are in place already: the store that wrote the rows needs them.
    migrate_to(url, "0042")

    assert rows(url) == before


def rows(url: str) -> list[list[tuple[Any, ...]]]:
    with closing(engine_for(url).open_connection()) as connection:
        cursor = connection.cursor()
        found = []
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - the names above
            read = [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                    for row in cursor.fetchall()]  # fmt: skip
            found.append(sorted(read))
        return found


def change(url: str, *statements: str) -> None:
    with closing(engine_for(url).open_connection()) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        connection.commit()
