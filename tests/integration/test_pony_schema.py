"""The migrated schema is what the entities say, and values come back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from adapters.pony_store import PonyTransactions, open_store
from adapters.pony_store.engine import engine_for
from creditcore.domain.errors import RefusedByStoreError
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import Credits
from creditcore.testing.contracts import a_key, a_wallet
from tests.integration.schema_rows import COLUMNS


@pytest.fixture
def url(any_url: str) -> str:
    return any_url


@pytest.fixture
def store(url: str) -> Iterator[PonyTransactions]:
    with closing(open_store(url)) as store:
        yield store


def test_tables_have_the_columns_of_the_entities(url: str, store: PonyTransactions) -> None:
    engine = engine_for(url)
    # A STRICT table of SQLite has no other whole numbers.
    kinds = {"BIGINT": "INTEGER", "BOOLEAN": "INTEGER"} if engine.provider == "sqlite" else {}
    entities = {
        (table.name, column.name, kinds.get(column.sql_type, column.sql_type), column.is_not_null)
        for table in store._db.schema.tables.values()
        for column in table.column_list
    }

    with closing(engine.open_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute(COLUMNS[engine.provider])
        columns = {
            (table, column, kind.upper(), bool(not_null))
            for table, column, kind, not_null in cursor.fetchall()
            if table != "alembic_version"
        }

    assert columns == entities


def test_64_bits_come_back_whole(store: PonyTransactions) -> None:
    a_wallet(store, posted=2**62)

    with store.begin() as tx:
        assert tx.ledger.find_wallet("wallet-1").posted == Credits(2**62)
        assert tx.audit.breaches("I1", limit=1) == []


def test_text_comes_back_untouched(store: PonyTransactions) -> None:
    key = replace(a_key(a_wallet(store)), name="  my laptop\n💻 $(1+1) 100% ? ")

    with store.begin() as tx:
        tx.keys.add(key)
        tx.commit()

    with store.begin() as tx:
        assert tx.keys.list_of(key.owner_id) == [key]


def test_half_of_a_surrogate_pair_is_refused(store: PonyTransactions) -> None:
    key = a_key(a_wallet(store))

    with pytest.raises(RefusedByStoreError), store.begin() as tx:
        tx.keys.add(replace(key, name="\ud83d"))
    with pytest.raises(RefusedByStoreError), store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="\ud83d", owner_id="somebody"))

    with store.begin() as tx:
        assert tx.keys.list_of(key.owner_id) == []
