"""People who visit the site that runs in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from creditcore.testing.memory import MemoryTransactions
from tests.stores import postgres_store, sqlite_store
from tests.visitors import Visitor
from tests.web.site import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(MemoryTransactions(), tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session", params=["memory", "sqlite", "postgres"])
def any_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The site on every store in turn."""
    folder = tmp_path_factory.mktemp("any-site")
    if request.param == "memory":
        yield Site(MemoryTransactions(), folder)
    elif request.param == "sqlite":
        with sqlite_store(folder) as store:
            yield Site(store, folder)
    else:
        with postgres_store() as store:
            yield Site(store, folder)


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    with Visitor(site) as visitor:
        yield visitor


@pytest.fixture
def member(site: Site) -> Iterator[Visitor]:
    with Visitor(site) as member:
        yield member.sign_up()


@pytest.fixture
def stranger(site: Site) -> Iterator[Visitor]:
    with Visitor(site) as stranger:
        yield stranger
