"""Migrations bring any older database up to date, once, and leave a broken one alone."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from adapters.pony_store import migrate, open_store, pending_migrations
from adapters.pony_store.engine import engine_for
from adapters.pony_store.sqlite import BUSY_WAIT_MS, MIGRATION_WAIT_MS, SqliteEngine
from creditcore.domain.errors import StoreError, StoreUnavailableError
from creditcore.domain.money import Credits
from tests.integration.schema_rows import COLUMNS, ROWS, insert
from tests.stores import migrate_to


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    pending = pending_migrations(empty_url)

    assert migrate(empty_url) == pending != []
    assert migrate(empty_url) == []
    assert pending_migrations(empty_url) == []


def test_an_older_database_is_brought_up_to_date_and_keeps_its_rows(empty_url: str) -> None:
    migrate_to(empty_url, "0001")
    engine = engine_for(empty_url)
    with closing(engine.open_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute(COLUMNS[engine.provider])
        tables = {table for table, *_ in cursor.fetchall()}
        for table, row in ROWS.items():
            if table in tables:
                insert(engine, connection, table, row)
        connection.commit()

    assert migrate(empty_url)[0] == "0002"

    with closing(open_store(empty_url)) as store, store.begin() as tx:
        assert tx.ledger.find_wallet("w-1").posted == Credits(10)
        assert len(tx.ledger.transfers_of("w-1", limit=10)) == 1
        person = tx.people.find("p-1")
        assert person is not None
        assert person.session_epoch == 0
    with closing(engine.open_connection()) as connection:
        # It is gone: there is room for another one of that name.
        connection.cursor().execute("CREATE INDEX transfers_of_wallet ON transfers (at)")


def test_a_migration_that_fails_leaves_the_schema_as_it_was(empty_url: str) -> None:
    engine = engine_for(empty_url)
    with closing(engine.open_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE system_alerts (key TEXT)")
        connection.commit()

        with pytest.raises(StoreError):
            migrate(empty_url)

        cursor.execute(COLUMNS[engine.provider])
        assert [(table, column) for table, column, *_ in cursor] == [("system_alerts", "key")]


def test_many_processes_may_migrate_at_once(empty_url: str) -> None:
    program = "import sys; from adapters.pony_store import migrate; print(migrate(sys.argv[1]))"
    revisions = pending_migrations(empty_url)

    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, empty_url],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(3)
    ]
    printed = [process.communicate()[0].strip() for process in processes]

    assert sorted(printed) == sorted([str(revisions), "[]", "[]"])


def test_a_migration_of_another_process_is_waited_for_in_a_file(tmp_path: Path) -> None:
    engine = SqliteEngine(str(tmp_path / "credits.db"))

    with closing(engine.without_limits().open_connection()) as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (MIGRATION_WAIT_MS,)
    with closing(engine.open_connection()) as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (BUSY_WAIT_MS,)


def test_a_store_without_its_tables_is_not_opened(empty_url: str) -> None:
    before = open_files()

    with pytest.raises(StoreError):
        open_store(empty_url)

    assert open_files() == before


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    for url in (
        f"sqlite:///{tmp_path / 'missing' / 'credits.db'}",
        f"postgresql://postgres@/postgres?host={tmp_path}",
    ):
        with pytest.raises(StoreUnavailableError):
            open_store(url)
        with pytest.raises(StoreUnavailableError):
            migrate(url)


@pytest.mark.parametrize("url", ["mysql://somewhere/credits", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_not_supported(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        open_store(url)
