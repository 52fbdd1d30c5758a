"""Nothing of a client's headers reaches the model server."""

from __future__ import annotations

import pytest

from tests.faults.wire import PATH
from tests.stack import Account, Stack

BUILT = {
    "host",
    "authorization",
    "user-agent",
    "content-type",
    "accept",
    "accept-encoding",
    "x-litellm-call-id",
    "content-length",
}


@pytest.fixture
def account(stack: Stack) -> Account:
    return stack.an_account()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-litellm-api-key": "sk-mine", "x-litellm-tags": "free", "x-litellm-timeout": "1"},
        {"api-key": "sk-mine", "x-goog-api-key": "sk-mine", "x-api-key": "sk-mine"},
        {"connection": "close, authorization, x-litellm-call-id", "te": "trailers"},
        {"proxy-authorization": "Basic eDp5", "proxy-connection": "keep-alive"},
        {"upgrade": "h2c", "http2-settings": "AAMAAABkAAQAAP__"},
        {"x-forwarded-for": "10.0.0.1", "forwarded": "for=10.0.0.1", "x-real-ip": "10.0.0.1"},
        {"cookie": "token=1", "referer": "https://example.com/", "origin": "https://example.com"},
        {"accept-encoding": "gzip, br", "accept": "text/html", "user-agent": "mine/1"},
        {"x-http-method-override": "DELETE", "x-original-url": "/key/generate"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_the_head_upstream_is_built_from_nothing(
    stack: Stack, account: Account, headers: dict[str, str]
) -> None:
    body = {"model": "demo-chat", "messages": [{"role": "user", "content": "Hi"}]}

    answer = stack.post(PATH, body, key=account.api_key, headers=headers)

    assert answer.status_code == 200
    [call] = stack.upstream(call_id=answer.headers["x-request-id"])["calls"]
    sent = call["headers"]
    assert set(sent) == BUILT
    assert sent["authorization"] == "Bearer sk-sandbox-master"
    assert sent["accept-encoding"] == "identity"
    assert not set(headers.values()) & set(sent.values())
