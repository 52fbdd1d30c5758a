"""An open-ended stream pays as it goes, and stops before a token that is not paid for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from creditcore import Credits
from tests.stack import Account, Stack

ENDLESS = "[[sim tokens=10000 prompt=10 ignore_max=1]]"
PROMPT_TOKEN, OUTPUT_TOKEN = 200, 800  # microcredits, of demo-chat


def stream(stack: Stack, key: str, text: str = ENDLESS) -> tuple[list[str], str | None]:
    """Return the words of a stream and why it ended."""
    client = openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key=key, max_retries=0)
    with client:
        chunks = [
            chunk.choices[0]
            for chunk in client.chat.completions.create(
                model="demo-chat", messages=[{"role": "user", "content": text}], stream=True
            )
        ]
    words = [chunk.delta.content for chunk in chunks if chunk.delta.content]
    return words, chunks[-1].finish_reason


@pytest.fixture
def poor(stack: Stack) -> Account:
    """Somebody whose wallet affords exactly a hundred tokens of this stream."""
    probe = stack.an_account(credits_="100")
    stream(stack, probe.api_key, ENDLESS.replace("10000", "1"))
    stack.settled_wallet_of(probe.person_id)
    [call] = stack.calls_of(probe)
    # The prompt of the real one is four bytes longer.
    prompt_bound = call.call.prompt_bound + 4
    return stack.an_account(credits_=str(Credits(prompt_bound * PROMPT_TOKEN + 100 * OUTPUT_TOKEN)))


def test_a_wallet_that_affords_a_hundred_tokens_delivers_no_more(
    stack: Stack, poor: Account
) -> None:
    before = stack.wallet_of(poor.person_id).posted

    words, reason = stream(stack, poor.api_key)

    wallet = stack.settled_wallet_of(poor.person_id)
    paid = (before - wallet.posted).microcredits
    assert 0 < len(words) <= 100
    assert reason == "length"
    assert len(words) * OUTPUT_TOKEN <= paid
    assert wallet.posted >= Credits(0)
    assert stack.calls_of(poor)[0].outcome.error == "credits_exhausted"


def test_twenty_streams_on_one_wallet_deliver_no_more_than_it_pays_for(stack: Stack) -> None:
    account = stack.an_account(credits_="4")

    with ThreadPoolExecutor(20) as threads:
        outcomes = list(threads.map(lambda _: attempt(stack, account.api_key), range(20)))

    wallet = stack.settled_wallet_of(account.person_id)
    delivered = sum(len(words) for words in outcomes)
    assert delivered * 800 <= 4_000_000 - wallet.posted.microcredits
    assert wallet.posted >= Credits(0)
    assert stack.audit().clean


def attempt(stack: Stack, key: str) -> list[str]:
    """Return the words of a stream; none where there were no credits to begin with."""
    try:
        return stream(stack, key)[0]
    except openai.APIStatusError as error:
        if error.status_code != 402:
            raise
        return []


def test_a_long_stream_grows_its_hold_and_ends_by_itself(stack: Stack) -> None:
    account = stack.an_account(credits_="100")

    words, reason = stream(stack, account.api_key, "[[sim tokens=5000 prompt=10]]")

    wallet = stack.settled_wallet_of(account.person_id)
    [call] = stack.calls_of(account)
    assert (len(words), reason) == (5000, "stop")
    assert wallet.posted == Credits.of(100) - Credits(10 * 200 + 5000 * 800)
    assert call.outcome.error is None


def test_the_usage_of_a_stream_says_what_it_cost(stack: Stack) -> None:
    account = stack.an_account(credits_="100")
    client = openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key=account.api_key)

    with client:
        chunks = list(
            client.chat.completions.create(
                model="demo-chat",
                messages=[{"role": "user", "content": "[[sim tokens=7 prompt=11]]"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        )

    usage = chunks[-1].usage
    assert usage.model_extra == {"cost": "0.0078", "balance": "99.9922"} | {
        name: value for name, value in usage.model_extra.items() if name not in ("cost", "balance")
    }
