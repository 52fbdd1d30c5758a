"""Somebody with credits and the SDK that most of them use, and visitors of the site."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
import requests

from tests.stack import Account, Stack, running_stack
from tests.visitors import Visitor


@pytest.fixture(scope="session")
def phone_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway that sells in dollars, shillings and cedis, and phones that answer at once."""
    data_dir = tmp_path_factory.mktemp("phone-stack")
    rates = "GHS=15.2"
    with running_stack("", data_dir, USD_TO_KES_RATE="129.5", CURRENCY_RATES=rates) as stack:
        url = f"{stack.sandbox.base_url}/control/paystack/settings"
        requests.post(url, json={"phone_answer_s": 0.2}, timeout=10).raise_for_status()
        yield stack


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
