"""A real LiteLLM counts whole requests, or says of them what the stand-in says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import requests

from adapters.litellm.admin import AdminClient
from adapters.litellm.token_counter import LiteLLMTokenCounter
from adapters.wires.anthropic.count_tokens import CountTokens
from creditcore.ports.token_counters import RequestToCount
from sandbox.process import SandboxProcess
from tests.integration.sandbox_client import KEY
from tests.peers.conftest import MASTER_KEY, Proxy
from tests.stack import PATIENCE_S, Stack

SYSTEM = "You are terse."
TOOLS = [
    {"name": "find", "description": "Find a thing by its name", "input_schema": {"type": "object"}}
]
SAID = [{"role": "user", "content": "Habari ya asubuhi"}]
PICTURE = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
        ],
    }
]
BY_PROVIDER = 3 + 4 + len(SYSTEM.split()) + len(str(TOOLS).split())
"""By the sandbox, which stands behind real-claude as Anthropic at Azure."""


@pytest.fixture
def counter(proxy: Proxy) -> LiteLLMTokenCounter:
    return LiteLLMTokenCounter(
        AdminClient(base_url=proxy.base_url, master_key=MASTER_KEY, answer_timeout_s=PATIENCE_S)
    )


def a_request(model: str, **fields: Any) -> RequestToCount:
    return CountTokens().read(orjson.dumps({"model": model, "messages": SAID, **fields}))


def test_a_provider_is_handed_system_and_tools(counter: LiteLLMTokenCounter) -> None:
    request = a_request("real-claude", system=SYSTEM, tools=TOOLS)

    assert counter.count_request(request) == BY_PROVIDER


@pytest.mark.parametrize("model", ["mock-chat", "real-chat"])
def test_what_litellm_leaves_out_is_counted_all_the_same(
    proxy: Proxy, counter: LiteLLMTokenCounter, model: str
) -> None:
    fields = {"model": model, "messages": SAID, "system": SYSTEM, "tools": TOOLS}
    plain = counter.count_request(a_request(model))
    its_own = proxy.ask("/v1/messages/count_tokens", fields).json()["input_tokens"]

    counted = counter.count_request(a_request(model, system=SYSTEM, tools=TOOLS))

    assert plain is not None
    assert counted is not None
    # Its own route says as many tokens with system and tools as without.
    assert (
        its_own
        == proxy.ask("/v1/messages/count_tokens", fields | {"tools": []}).json()["input_tokens"]
    )
    assert counted > its_own
    assert counted > plain


@pytest.mark.parametrize("model", ["mock-chat", "real-chat"])
def test_an_image_is_added_as_it_is_estimated(counter: LiteLLMTokenCounter, model: str) -> None:
    counted = counter.count_request(a_request(model, messages=PICTURE))

    assert counted is not None
    assert 250 + 4 < counted < 250 + 20


@pytest.mark.parametrize("messages", [SAID, PICTURE], ids=["text", "image"])
def test_the_stand_in_answers_a_whole_request_as_litellm_does(
    proxy: Proxy, messages: list[dict[str, object]]
) -> None:
    body = {"model": "mock-chat", "messages": messages, "system": SYSTEM, "tools": TOOLS}
    path = "/utils/token_counter?call_endpoint=true"
    with SandboxProcess.start() as sandbox:
        standing_in = requests.post(
            f"{sandbox.litellm_url}{path}",
            json=body,
            headers={"authorization": f"Bearer {KEY}"},
            timeout=PATIENCE_S,
        )

    real = proxy.ask(path, body)

    assert standing_in.status_code == real.status_code
    own = ("total_tokens", "model_used")
    said, expected = standing_in.json(), real.json()
    assert {**said, **{name: expected[name] for name in own if name in said}} == expected


def test_a_client_is_told_the_count_of_the_provider(stack: Stack) -> None:
    account = stack.an_account()
    body = {"model": "real-claude", "messages": SAID, "system": SYSTEM, "tools": TOOLS}

    answer = stack.post("/v1/messages/count_tokens", body, key=account.api_key)

    assert answer.json() == {"input_tokens": BY_PROVIDER}
