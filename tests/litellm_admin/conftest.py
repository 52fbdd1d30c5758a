"""The gateway in front of a real LiteLLM proxy with its database, which somebody has started.

``LITELLM_ADMIN_URL`` says where it is, ``LITELLM_ADMIN_KEY`` its master key. ``config.yaml`` beside
this file is what it has to be started with.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from adapters.litellm.admin import AdminClient
from adapters.litellm.keys import LiteLLMKeys
from tests.stack import AUTH_SECRET, Account, Stack, running_stack

MASTER_KEY = os.environ.get("LITELLM_ADMIN_KEY", "sk-local-master")


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


@pytest.fixture(scope="session")
def proxy() -> Proxy:
    url = os.environ.get("LITELLM_ADMIN_URL", "")
    assert url, "set LITELLM_ADMIN_URL to a LiteLLM with a database (docs/operating.md)"
    proxy = Proxy(url.rstrip("/"))
    ready = requests.get(f"{proxy.base_url}/health/readiness", timeout=60).json()
    assert ready["db"] == "connected"
    return proxy


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
    """Return the name of the copy of an account's only key: the hash of a secret nobody stores."""
    with stack.store.begin() as tx:
        [key] = tx.keys.list_of(account.person_id)
    keys = LiteLLMKeys(
        admin=AdminClient(base_url="http://unused", master_key=""), auth_secret=AUTH_SECRET.encode()
    )
    return hashlib.sha256(keys.secret(key.id).encode()).hexdigest()
