"""A gateway at which nothing may happen, and an account that nothing may touch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from creditcore import Credits
from tests.stack import Account, Stack


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest) -> tuple[Stack, Account]:
    """A gateway, and one account whose credits no refused request may touch."""
    stack: Stack = request.getfixturevalue(f"{request.param}_stack")
    return stack, stack.an_account(credits_="200")


@pytest.fixture
def stack(served: tuple[Stack, Account]) -> Iterator[Stack]:
    """The gateway; in the end nothing was held, charged, or sent upstream."""
    stack, account = served
    before = stack.upstream(summary=1)["total"]
    yield stack
    assert stack.upstream(summary=1)["total"] == before
    assert stack.calls_of(account) == []
    wallet = stack.wallet_of(account.person_id)
    assert (wallet.posted, wallet.held) == (Credits.of(200), Credits(0))


@pytest.fixture
def account(served: tuple[Stack, Account]) -> Account:
    return served[1]
