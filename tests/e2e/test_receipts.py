"""Every call has a receipt, and its lines add up to what was charged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from creditcore import Credits
from creditcore.domain.alerts import Alert, Severity
from tests.stack import PATIENCE_S, Account, Stack, wait_until


@pytest.fixture
def account(stack: Stack) -> Account:
    return stack.an_account(credits_="200")


def get(stack: Stack, path: str, key: str) -> requests.Response:
    return requests.get(
        f"{stack.base_url}{path}", headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE_S
    )


def ask(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def receipt_of(stack: Stack, call: requests.Response, key: str) -> dict[str, Any]:
    """Return a call's receipt once it is settled."""

    def settled() -> dict[str, Any] | None:
        answer = get(stack, f"/api/v1/calls/{call.headers['x-request-id']}", key)
        receipt: dict[str, Any] = answer.json()
        return receipt if receipt["state"] != "open" else None

    return wait_until(settled)


def test_the_lines_of_a_receipt_add_up_to_the_charge(stack: Stack, account: Account) -> None:
    call = stack.chat(
        "[[sim tokens=40 prompt=300000 cached=1000 cache_write=50]]",
        key=account.api_key,
        model="claude-sonnet-4-5",
        max_tokens=50,
    )

    receipt = receipt_of(stack, call, account.api_key)

    lines = {line["bucket"]: line for line in receipt["lines"]}
    total = sum(line["tokens"] * Decimal(line["usd_per_token"]) for line in receipt["lines"])
    assert set(lines) == {"input", "cache_read", "cache_write", "output"}
    # The prompt is above 200,000 tokens, so every price is that of the tier.
    assert lines["output"]["usd_per_token"] == "0.0000225"
    assert Decimal(receipt["provider_cost_usd"]) == total
    charged = -(-total * Decimal(receipt["credits_per_cent"]) * 10**8 // 1)
    assert Credits.parse(receipt["charge"]) <= Credits(int(charged))
    assert Credits.parse(receipt["charge"]) + Credits.parse(receipt["written_off"]) == Credits(
        int(charged)
    )
    assert receipt["basis"] == "provider_usage"


def test_a_failed_call_has_a_receipt_of_nothing(stack: Stack, account: Account) -> None:
    call = stack.chat("[[sim status=500]]", key=account.api_key)

    receipt = receipt_of(stack, call, account.api_key)

    assert call.status_code == 502
    assert (receipt["charge"], receipt["lines"], receipt["basis"]) == ("0", [], "none")
    assert (receipt["state"], receipt["error"]) == ("released", "upstream_unavailable")


def reported_alerts(stack: Stack, receipt: dict[str, Any]) -> list[Alert]:
    """Return the alerts that tell of a call's reported cost."""
    with stack.store.begin() as tx:
        found = tx.alerts.recent(limit=1000)
    told = [alert for alert in found if alert.key.startswith("reported_cost:")]
    return [alert for alert in told if receipt["id"] in alert.message]


def test_a_receipt_shows_what_the_model_server_says_it_cost(stack: Stack, account: Account) -> None:
    call = stack.chat("[[sim tokens=7 prompt=134]]", key=account.api_key, model="gpt-4o-mini")

    receipt = receipt_of(stack, call, account.api_key)

    assert Decimal(receipt["reported_cost_usd"]) == Decimal(receipt["provider_cost_usd"]) > 0
    assert reported_alerts(stack, receipt) == []


# Each on a model that no other test reports a cost of: an operator is told once a day for each.
@pytest.mark.parametrize(
    ("path", "model", "body"),
    [
        ("/v1/chat/completions", "gpt-4o", {"stream": False}),
        ("/v1/chat/completions", "gpt-4o-mini", {"stream": True}),
        ("/v1/responses", "demo-reasoning", {"stream": True}),
    ],
    ids=["plain", "streamed", "response"],
)
def test_another_cost_than_ours_is_told_and_charges_nothing(
    stack: Stack, account: Account, path: str, model: str, body: dict[str, Any]
) -> None:
    order = "[[sim tokens=7 prompt=134 cost=0.0123]]"
    prompt = {"input": order} if path == "/v1/responses" else {"messages": ask(order)}
    call = stack.post(path, {"model": model, **prompt, **body}, key=account.api_key)
    again = stack.post(path, {"model": model, **prompt, **body}, key=account.api_key)

    receipt = receipt_of(stack, call, account.api_key)
    later = receipt_of(stack, again, account.api_key)

    assert receipt["reported_cost_usd"] == later["reported_cost_usd"] == "0.0123"
    exact = Decimal(receipt["provider_cost_usd"]) * Decimal(receipt["credits_per_cent"]) * 10**8
    assert Credits.parse(receipt["charge"]) == Credits(int(-(-exact // 1)))
    [alert] = [*reported_alerts(stack, receipt), *reported_alerts(stack, later)]
    assert alert.severity is Severity.CRITICAL
    assert model in alert.message


def test_a_call_without_a_reported_cost_says_so(stack: Stack, account: Account) -> None:
    call = stack.chat("Hi", key=account.api_key, stream=True)
    assert call.content

    receipt = receipt_of(stack, call, account.api_key)

    assert receipt["reported_cost_usd"] is None
    assert reported_alerts(stack, receipt) == []


def test_an_unknown_receipt_is_a_call_that_there_is_not(stack: Stack, account: Account) -> None:
    answer = get(stack, "/api/v1/calls/call-0", account.api_key)

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "There is no call 'call-0'."


def test_no_other_person_sees_a_receipt(stack: Stack, account: Account) -> None:
    call = stack.chat("Hi", key=account.api_key)
    stranger = stack.an_account()
    path = f"/api/v1/calls/{call.headers['x-request-id']}"

    assert get(stack, path, stranger.api_key).status_code == 404
    assert get(stack, path, "sk-cc-wrong").status_code == 401
    assert requests.get(f"{stack.base_url}{path}", timeout=PATIENCE_S).status_code == 401


def test_a_model_is_listed_with_its_prices_in_credits(stack: Stack, account: Account) -> None:
    listed = get(stack, "/v1/models", account.api_key).json()["data"]
    one = get(stack, "/v1/models/demo-chat", account.api_key).json()

    assert one in listed
    assert one["credits_per_million_tokens"] == {
        "input": "200",
        "cached_input": "20",
        "output": "800",
    }


@pytest.mark.parametrize("model", ["demo-unpriced", "nothing", "../keys"])
def test_a_model_that_is_not_offered_is_not_found(
    stack: Stack, account: Account, model: str
) -> None:
    answer = get(stack, f"/v1/models/{model}", account.api_key)

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
