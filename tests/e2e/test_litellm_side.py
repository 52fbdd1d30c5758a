"""What LiteLLM has of our keys and calls, with everything running."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.faults.wire import call, chat_body
from tests.stack import PATIENCE_S, Account, Stack, wait_until

HI = chat_body("[[sim tokens=3 prompt=11]]")


def control(stack: Stack, path: str, **order: Any) -> dict[str, Any]:
    answer = requests.post(
        f"{stack.sandbox.base_url}/control/litellm/{path}", json=order, timeout=PATIENCE_S
    )
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def copies(stack: Stack, account: Account) -> list[dict[str, Any]]:
    return [key for key in control(stack, "keys")["keys"] if key["user_id"] == account.person_id]


def key_of_call(stack: Stack, call_id: str) -> str:
    [seen] = requests.get(
        f"{stack.sandbox.base_url}/control/litellm/calls",
        params={"call_id": call_id},
        timeout=PATIENCE_S,
    ).json()["calls"]
    return str(seen["headers"]["authorization"])


def test_calls_go_out_with_the_copy_of_their_key_once_it_is_there(stack: Stack) -> None:
    account = stack.an_account(credits_="1000")
    if stack.database_url.startswith("postgres"):
        stack.flask("worker", "--once")
    wait_until(lambda: copies(stack, account))

    def called_with_the_copy() -> bool:
        answer = call(stack.base_url, HI, key=account.api_key)
        assert answer.status == 200
        return key_of_call(stack, answer.call_id) != "Bearer sk-sandbox-master"

    wait_until(called_with_the_copy)
    # It comes back empty: no caller notices.
    control(stack, "keys", forget=True)
    for _ in range(3):
        assert call(stack.base_url, HI, key=account.api_key).status == 200


def test_reconciling_usage_finds_what_was_planted_and_nothing_else(sqlite_stack: Stack) -> None:
    stack = sqlite_stack
    account = stack.an_account(credits_="1000")
    answers = [call(stack.base_url, HI, key=account.api_key) for _ in range(5)]
    stack.settled_wallet_of(account.person_id)
    now = datetime.now(UTC)
    window = ("--from", f"{now - timedelta(minutes=30):%Y-%m-%dT%H:%M}")
    window += ("--to", f"{now + timedelta(minutes=1):%Y-%m-%dT%H:%M}", "--json")
    before = json.loads(stack.flask("reconcile-usage", *window, check=False).stdout)
    lost = answers[0].call_id
    assert control(stack, "spend", lose=lost) == {"lost": True}
    row = {
        "api_key": "hash",
        "model": "demo-chat",
        "prompt_tokens": 11,
        "completion_tokens": 3,
        "started_at": now.timestamp() - 60,
    }
    control(stack, "spend", add=row | {"call_id": "call-invented", "spend": 0.25})
    dear = answers[1].call_id
    control(stack, "spend", lose=dear)
    control(stack, "spend", add=row | {"call_id": dear, "spend": 0.5})

    done = stack.flask("reconcile-usage", *window, check=False)

    assert done.returncode == 1
    report = json.loads(done.stdout)
    known = {(finding["kind"], finding["call_id"]) for finding in before["findings"]}
    found = {(finding["kind"], finding["call_id"]) for finding in report["findings"]} - known
    assert found == {("unknown_there", lost), ("unknown_here", "call-invented"), ("cost", dear)}
    assert (
        "The logs do NOT agree." in stack.flask("reconcile-usage", *window[:-1], check=False).stdout
    )
