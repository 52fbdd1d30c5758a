"""Whole requests are counted by LiteLLM over real sockets, by whoever is handed all of them."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from adapters.litellm.token_counter import LiteLLMTokenCounter
from adapters.wires.anthropic.count_tokens import CountTokens
from creditcore.ports.token_counters import RequestToCount
from tests.integration.sandbox_client import KEY, Client
from tests.integration.test_litellm_token_counter import (
    ANSWER,
    BY_ANTHROPIC,
    a_counter,
    at_these,
    says,
)
from tests.integration.upstream import WAIT_S, Script, Server, an_answer

TOOLS = [{"name": "find", "description": "Find it.", "input_schema": {"type": "object"}}]
TOOLS_TEXT = orjson.dumps(TOOLS).decode()
PICTURE = {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}
FAILED = an_answer(
    b'{"error":{"message":"Internal server error","type":"internal_server_error"}}',
    status="500 Internal Server Error",
)
"""What LiteLLM 1.91.5 says of an image where it counts itself."""


def a_request(*, said: object = "Habari ya asubuhi", **fields: Any) -> RequestToCount:
    messages = [{"role": "user", "content": said}]
    return CountTokens().read(orjson.dumps({"model": "m", "messages": messages, **fields}))


WHOLE = a_request(system="Be kind.", tools=TOOLS)


def count(
    server: Server, request: RequestToCount, *answers: bytes
) -> tuple[int | None, list[bytes]]:
    """Return the count by a server that gives these answers, and what it was asked."""
    script = Script(lambda: [server.accept().answer(answer) for answer in answers]).start()

    counted = a_counter(server).count_request(request)

    asked = script.outcome()
    assert isinstance(asked, list)
    return counted, asked


def body_of(asked: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(asked.partition(b"\r\n\r\n")[2])
    return body


@pytest.mark.parametrize("tokenizer", ["anthropic_api", "azure_ai_anthropic_api", "bedrock_api"])
def test_a_provider_that_is_handed_all_of_it_counts_it(server: Server, tokenizer: str) -> None:
    said = says(**{**BY_ANTHROPIC, "tokenizer_type": tokenizer})

    counted, [asked] = count(server, WHOLE, said)

    assert counted == 11
    assert asked.startswith(b"POST /utils/token_counter?call_endpoint=true HTTP/1.1\r\n")
    assert b"Bearer sk-master" in asked
    assert body_of(asked) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Habari ya asubuhi"}],
        "system": "Be kind.",
        "tools": TOOLS,
    }


@pytest.mark.parametrize(
    "first",
    [
        says(),
        says(tokenizer_type="openai_api", original_response={"input_tokens": 4}),
        says(tokenizer_type="vertex_ai_partner_models", original_response={"input_tokens": 4}),
        says(tokenizer_type="", original_response={"totalTokens": 4}),
        says(**{**BY_ANTHROPIC, "total_tokens": 0}),
        says(**{**BY_ANTHROPIC, "original_response": None}),
        FAILED,
    ],
    ids=["itself", "openai", "claude at google", "google", "nothing", "no words", "an error"],
)
def test_else_its_text_is_counted_with_system_and_tools(server: Server, first: bytes) -> None:
    counted, asked = count(server, WHOLE, first, says(total_tokens=31))

    assert counted == 31 + WHOLE.estimate_beside
    assert [message["content"] for message in body_of(asked[1])["messages"]] == [
        "Be kind.",
        TOOLS_TEXT,
        "Habari ya asubuhi",
    ]


def test_what_is_no_text_is_added_as_it_is_estimated(server: Server) -> None:
    request = a_request(said=[{"type": "text", "text": "What is this?"}, PICTURE])

    counted, asked = count(server, request, FAILED, FAILED, says(total_tokens=9))

    assert counted == 9 + request.estimate_beside
    assert request.estimate_beside >= 250
    assert asked[2].startswith(b"POST /utils/token_counter HTTP/1.1\r\n")


def test_one_without_text_that_no_provider_counts_is_not_counted(server: Server) -> None:
    counted, _ = count(server, a_request(said=[PICTURE]), FAILED)

    assert counted is None


@pytest.mark.parametrize(
    "odd",
    [
        says(total_tokens=None),
        says(total_tokens=-1),
        says(total_tokens="11"),
        says(total_tokens=float("nan")),
        says(total_tokens=2**60),
        says(request_model="another"),
        an_answer(b"<html>Bad gateway</html>"),
        an_answer(b'{"input_tokens": 11}'),
    ],
    ids=["none", "negative", "text", "nan", "huge", "another model", "html", "another shape"],
)
def test_an_odd_answer_is_no_count(server: Server, odd: bytes) -> None:
    counted, asked = count(server, WHOLE, odd, odd)

    assert counted is None
    assert len(asked) == 2


@pytest.mark.parametrize(
    "status", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "405 Method Not Allowed"]
)
def test_a_server_without_the_route_is_asked_once(server: Server, status: str) -> None:
    counted, asked = count(server, WHOLE, an_answer(json.dumps(ANSWER).encode(), status=status))

    assert counted is None
    assert len(asked) == 1


def test_silence_is_no_count(server: Server) -> None:
    script = Script(lambda: server.accept().read_request()).start()

    assert a_counter(server, answer_timeout_s=0.05).count_request(WHOLE) is None

    assert script.outcome()


def test_all_questions_have_one_time_together(server: Server) -> None:
    script = Script(lambda: [server.accept().answer(FAILED) for _ in range(2)]).start()
    counter = a_counter(server, now=at_these(0, WAIT_S, 2 * WAIT_S))

    assert counter.count_request(WHOLE) is None

    assert script.outcome()
    server.listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        server.listener.accept()


def test_a_proxy_that_does_not_answer_is_not_asked_for_a_while(server: Server) -> None:
    Script(lambda: [server.accept().close() for _ in range(5)]).start()
    counter = a_counter(server)

    for _ in range(5):
        assert counter.breaker.might_allow()
        assert counter.count_request(WHOLE) is None

    assert not counter.breaker.might_allow()


def test_the_stand_ins_anthropic_counts_all_of_it(litellm: Client) -> None:
    counter = LiteLLMTokenCounter.at(litellm.base, KEY)
    request = a_request(system="Be kind.", model="claude-sonnet-4-5")

    assert counter.count_request(request) == 3 + 4 + 2


def test_the_stand_in_knows_no_images_where_it_counts_itself(litellm: Client) -> None:
    answer = litellm.http.post(
        f"{litellm.base}/utils/token_counter",
        json={"model": "demo-chat", "messages": [{"role": "user", "content": [PICTURE]}]},
        timeout=WAIT_S,
    )

    assert (answer.status_code, answer.content) == (500, FAILED.partition(b"\r\n\r\n")[2])
