"""Whatever a key is refused is found by its id, by the owner of the key and nobody else."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

import pytest
import requests

from adapters.flask_web.web.throttle import COUNTS_PER_KEY
from tests.stack import Account, Stack, wait_until

FORM = {"content-type": "multipart/form-data; boundary=b"}
SPOKEN = {"model": "tts-1", "voice": "alloy", "input": "Habari"}


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


def with_key(key: str, **headers: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", **headers}


def receipt_of(stack: Stack, call_id: str, *, key: str) -> requests.Response:
    return requests.get(
        f"{stack.base_url}/api/v1/calls/{call_id}", headers=with_key(key), timeout=30
    )


def kept(stack: Stack, call_id: str, *, key: str) -> dict[str, Any]:
    """Return what is kept of a refused call, which is written a moment after the answer."""

    def found() -> requests.Response | None:
        answer = receipt_of(stack, call_id, key=key)
        return answer if answer.ok else None

    document: dict[str, Any] = wait_until(found).json()
    return document


class Case(NamedTuple):
    """A request that is refused, and as what."""

    method: str
    path: str
    sent: dict[str, Any]
    status: int
    code: str


CASES = [
    Case("PUT", "/v1/images/generations", {}, 405, "method_not_allowed"),
    Case("GET", "/v1/messages/count_tokens", {}, 405, "method_not_allowed"),
    Case("DELETE", "/v1/models/tts-1", {}, 405, "method_not_allowed"),
    Case("POST", "/v1/images/edits", {"json": {}}, 404, "unknown_url"),
    Case("GET", "/v1/models/nobody-has-it", {}, 404, "model_not_found"),
    Case("POST", "/v1/messages/count_tokens", {"json": {}}, 400, "invalid_value"),
    Case("POST", "/v1/rerank", {"headers": {"content-encoding": "x"}}, 415, "unsupported_encoding"),
    Case(
        "POST",
        "/v1/audio/transcriptions",
        {"data": bytes(26 * 1024 * 1024 + 1), "headers": FORM},
        413,
        "request_too_large",
    ),
    Case(
        "POST",
        "/v1/audio/transcriptions",
        {"data": b"--b\r\n", "headers": FORM},
        400,
        "invalid_form",
    ),
    Case("POST", "/v1/embeddings", {"data": b"["}, 400, "invalid_json"),
    Case("POST", "/v1/moderations", {"json": {"input": 5}}, 400, "invalid_value"),
    Case("POST", "/v1/audio/speech", {"json": {"model": "tts-1"}}, 400, "invalid_value"),
    Case(
        "POST", "/v1/completions", {"json": {"model": "?", "prompt": "x"}}, 404, "model_not_found"
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method}-{case.path}-{case.code}")
def test_it_is_found_by_its_id(stack: Stack, account: Account, case: Case) -> None:
    headers = with_key(account.api_key, **case.sent.get("headers", {}))

    answer = requests.request(
        case.method,
        f"{stack.base_url}{case.path}",
        timeout=60,
        **{**case.sent, "headers": headers},
    )

    assert answer.status_code == case.status
    call_id = answer.headers["x-request-id"]
    found = kept(stack, call_id, key=account.api_key)
    assert (found["state"], found["status"], found["error"]) == (
        "refused",
        case.status,
        case.code,
    )
    assert found["endpoint"] == case.path
    assert found["reason"] in answer.text
    other = stack.an_account()
    assert receipt_of(stack, call_id, key=other.api_key).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/{key}/chat/completions", {}),
        ("/v1/completions", {"model": "{key}", "prompt": "x"}),
    ],
)
def test_a_key_in_the_wrong_place_is_not_kept(
    stack: Stack, account: Account, path: str, body: dict[str, str]
) -> None:
    key = account.api_key
    sent = {name: text.replace("{key}", key) for name, text in body.items()}

    answer = stack.post(path.replace("{key}", key), sent, key=key)

    assert answer.status_code == 404
    call_id = answer.headers["x-request-id"]
    assert "[hidden]" in kept(stack, call_id, key=key)["reason"]
    assert key not in receipt_of(stack, call_id, key=key).text


def test_too_many_counts_are_found_too(stack: Stack, account: Account) -> None:
    body = {"model": "demo-chat", "messages": [{"role": "user", "content": "hi"}]}
    answers = (
        stack.post("/v1/messages/count_tokens", body, key=account.api_key)
        for _ in range(COUNTS_PER_KEY.amount + 1)
    )
    [refused] = [answer for answer in answers if answer.status_code == 429]

    found = kept(stack, refused.headers["request-id"], key=account.api_key)
    assert found["error"] == "rate_limit_exceeded"


def test_a_flood_of_refusals_does_not_hide_the_next_one(stack: Stack, account: Account) -> None:
    with requests.Session() as session:
        session.headers.update(with_key(account.api_key))
        for _ in range(120):
            session.post(f"{stack.base_url}/v1/rerank", json={}, timeout=30)
        last = session.post(f"{stack.base_url}/v1/images/generations", json={}, timeout=30)

    found = kept(stack, last.headers["x-request-id"], key=account.api_key)
    assert found["endpoint"] == "/v1/images/generations"


def test_a_call_that_was_refused_first_and_paid_then_has_its_receipt(stack: Stack) -> None:
    account = stack.an_account(credits_="0")
    token = uuid.uuid4().hex
    refused = stack.post(
        "/v1/audio/speech", SPOKEN, key=account.api_key, headers={"idempotency-key": token}
    )
    assert refused.status_code == 402
    call_id = refused.headers["x-request-id"]
    assert kept(stack, call_id, key=account.api_key)["state"] == "refused"
    stack.flask("grant", "--email", account.email, "--credits", "1", "--reason", "test")

    paid = stack.post(
        "/v1/audio/speech", SPOKEN, key=account.api_key, headers={"idempotency-key": token}
    )

    assert (paid.status_code, paid.headers["x-request-id"]) == (200, call_id)
    stack.settled_wallet_of(account.person_id)
    receipt = receipt_of(stack, call_id, key=account.api_key).json()
    assert (receipt["state"], receipt["charge"]) == ("settled", paid.headers["x-credits-cost"])


def test_a_call_that_was_refused_first_and_failed_then_is_among_the_calls(stack: Stack) -> None:
    account = stack.an_account(credits_="0")
    named = {"key": account.api_key, "headers": {"idempotency-key": uuid.uuid4().hex}}
    body = {"model": "demo-chat", "messages": [{"role": "user", "content": "[[sim status=500]]"}]}
    refused = stack.post("/v1/chat/completions", body, **named)
    stack.flask("grant", "--email", account.email, "--credits", "1", "--reason", "test")

    failed = stack.post("/v1/chat/completions", body, **named)

    call_id = refused.headers["x-request-id"]
    assert (refused.status_code, failed.status_code) == (402, 502)
    assert failed.headers["x-request-id"] == call_id
    later = stack.post("/v1/rerank", {}, key=account.api_key).headers["x-request-id"]
    kept(stack, later, key=account.api_key)
    with stack.store.begin() as tx:
        listed = tx.refusals.older(account.wallet_id, limit=9)
    assert [call.reference for call in listed] == [later, call_id]
