"""Keys, budgets, blocks and spend at a real LiteLLM, as they are and not as a stand-in has them."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from adapters.litellm.admin import AdminClient
from adapters.litellm.spend_log import LiteLLMSpendLog
from creditcore import ChargeUsage, Credits, GroupCommit, HoldState, SystemClock
from creditcore.domain.holds import Call
from creditcore.usecases.calls.expire_holds import ExpireHolds
from tests.litellm_admin.conftest import MASTER_KEY, Proxy, name_of_copy
from tests.stack import Account, Stack, wait_until


def chat(stack: Stack, account: Account) -> str:
    """Call through the gateway; return the call's id."""
    answer = stack.chat("Hello", key=account.api_key)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["x-request-id"])


def spend_log(proxy: Proxy) -> LiteLLMSpendLog:
    return LiteLLMSpendLog(AdminClient(base_url=proxy.base_url, master_key=MASTER_KEY))


def wait_for_row(proxy: Proxy, call_id: str) -> object:
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=1), now + timedelta(hours=1)
    return wait_until(
        lambda: next(
            (row for row in spend_log(proxy).rows(start=start, end=end) if row.call_id == call_id),
            None,
        )
    )


def test_a_key_is_copied_with_its_owner_and_a_budget_and_its_calls_are_its_own(
    stack: Stack, account: Account, proxy: Proxy
) -> None:
    name = name_of_copy(stack, account)
    copy = wait_until(lambda: proxy.key(name))

    assert copy["user_id"] == account.person_id
    assert copy["budget_duration"] is None
    # 2,000 credits are 10 USD at the provider; a tenth and a dollar on top.
    assert float(copy["max_budget"]) == pytest.approx(12.0)

    # Gateways take a copy into use within seconds; until then calls go out with the master key.
    wait_until(lambda: chat(stack, account) and (proxy.key(name) or {}).get("spend"))


def test_a_budget_that_is_used_up_there_harms_no_client(
    stack: Stack, account: Account, proxy: Proxy
) -> None:
    name = name_of_copy(stack, account)
    wait_until(lambda: proxy.key(name))
    assert proxy.ask("POST", "/key/update", json={"key": name, "max_budget": 0.0}).ok

    for _ in range(3):
        chat(stack, account)


def test_a_copy_that_is_blocked_there_harms_no_client(
    stack: Stack, account: Account, proxy: Proxy
) -> None:
    name = name_of_copy(stack, account)
    wait_until(lambda: proxy.key(name))
    assert proxy.ask("POST", "/key/block", json={"key": name}).ok

    chat(stack, account)


def test_a_revoked_key_is_deleted_there(stack: Stack, account: Account, proxy: Proxy) -> None:
    name = name_of_copy(stack, account)
    wait_until(lambda: proxy.key(name))

    stack.flask("user", "block", "--email", account.email, "--reason", "test")

    wait_until(lambda: proxy.key(name) is None)
    assert stack.chat("Hello", key=account.api_key).status_code == 401


def test_a_copy_that_is_lost_is_made_again(stack: Stack, account: Account, proxy: Proxy) -> None:
    name = name_of_copy(stack, account)
    wait_until(lambda: proxy.key(name))
    assert proxy.ask("POST", "/key/delete", json={"keys": [name]}).ok

    chat(stack, account)

    wait_until(lambda: proxy.key(name))


def test_both_logs_agree(stack: Stack, account: Account, proxy: Proxy) -> None:
    for _ in range(3):
        wait_for_row(proxy, chat(stack, account))
    stack.settled_wallet_of(account.person_id)
    now = datetime.now(UTC)
    since, until = now - timedelta(minutes=30), now + timedelta(minutes=1)
    span = ("--from", f"{since:%Y-%m-%dT%H:%M}", "--to", f"{until:%Y-%m-%dT%H:%M}")

    done = stack.flask("reconcile-usage", *span, "--json", check=False)

    report = json.loads(done.stdout)
    assert report["compared"] >= 3
    assert not [each for each in report["findings"] if each["kind"] == "cost"]


def test_a_hold_left_behind_is_settled_by_the_log(
    stack: Stack, account: Account, proxy: Proxy
) -> None:
    call_id = f"call-{uuid.uuid4().hex}"
    body = {"model": "demo-chat", "messages": [{"role": "user", "content": "Hello"}]}
    clock = SystemClock()
    # The call first: the gateway's own chores look for such holds every ten seconds.
    headers = {"x-litellm-call-id": call_id}
    assert proxy.ask("POST", "/v1/chat/completions", json=body, headers=headers).ok
    row = wait_for_row(proxy, call_id)
    with GroupCommit(transactions=stack.store, clock=clock) as commits:
        charge = ChargeUsage(
            commits=commits, transactions=stack.store, clock=clock, lifetime=timedelta(seconds=1)
        )
        call = Call(model="demo-chat", multiplier="2")
        charge.authorize(account.wallet_id, ceiling=Credits.of(5), reference=call_id, call=call)
        expiry = ExpireHolds(
            transactions=stack.store, clock=clock, charge=charge, log=spend_log(proxy)
        )
        wait_until(lambda: expiry.expire() or not stack.calls_of(account)[0].is_open)

    [hold] = stack.calls_of(account)
    assert hold.state is HoldState.SETTLED
    assert Credits(0) < hold.charged < Credits.of(5)
    assert hold.outcome.provider_cost_picodollars == row.picodollars
