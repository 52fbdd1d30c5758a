"""An empty database of ours and its store; model servers, scripted or not, and who asks them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.litellm.relay import LiteLLMRelay
from adapters.pony_store import PonyTransactions, open_store
from sandbox.process import SandboxProcess
from tests.integration.sandbox_client import Client
from tests.integration.upstream import Server, a_relay
from tests.stores import WAIT_S, fresh_postgres_database, migrated_postgres_database


@pytest.fixture
def url() -> Iterator[str]:
    with migrated_postgres_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without our tables, of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'credits.db'}"
    else:
        with fresh_postgres_database() as url:
            yield url


@pytest.fixture
def store(url: str) -> Iterator[PonyTransactions]:
    with closing(open_store(url, pool_size=8, wait_s=WAIT_S)) as store:
        yield store


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def relay(server: Server) -> Iterator[LiteLLMRelay]:
    relay = a_relay(server)
    yield relay
    relay.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess.start() as running:
        yield running


@pytest.fixture
def litellm(sandbox: SandboxProcess) -> Iterator[Client]:
    client = Client(sandbox)
    assert client.control("/reset").status_code == 200
    yield client
    client.http.close()
