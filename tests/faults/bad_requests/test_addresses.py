"""Addresses and methods that are not served: nothing is held, nothing is sent upstream."""

from __future__ import annotations

import pytest
import requests

from tests.faults.bad_requests.refusals import (
    exchange,
    expect_refusal,
    fields,
)
from tests.faults.wire import (
    request_bytes,
)
from tests.stack import PATIENCE_S, Account, Stack


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/images/edits",
        "/v1/audio/translations",
        "/v1/chat",
        "/v1/chat/completions/x",
        "/v1/chat/Completions",
        "/v1/../v1/chat/completions",
        "/v1/./chat/completions",
        "/v1/chat%00/completions",
        "/v1/key/generate",
        "/v1/model/info",
    ],
)
def test_an_address_that_is_not_served_is_not_found(
    stack: Stack, account: Account, path: str
) -> None:
    expect_refusal(
        exchange(stack, request_bytes(fields(), key=account.api_key, path=path)),
        404,
        code="unknown_url",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/V1/chat/completions",
        "/x/../v1/chat/completions",
        "/key/generate",
        "/model/info",
        "/v1chat/completions",
        "/litellm/v1/chat/completions",
        "/litellm/v1/models",
    ],
)
def test_no_other_address_leads_to_the_models(stack: Stack, account: Account, path: str) -> None:
    seen = exchange(
        stack, request_bytes(fields(), key=account.api_key, path=path, headers=("Accept: */*",))
    )

    assert seen.status in (400, 404, 405)
    assert seen.headers["x-request-id"]
    assert seen.is_discreet(beside=path)


@pytest.mark.parametrize(
    ("path", "is_anthropics"),
    [
        ("/openai/v1/chat/completions", False),  # Azure, Groq
        ("/openai/deployments/m/chat/completions", False),
        ("/v1beta/openai/embeddings", False),  # Gemini
        ("/api/v1/chat/completions", False),  # OpenRouter
        ("/V1/responses", False),
        ("/v1/chat/completions/chat/completions", False),
        ("/v1/messages/chat/completions", False),
        ("/anthropic/v1/messages", True),
        ("/v1/messages/v1/messages", True),
        ("/anthropic/v1/messages/count_tokens", True),
    ],
)
def test_a_base_url_of_another_service_is_told_what_ours_is(
    stack: Stack, account: Account, path: str, *, is_anthropics: bool
) -> None:
    url = f"{stack.base_url}{path}"
    key = {"authorization": f"Bearer {account.api_key}"}

    answer = requests.post(url, json={}, headers=key, timeout=PATIENCE_S)
    asked_first = requests.options(url, timeout=PATIENCE_S)

    assert answer.status_code == 404
    assert f" {stack.base_url}/v1, " in answer.json()["error"]["message"]
    assert ("type" in answer.json()) is is_anthropics
    assert asked_first.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/demo-chat", "/v1/models/none"])
def test_models_may_be_asked_for_without_their_list(
    stack: Stack, account: Account, path: str
) -> None:
    key = {"authorization": f"Bearer {account.api_key}"}

    whole = requests.get(f"{stack.base_url}{path}", headers=key, timeout=PATIENCE_S)
    head = requests.head(f"{stack.base_url}{path}", headers=key, timeout=PATIENCE_S)

    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_completions_are_posted(stack: Stack, account: Account, method: str) -> None:
    seen = exchange(stack, request_bytes(fields(), key=account.api_key, method=method))

    expect_refusal(seen, 405, code="method_not_allowed", word="POST")
    assert seen.headers["allow"] == "POST"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_models_are_read(stack: Stack, account: Account, method: str) -> None:
    seen = exchange(
        stack, request_bytes(b"", key=account.api_key, method=method, path="/v1/models")
    )

    expect_refusal(seen, 405, code="method_not_allowed", word="GET")


def test_a_header_does_not_move_the_path(stack: Stack, account: Account) -> None:
    head = (
        f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {account.api_key}\r\n"
    )

    assert exchange(stack, f"{head}SCRIPT_NAME: /v1\r\n\r\n".encode()).status == 200
