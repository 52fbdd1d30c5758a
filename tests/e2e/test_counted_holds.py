"""Where credits are short of what a prompt holds, it is counted, and the call runs if it can."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from creditcore import Credits
from creditcore.domain.limits import KeyLimits, SpendLimit
from tests.stack import PATIENCE_S, Account, Stack

OUTPUT_TOKEN = 800  # microcredits, of demo-chat
STORY = "Ikomidi lahlangana ngolwesibili lixoxa ngonyaka ozayo nangesabelomali salo. " * 92
"""Zulu, of whose words nothing is known: 1.15 credits by its letters, 0.38 by a count, which the
sandbox's is."""

ENOUGH, TOO_FEW = "0.6", "0.3"
COUNTED, BY_LETTERS = Credits.parse("0.5"), Credits.parse("1.1")


@pytest.fixture
def poor(stack: Stack) -> Account:
    """An account whose credits cover the story, but not what its letters may come to."""
    return stack.an_account(credits_=ENOUGH)


def counts(stack: Stack) -> int:
    """Return how often the model server was asked to count."""
    answer = requests.get(f"{stack.sandbox.base_url}/control/litellm/counts", timeout=PATIENCE_S)
    return len(answer.json()["models"])


@contextmanager
def no_model_server(stack: Stack) -> Iterator[None]:
    url = f"{stack.sandbox.base_url}/control/litellm/down"
    requests.post(url, json={"down": True}, timeout=PATIENCE_S).raise_for_status()
    try:
        yield
    finally:
        requests.post(url, json={"down": False}, timeout=PATIENCE_S).raise_for_status()


def said(content: str = STORY) -> list[dict[str, str]]:
    return [{"role": "user", "content": content}]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": said(), "max_tokens": 20}),
        ("/v1/messages", {"system": STORY, "messages": said("Hi"), "max_tokens": 20}),
        ("/v1/responses", {"input": STORY, "max_output_tokens": 20}),
        ("/v1/completions", {"prompt": STORY, "max_tokens": 20}),
    ],
    ids=["chat", "messages", "responses", "completions"],
)
def test_a_call_that_could_be_paid_is_served(
    stack: Stack, poor: Account, path: str, body: dict[str, Any], stream: bool
) -> None:
    before = counts(stack)

    answer = stack.post(path, {"model": "demo-chat", **body, "stream": stream}, key=poor.api_key)

    assert answer.status_code == 200, answer.text
    assert answer.content
    assert counts(stack) == before + 1
    wallet = stack.settled_wallet_of(poor.person_id)
    [call] = stack.calls_of(poor)
    assert Credits(0) < call.charged <= call.amount <= COUNTED
    assert wallet.posted == Credits.parse(ENOUGH) - call.charged
    assert stack.audit().clean


def test_a_long_text_is_counted_too(stack: Stack) -> None:
    account = stack.an_account(credits_="16")  # by its letters it is 24
    body = {"model": "demo-chat", "max_tokens": 20, "messages": said(STORY * 22)}

    answer = stack.post("/v1/chat/completions", body, key=account.api_key)

    assert answer.status_code == 200, answer.text


def test_the_limit_of_a_key_is_held_to_by_a_count(stack: Stack) -> None:
    rich = stack.an_account(credits_="200")
    limit = KeyLimits(spend=SpendLimit(credits=Credits.parse("0.6")))
    key = stack.a_key(rich.person_id, limits=limit)

    # Each costs 0.17; the third would go beyond the limit by any count.
    answers = [stack.chat(STORY, key=key, max_tokens=5).status_code]
    stack.settled_wallet_of(rich.person_id)
    answers.append(stack.chat(STORY, key=key, max_tokens=5).status_code)
    stack.settled_wallet_of(rich.person_id)
    refused = stack.chat(STORY, key=key, max_tokens=5)

    assert answers == [200, 200]
    assert refused.status_code == 402
    assert "spend limit of this API key" in refused.json()["error"]["message"]
    assert stack.audit().clean


