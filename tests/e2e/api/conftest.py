"""A gateway, and programs that talk to its account API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from creditcore import ApiKey, IssueKey, SystemClock, SystemIds
from creditcore.domain.keys import Scope
from tests.stack import AUTH_SECRET, PATIENCE_S, Account, Stack


@dataclass(frozen=True)
class Program:
    """Somebody's program, with a key of some scopes."""

    stack: Stack
    account: Account
    key: ApiKey
    secret: str

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"authorization": f"Bearer {self.secret}"} | more.pop("headers", {})
        return requests.request(
            method, f"{self.stack.base_url}{path}", headers=headers, timeout=PATIENCE_S, **more
        )

    def get(self, path: str, **params: object) -> Any:
        answer = self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: object, *, status: int) -> Any:
        answer = self.call(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


Hire = Callable[..., Program]


@pytest.fixture
def hire(stack: Stack) -> Hire:
    """Return what gives somebody a program."""

    def with_scopes(*scopes: Scope, account: Account | None = None, **terms: Any) -> Program:
        owner = account or stack.an_account(credits_="200")
        issue = IssueKey(
            transactions=stack.store,
            clock=SystemClock(),
            ids=SystemIds(),
            pepper=AUTH_SECRET.encode(),
        )
        key, secret = issue.issue(
            owner.person_id, name="program", scopes=scopes or tuple(Scope), **terms
        )
        return Program(stack, owner, key, secret.text)

    return with_scopes


@pytest.fixture
def program(hire: Hire) -> Program:
    """A program that may do everything."""
    return hire()
