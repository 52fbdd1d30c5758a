"""Somebody with credits and the SDK that most of them use, and visitors of the site."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from tests.stack import Account, Stack
from tests.visitors import Visitor


@pytest.fixture
def account(stack: Stack) -> Account:
    """Somebody with 200 credits."""
    return stack.an_account(credits_="200")


@pytest.fixture
def client(stack: Stack, account: Account) -> Iterator[openai.OpenAI]:
    """Their OpenAI SDK, which gives up at the first error."""
    with openai.OpenAI(
        base_url=f"{stack.base_url}/v1", api_key=account.api_key, max_retries=0
    ) as client:
        yield client


@pytest.fixture
def visitor(sqlite_stack: Stack) -> Iterator[Visitor]:
    with Visitor(sqlite_stack) as visitor:
        yield visitor


@pytest.fixture
def member(sqlite_stack: Stack) -> Iterator[Visitor]:
    with Visitor(sqlite_stack) as member:
        yield member.sign_up()


@pytest.fixture
def stranger(sqlite_stack: Stack) -> Iterator[Visitor]:
    with Visitor(sqlite_stack) as stranger:
        yield stranger
