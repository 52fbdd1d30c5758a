"""Addresses and methods that are not served: nothing is held, nothing is sent upstream."""

from __future__ import annotations

import pytest

from tests.faults.bad_requests.refusals import (
    exchange,
    expect_refusal,
    fields,
)
from tests.faults.wire import (
    request_bytes,
)
from tests.stack import Account, Stack


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
    ],
)
def test_no_other_address_leads_to_the_models(stack: Stack, account: Account, path: str) -> None:
    seen = exchange(
        stack, request_bytes(fields(), key=account.api_key, path=path, headers=("Accept: */*",))
    )

    assert seen.status in (400, 404, 405)
    assert seen.headers["x-request-id"]
    assert seen.is_discreet()


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