def test_texts_to_embed_are_counted(stack: Stack) -> None:
    # By bytes it would hold five times what it costs.
    probe = stack.an_account(credits_="5")
    body = {"model": "text-embedding-3-small", "input": [STORY] * 3}
    assert stack.post("/v1/embeddings", body, key=probe.api_key).status_code == 200
    stack.settled_wallet_of(probe.person_id)
    [by_bytes] = stack.calls_of(probe)
    short = stack.an_account(credits_=str(by_bytes.amount - Credits(1)))

    answer = stack.post("/v1/embeddings", body, key=short.api_key)

    assert answer.status_code == 200, answer.text
    stack.settled_wallet_of(short.person_id)
    [call] = stack.calls_of(short)
    assert call.charged == by_bytes.charged
    assert call.charged <= call.amount < by_bytes.amount


def test_one_that_cannot_be_paid_by_its_count_is_told_the_amounts(stack: Stack) -> None:
    poorer = stack.an_account(credits_=TOO_FEW)
    before = counts(stack)

    answer = stack.chat(STORY, key=poorer.api_key, max_tokens=20)

    assert answer.status_code == 402
    assert answer.json()["error"]["code"] == "insufficient_quota"
    assert counts(stack) == before + 1
    assert stack.wallet_of(poorer.person_id).held == Credits(0)
    assert stack.calls_of(poorer) == []
    needed = Credits.parse(answer.json()["error"]["message"].split("up to ")[1].split()[0])
    assert Credits.parse("0.37") < needed <= COUNTED


def test_without_the_model_server_it_is_refused_by_its_letters(stack: Stack, poor: Account) -> None:
    with no_model_server(stack):
        answer = stack.chat(STORY, key=poor.api_key, max_tokens=20)

    assert answer.status_code == 402
    needed = Credits.parse(answer.json()["error"]["message"].split("up to ")[1].split()[0])
    assert needed > BY_LETTERS
    assert stack.wallet_of(poor.person_id).held == Credits(0)


def test_nobody_is_asked_about_a_call_that_is_covered(stack: Stack) -> None:
    rich = stack.an_account(credits_="2")
    before = counts(stack)

    assert stack.chat(STORY, key=rich.api_key, max_tokens=20).status_code == 200

    assert counts(stack) == before
    stack.settled_wallet_of(rich.person_id)
    [call] = stack.calls_of(rich)
    assert call.amount > BY_LETTERS


@pytest.mark.parametrize("credits_", ["0", "0.1"])
def test_nobody_is_asked_where_no_count_would_help(stack: Stack, credits_: str) -> None:
    broke = stack.an_account(credits_=credits_)
    before = counts(stack)

    assert stack.chat(STORY, key=broke.api_key, max_tokens=20).status_code == 402

    assert counts(stack) == before


def test_a_stream_that_was_counted_grows_by_its_count(stack: Stack) -> None:
    # It affords 1,250 tokens beside the prompt, of which a stream pays for 1,024 at first.
    account = stack.an_account(credits_="1.4")
    text = f"{STORY}[[sim tokens=1200]]"

    with stack.chat(text, key=account.api_key, stream=True) as answer:
        words = answer.text.count('"content":"')

    assert answer.status_code == 200
    stack.settled_wallet_of(account.person_id)
    [call] = stack.calls_of(account)
    assert call.outcome.error is None
    assert call.outcome.usage.completion_tokens == 1_200
    assert words >= 1_200
    assert call.amount >= Credits(1_200 * OUTPUT_TOKEN)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_an_answer_has_the_room_that_a_count_leaves(stack: Stack, stream: bool) -> None:
    # By its letters the story would be covered, with room for a few tokens of an answer.
    account = stack.an_account(credits_="1.5")

    answer = stack.chat(f"{STORY}[[sim tokens=1200]]", key=account.api_key, stream=stream)

    assert answer.status_code == 200
    assert answer.content
    stack.settled_wallet_of(account.person_id)
    [call] = stack.calls_of(account)
    assert call.outcome.usage.completion_tokens == 1_200
    assert call.charged <= call.amount
    assert not call.written_off


def test_many_at_once_spend_no_more_than_is_there(stack: Stack) -> None:
    account = stack.an_account(credits_="1.2")

    with ThreadPoolExecutor(12) as threads:
        answers = list(
            threads.map(lambda _: stack.chat(STORY, key=account.api_key, max_tokens=20), range(24))
        )

    wallet = stack.settled_wallet_of(account.person_id)
    calls = stack.calls_of(account)
    served = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} == {200, 402}
    assert len(calls) == len(served)
    assert wallet.posted == Credits.parse("1.2") - sum(call.charged for call in calls)
    assert not any(call.written_off for call in calls)
    assert stack.audit().clean
