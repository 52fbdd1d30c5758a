"""What was rolled up before there were other tables of it is counted there when they come."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.pony_store import open_store
from adapters.pony_store.engine import engine_for
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import Histogram, hour_of
from creditcore.ports.usage_hours import RefusalCount
from creditcore.testing.contracts import NOON, a_wallet
from creditcore.testing.contracts.usage_hours import ENDS, Made, make
from creditcore.testing.memory import FixedClock
from creditcore.usecases.books.roll_up_usage import RollUpUsage
from tests.stores import migrate_to, migrated_postgres_database, migrated_sqlite_file

TABLES = ("usage_blocks", "usage_wallet_blocks", "usage_last_uses")
_BY_ERROR = ("usage_failures", "usage_refusals")


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


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_errors_of_what_was_rolled_up_before_are_those_that_the_roll_up_writes(
    database: str, tmp_path: Path
) -> None:
    if database == "sqlite":
        check_errors(migrated_sqlite_file(tmp_path / "credits.db"))
        return
    with migrated_postgres_database() as url:
        check_errors(url)


def check_errors(url: str) -> None:
    refused = [
        RefusalCount("wallet-1", hour_of(NOON), "key-1", "demo", status, error, 2)
        for status, error in ((402, "http_402"), (429, "http_429"), (400, "refused"))
    ]
    with closing(open_store(url)) as store:
        a_wallet(store, posted=100_000)
        for number, outcome in enumerate(ENDS):
            make(store, Made(reference=f"call-{number}", outcome=outcome))
        with store.begin() as tx:
            tx.usage_hours.add_refusals(refused)
            tx.commit()
        RollUpUsage(transactions=store, clock=FixedClock(NOON + timedelta(days=1))).roll_up()
    before = rows(url, _BY_ERROR)
    assert all(before)
    change(url, *(f"DROP TABLE {table}" for table in _BY_ERROR),
           "CREATE TABLE usage_failures (calls INTEGER)",
           "UPDATE alembic_version SET version_num = '0046'")  # fmt: skip

    migrate_to(url, "0047")

    assert rows(url, _BY_ERROR) == before


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_routes_of_what_was_rolled_up_before_are_those_that_the_roll_up_writes(
    database: str, tmp_path: Path
) -> None:
    if database == "sqlite":
        check_routes(migrated_sqlite_file(tmp_path / "credits.db"))
        return
    with migrated_postgres_database() as url:
        check_routes(url)


def check_routes(url: str) -> None:
    with closing(open_store(url)) as store:
        a_wallet(store, posted=100_000)
        for number, outcome in enumerate(ENDS):
            route = ("/v1/messages", "/v1/embeddings")[number % 2]
            make(store, Made(reference=f"call-{number}", endpoint=route, outcome=outcome))
        RollUpUsage(transactions=store, clock=FixedClock(NOON + timedelta(days=1))).roll_up()
    before = rows(url, ("usage_endpoints",))
    assert all(before)
    change(url, "DROP TABLE usage_endpoints",
           "UPDATE alembic_version SET version_num = '0049'")  # fmt: skip

    migrate_to(url, "0050")

    assert rows(url, ("usage_endpoints",)) == before
    change(url, "UPDATE usage_endpoints SET charge = charge + 1 WHERE endpoint = '/v1/messages'")
    with closing(open_store(url)) as store, store.begin() as tx:
        day = Span(NOON - timedelta(days=1), NOON + timedelta(days=1))
        assert tx.usage_hours.differing_hours(day, limit=9) == [hour_of(NOON)]


HOUR = 3_600_000_000
FIGURES = 16
COLUMNS = 4 + FIGURES + 3


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_blocks_are_the_sums_of_their_hours_to_the_last_count(
    database: str, tmp_path: Path
) -> None:
    if database == "sqlite":
        check_sums(migrated_sqlite_file(tmp_path / "credits.db"))
        return
    with migrated_postgres_database() as url:
        check_sums(url)


def check_sums(url: str) -> None:
    with closing(open_store(url)) as store:
        for wallet_id in ("wallet-1", "wallet-2"):
            a_wallet(store, wallet_id=wallet_id)
    hours = list(some_hours(random.Random(7)))  # noqa: S311 - made up
    marks = ", ".join([engine_for(url).statement("?")] * COLUMNS)
    with closing(engine_for(url).open_connection()) as connection:
        cursor = connection.cursor()
        cursor.executemany(f"INSERT INTO usage_hourly VALUES ({marks})", hours)  # noqa: S608
        connection.commit()
    change(url, *(f"DROP TABLE {table}" for table in TABLES),
           "UPDATE alembic_version SET version_num = '0041'")  # fmt: skip

    migrate_to(url, "0042")

    of_keys, of_wallets, _ = rows(url)
    assert of_keys == sums_of(hours, keyed=True)
    assert of_wallets == sums_of(hours, keyed=False)


def some_hours(chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """Make hours of two wallets, with counts that carry from byte to byte, and some untimed."""
    for number in range(400):
        wallet_id = f"wallet-{number % 2 + 1}"
        counts = [
            (chance.randrange(48), chance.choice([1, 130, 255, 256, 65_535, 2**32]))
            for _ in range(chance.randrange(4))
        ]
        timed = [Histogram.counted(counts).pack(), Histogram.counted(counts[:1]).pack()]
        figures = [number + 100, 1, 2, *(chance.randrange(10**9) for _ in range(FIGURES - 3))]
        # From the beginning of time, where a block begins with the first hour.
        hour = (number // 8) * HOUR
        key_id, model = f"key-{number // 2 % 2}", f"model-{number // 4 % 2}"
        oldest = None if number % 3 else hour + number
        yield (wallet_id, hour, key_id, model, *figures, oldest, *timed)


def sums_of(hours: list[tuple[Any, ...]], *, keyed: bool) -> list[tuple[Any, ...]]:
    """Add hours up as people would, one by one."""
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for wallet_id, hour, key_id, model, *rest in hours:
        for length in (3, 6, 24):
            begins = hour // (length * HOUR) * length * HOUR
            name = (wallet_id, length, begins, *((key_id, model) if keyed else ()))
            if keyed or any(rest[-2:]):
                found[name].append(tuple(rest))
    return sorted(
        (*name, *(_sums(some) if keyed else ()), *_timed(some)) for name, some in found.items()
    )


def _sums(some: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    *figures, oldest, _, _ = zip(*some, strict=True)
    return (*map(sum, figures), min((at for at in oldest if at is not None), default=None))


def _timed(some: list[tuple[Any, ...]]) -> tuple[bytes, bytes]:
    latency, first_byte = (
        sum((Histogram.unpack(packed) for packed in column), Histogram())
        for column in list(zip(*some, strict=True))[-2:]
    )
    return latency.pack(), first_byte.pack()


def rows(url: str, tables: tuple[str, ...] = TABLES) -> list[list[tuple[Any, ...]]]:
    with closing(engine_for(url).open_connection()) as connection:
        cursor = connection.cursor()
        found = []
        for table in tables:
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
