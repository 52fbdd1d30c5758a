"""The gateway in front of a real LiteLLM proxy with its database.

``LITELLM_DB_TOOL`` names a program that starts such a proxy (``docs/operating.md`` has its terms);
it is run for each of ``LITELLM_VERSIONS``. Without it, ``LITELLM_ADMIN_URL`` says where a proxy is
that was started with ``config.yaml`` beside this file, and ``LITELLM_ADMIN_KEY`` its master key.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from adapters.litellm.admin import AdminClient
from adapters.litellm.keys import LiteLLMKeys
from tests.stack import AUTH_SECRET, Account, Stack, reserved_port, running_stack
from tests.stores import fresh_postgres_database

TOOL = os.environ.get("LITELLM_DB_TOOL", "")
PLACE = os.environ.get("LITELLM_DB_DIR") or "var/litellm-db"
URL = os.environ.get("LITELLM_ADMIN_URL", "")
VERSIONS = (os.environ.get("LITELLM_VERSIONS") or "1.91.5 1.108.7").split() if TOOL else [URL]
MASTER_KEY = (not TOOL and os.environ.get("LITELLM_ADMIN_KEY")) or "sk-local-master"
CONFIG = Path(__file__).with_name("config.yaml")


@dataclass(frozen=True)
class Proxy:
    """A running LiteLLM proxy with a database."""

    base_url: str

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """Ask with the master key."""
        headers = {"authorization": f"Bearer {MASTER_KEY}", **more.pop("headers", {})}
        return requests.request(
            method, f"{self.base_url}{path}", headers=headers, timeout=60, **more
        )

    def key(self, name: str) -> dict[str, Any] | None:
        """Return a key as the proxy has it, by its hash; None where it is gone."""
        answer = self.ask("GET", "/key/info", params={"key": name})
        info: dict[str, Any] = answer.json().get("info") or {}
        return info if answer.ok and info.get("status") != "deleted" else None


@pytest.fixture(scope="session", params=VERSIONS)
def proxy(request: pytest.FixtureRequest) -> Iterator[Proxy]:
    if TOOL:
        with started_proxy(request.param) as proxy:
            yield proxy
        return
    assert URL, "set LITELLM_DB_TOOL, or LITELLM_ADMIN_URL (docs/operating.md)"
    proxy = Proxy(URL.rstrip("/"))
    ready = requests.get(f"{proxy.base_url}/health/readiness", timeout=60).json()
    assert ready["db"] == "connected"
    yield proxy


@contextmanager
def started_proxy(version: str) -> Iterator[Proxy]:
    """Have the tool start a proxy of this version on a new database; stop it at the end."""
    with fresh_postgres_database() as url, reserved_port() as port:
        process = subprocess.Popen(
            [TOOL, version, PLACE, str(CONFIG)],
            env={**os.environ, "DATABASE_URL": url, "PORT": str(port)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            # It says so within some seconds, or minutes where it has to install first.
            assert any(line.startswith("READY ") for line in process.stdout), f"{TOOL} has failed"
            yield Proxy(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(60)
            process.stdout.close()


@pytest.fixture(scope="session")
def stack(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(
        "",
        tmp_path_factory.mktemp("stack"),
        LITELLM_BASE_URL=proxy.base_url,
        LITELLM_MASTER_KEY=MASTER_KEY,
        LITELLM_KEYS="mirror",
    ) as stack:
        yield stack


@pytest.fixture
def account(stack: Stack) -> Account:
    return stack.an_account(credits_="2000")


def name_of_copy(stack: Stack, account: Account) -> str:
    """Return the name of the copy of an account's only key: the hash of its secret."""
    with stack.store.begin() as tx:
        [key] = tx.keys.list_of(account.person_id)
    keys = LiteLLMKeys(
        admin=AdminClient(base_url="http://unused", master_key=""), auth_secret=AUTH_SECRET.encode()
    )
    return hashlib.sha256(keys.secret(key.id).encode()).hexdigest()
