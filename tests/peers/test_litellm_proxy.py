"""A real LiteLLM proxy behind the gateway: it works, and our prices are its prices."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import openai
import pytest

from creditcore import Credits
from tests.peers.conftest import Proxy
from tests.stack import Account, Stack

MODELS = ["real-chat", "mock-chat"]
USD = {
    "real-chat": (Decimal("0.0000011"), Decimal("0.0000044")),
    "real-embedding": (Decimal("0.00000013"), Decimal(0)),
}
"""Per token of input and output, as the proxy is configured."""


def ask(text: str = "[[sim tokens=37 prompt=134]]") -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def credits_for(usd: str) -> Credits:
    """With one credit per cent, the cost in credits, rounded up once."""
    exact = Decimal(usd).quantize(Decimal("1e-15")) * 10**8
    return Credits(int(-(-exact // 1)))


def test_a_plain_call_costs_what_litellm_says(stack: Stack, account: Account, proxy: Proxy) -> None:
    # Of a real call it would repeat the sandbox's cost header, which looks like its own.
    direct = proxy.ask("/v1/chat/completions", {"model": "mock-chat", "messages": ask()})

    through = stack.chat("[[sim tokens=37]]", key=account.api_key, model="mock-chat")

    assert through.status_code == 200
    assert through.json()["usage"]["completion_tokens"] > 0
    assert Credits.parse(through.headers["x-credits-cost"]) == credits_for(
        direct.headers["x-litellm-response-cost"]
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_streamed_call_costs_what_litellm_says(
    stack: Stack, account: Account, client: openai.OpenAI, proxy: Proxy, model: str
) -> None:
    body: dict[str, Any] = {
        "model": model,
        "messages": ask(),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    direct = proxy.ask("/v1/chat/completions", body)
    reported = openai_chunks(direct.text)[-1]["usage"]["cost"]

    with client:
        chunks = list(client.chat.completions.create(**body))

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert Credits.parse(chunks[-1].usage.model_extra["cost"]) == credits_for(repr(reported))
    assert stack.settled_wallet_of(account.person_id).posted == Credits.of(200) - credits_for(
        repr(reported)
    )


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": ask()}),
        ("/v1/messages", {"messages": ask(), "max_tokens": 100}),
        ("/v1/responses", {"input": "[[sim tokens=37 prompt=134]]"}),
        ("/v1/embeddings", {"input": "Habari ya asubuhi", "model": "real-embedding"}),
    ],
    ids=["chat", "messages", "responses", "embeddings"],
)
def test_a_call_of_every_protocol_costs_its_tokens(
    stack: Stack, account: Account, path: str, body: dict[str, Any], stream: bool
) -> None:
    if path == "/v1/embeddings":
        stream = False
    request = {"model": "real-chat", **body, **({"stream": True} if stream else {})}

    answer = stack.post(path, request, key=account.api_key)

    assert answer.status_code == 200, answer.text
    assert len(answer.content) > 100
    wallet = stack.settled_wallet_of(account.person_id)
    [call] = stack.calls_of(account)
    usage = call.outcome.usage
    cost = USD[request["model"]][0] * usage.prompt_tokens
    cost += USD[request["model"]][1] * usage.completion_tokens
    assert call.outcome.basis == "provider_usage"
    assert wallet.posted == Credits.of(200) - credits_for(str(cost))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        # Of a plain call of the other model it would repeat the sandbox's cost, see above.
        ("/v1/chat/completions", {"model": "mock-chat", "messages": ask()}),
        ("/v1/chat/completions", {"model": "mock-chat", "messages": ask(), "stream": True}),
        ("/v1/chat/completions", {"model": "real-chat", "messages": ask(), "stream": True}),
        ("/v1/responses", {"model": "real-chat", "input": "[[sim tokens=3]]", "stream": True}),
    ],
    ids=["plain", "streamed mock", "streamed", "response"],
)
def test_what_it_reports_is_kept_and_is_our_price(
    stack: Stack, account: Account, path: str, body: dict[str, Any]
) -> None:
    answer = stack.post(path, body, key=account.api_key)

    assert answer.status_code == 200, answer.text
    stack.settled_wallet_of(account.person_id)
    [call] = stack.calls_of(account)
    assert call.outcome.reported_cost_picodollars == call.outcome.provider_cost_picodollars > 0
    with stack.store.begin() as tx:
        told = [alert.message for alert in tx.alerts.recent(limit=1000)]
    assert not [message for message in told if call.reference in message]


def openai_chunks(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def test_nothing_of_the_proxy_shows(stack: Stack, account: Account) -> None:
    plain = stack.chat("Hi", key=account.api_key, model="real-chat")
    failed = stack.chat("[[sim status=401]]", key=account.api_key, model="real-chat")

    for answer in (plain, failed):
        seen = f"{answer.headers} {answer.text}".lower()
        assert "litellm" not in seen
        assert "127.0.0.1" not in answer.text
        assert "sk-" not in answer.text
    assert failed.status_code == 502


def test_a_stream_that_breaks_is_charged_for_what_arrived(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    with client, pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(
            model="real-chat", messages=ask("[[sim tokens=50 error_after=20]]"), stream=True
        ):
            pass

    wallet = stack.settled_wallet_of(account.person_id)
    [call] = stack.calls_of(account)
    assert call.outcome.basis in ("counted_output", "provider_usage")
    assert Credits(0) < call.charged
    assert wallet.posted == Credits.of(200) - call.charged


def test_the_books_are_clean_afterwards(stack: Stack) -> None:
    assert stack.audit().clean
