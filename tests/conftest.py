"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from adapters.pony_store import PonyTransactions
from creditcore.testing.memory import MemoryTransactions
from tests.stack import Stack, running_stack
from tests.stores import (
    migrated_postgres_database,
    migrated_sqlite_file,
    postgres_store,
    sqlite_store,
)

# Hundreds of processes are started here: they compile our modules once, not each anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_xdist_auto_num_workers() -> int:
    """Three workers on two cores: tests wait for servers and browsers half of their time."""
    return max(1, len(os.sched_getaffinity(0)) * 3 // 2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep reports fit to be sent: what hostile tests make our log say need not be."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def any_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MemoryTransactions | PonyTransactions]:
    """Every store in turn, empty."""
    if request.param == "memory":
        yield MemoryTransactions()
    elif request.param == "sqlite":
        with sqlite_store(tmp_path_factory.mktemp("store")) as store:
            yield store
    else:
        with postgres_store() as store:
            yield store


@pytest.fixture(params=["sqlite", "postgres"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with our tables, all empty, of either kind."""
    if request.param == "sqlite":
        yield migrated_sqlite_file(tmp_path / "credits.db")
    else:
        with migrated_postgres_database() as url:
            yield url


@pytest.fixture(scope="session")
def sqlite_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product as ``make run`` starts it: one process on SQLite."""
    with running_stack("", tmp_path_factory.mktemp("sqlite-stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
def postgres_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product as a company runs it: four processes on PostgreSQL."""
    with (
        migrated_postgres_database() as url,
        running_stack(url, tmp_path_factory.mktemp("postgres-stack"), workers=4) as stack,
    ):
        yield stack


@pytest.fixture(params=["sqlite", "postgres"])
def stack(request: pytest.FixtureRequest) -> Stack:
    """Both in turn."""
    found: Stack = request.getfixturevalue(f"{request.param}_stack")
    return found
