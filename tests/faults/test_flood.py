"""No flood of calls gets more out of a wallet than is in it, across processes."""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from creditcore import Credits
from tests.faults.length import TIMES
from tests.faults.wire import Seen, call, chat_body
from tests.stack import PATIENCE_S, Account, Stack

# Clients that never finish are connected all the while, and take nothing from the others.
pytestmark = pytest.mark.usefixtures("endless")

CALLS = 200
AFFORDED = 10
ROUNDS = 3 * TIMES

OUTPUT_TOKENS = 5
PROMPT_TOKEN = Credits.parse("0.0002")
OUTPUT_TOKEN = Credits.parse("0.0008")


def body(prompt_tokens: int) -> bytes:
    """A call whose usage is chosen, and whose length does not depend on the choice.

    It waits before it answers, so that all holds are open at once.
    """
    order = f"[[sim prompt={prompt_tokens:06d} tokens={OUTPUT_TOKENS} first_ms=300]]"
    return chat_body(order, max_tokens=OUTPUT_TOKENS)


def ceiling(stack: Stack) -> Credits:
    """Ask with an empty wallet what the call may cost."""
    poor = stack.an_account(credits_="0")
    refused = call(stack.base_url, body(0), key=poor.api_key)
    assert refused.status == 402
    found = re.search(r"may cost up to ([0-9.]+) credits", refused.error["message"])
    assert found
    return Credits.parse(found[1])


def flood(stack: Stack, keys: list[str], body: bytes) -> list[Seen]:
    gate = threading.Barrier(CALLS)

    def one(number: int) -> Seen:
        gate.wait(PATIENCE_S)
        return call(stack.base_url, body, key=keys[number % len(keys)])

    with ThreadPoolExecutor(CALLS) as threads:
        return list(threads.map(one, range(CALLS)))


@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_a_flood_gets_exactly_what_the_wallet_affords(stack: Stack, attempt: int) -> None:
    most = ceiling(stack)
    # Usage as high as it can be: no call gives back anything that another could use.
    output = OUTPUT_TOKENS * OUTPUT_TOKEN.microcredits
    prompt_tokens, rest = divmod(most.microcredits - output, PROMPT_TOKEN.microcredits)
    assert rest == 0
    short = Credits(most.microcredits - 1)
    account: Account = stack.an_account(
        credits_=str(Credits(AFFORDED * most.microcredits) + short),
        email=f"flood-{attempt}-{os.urandom(4).hex()}@example.com",
    )
    keys = [account.api_key, stack.a_key(account.person_id)]
    before = stack.upstream(summary=1)["total"]

    answers = flood(stack, keys, body(prompt_tokens))

    assert Counter(answer.status for answer in answers) == {
        200: AFFORDED,
        402: CALLS - AFFORDED,
    }
    assert stack.upstream(summary=1)["total"] - before == AFFORDED
    refused = [answer for answer in answers if answer.status == 402]
    assert {answer.error["code"] for answer in refused} == {"insufficient_quota"}
    assert {answer.headers["x-should-retry"] for answer in refused} == {"false"}
    wallet = stack.settled_wallet_of(account.person_id)
    assert (wallet.posted, wallet.held) == (short, Credits(0))
    calls = stack.calls_of(account)
    assert len(calls) == AFFORDED
    assert {hold.charged for hold in calls} == {most}


def test_the_books_are_clean_after_the_floods(stack: Stack) -> None:
    assert stack.audit().clean
