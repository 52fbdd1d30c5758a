"""Calls from the page: by the session alone, charged once, and ended when the page leaves."""

from __future__ import annotations

import re
import uuid
from typing import Any

import requests

from creditcore import Credits, SystemClock
from creditcore.domain.limits import KeyLimits, SpendLimit
from creditcore.testing.contracts import admit, settle
from creditcore.usecases.keys.limit_account import LimitAccount
from tests.stack import wait_until
from tests.visitors import Visitor

PATH = "/dashboard/playground"


def a_question(member: Visitor, text: str, **more: object) -> dict[str, Any]:
    call_id = member.post_json(f"{PATH}/calls", {}).json()["call_id"]
    messages = [{"role": "user", "content": text}]
    return {"model": "demo-chat", "messages": messages, "max_tokens": 64, "call_id": call_id} | more


def outcome_of(member: Visitor, call_id: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        said: dict[str, Any] = member.get(f"{PATH}/calls/{call_id}").json()
        return said if said["ended"] else None

    return wait_until(ended)


def test_an_answer_streams_and_its_cost_is_told(member: Visitor, stranger: Visitor) -> None:
    question = a_question(member, "[[sim tokens=7 prompt=10]] Habari?")

    answer = member.post_json(f"{PATH}/run", question)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.rstrip().endswith("data: [DONE]")
    said = outcome_of(member, question["call_id"])
    assert (said["prompt_tokens"], said["completion_tokens"], said["word"]) == (10, 7, "Done")
    assert said["cost"] == "$0.000038 paid ($0.000076 of balance)"
    assert "Habari" not in member.get(said["receipt"]).text
    stranger.sign_up()
    assert stranger.get(f"{PATH}/calls/{question['call_id']}").status_code == 404


def test_asking_twice_by_one_name_asks_once(member: Visitor) -> None:
    question = a_question(member, "Hi")
    member.post_json(f"{PATH}/run", question)
    before = member.stack.settled_wallet_of(member.person.id).posted

    again = member.post_json(f"{PATH}/run", question)

    assert again.status_code == 409
    assert member.stack.settled_wallet_of(member.person.id).posted == before


def test_leaving_ends_the_call_and_is_charged_for_what_came(member: Visitor) -> None:
    question = a_question(member, "[[sim tokens=2000 delay_ms=20]]", max_tokens=2_000)
    headers = {"x-csrftoken": member.token(), "accept": "application/json"}
    with member.http.post(
        f"{member.stack.base_url}{PATH}/run", json=question, headers=headers, stream=True
    ) as answer:
        next(answer.iter_lines())

    said = outcome_of(member, question["call_id"])

    assert said["word"] == "Cancelled"
    assert said["completion_tokens"] is None or said["completion_tokens"] < 2_000


def test_the_most_it_can_cost_is_what_is_set_aside(member: Visitor) -> None:
    question = a_question(member, "Hi", max_tokens=1_000)

    quoted = member.post_json(f"{PATH}/quote", question).json()

    assert quoted["refusal"] == ""
    assert quoted["at_most"].startswith("$0.00")
    assert "CREDITCORE_API_KEY" in quoted["code"]["curl"]


def test_a_form_is_answered_without_a_script(member: Visitor) -> None:
    shown = member.get(f"{PATH}?model=demo-chat").text
    named = re.search(r'name="call_id" value="([^"]+)"', shown)
    assert named
    form = {"model": "demo-chat", "prompt": "Hi", "max_tokens": "64", "call_id": named[1]}

    quoted = member.post(PATH, {**form, "do": "quote"})
    answered = member.post(PATH, {**form, "do": "ask"})
    again = member.post(PATH, {**form, "do": "ask"})

    assert "At most $0.00" in quoted.text
    assert "Hello from the sandbox" in answered.text
    assert re.search(r"Cost \$0\.0\d+ paid", answered.text)
    assert again.status_code == 409
    assert f"/dashboard/calls/{named[1]}" in again.text


def test_what_the_balance_cannot_pay_is_refused_before_it_is_asked(member: Visitor) -> None:
    wallet = member.stack.wallet_of(member.person.id)
    almost_all = wallet.available.microcredits - 1
    name = f"call-{uuid.uuid4().hex}"
    hold = admit(
        member.stack.store, almost_all, reference=name, wallet_id=wallet.id, now=SystemClock().now()
    )
    question = a_question(member, "Hi")

    quoted = member.post_json(f"{PATH}/quote", question).json()
    refused = member.post_json(f"{PATH}/run", question)

    assert refused.status_code == 402
    assert quoted["refusal"] == refused.json()["error"]["message"]
    assert "Hi" not in refused.text
    assert member.stack.wallet_of(member.person.id).held == hold.amount
    settle(member.stack.store, hold, 0, at=SystemClock().now())


def test_it_is_held_to_what_limits_the_account(member: Visitor) -> None:
    wallet = member.stack.wallet_of(member.person.id)
    limiting = LimitAccount(transactions=member.stack.store, clock=SystemClock())
    limiting.limit(wallet.id, KeyLimits(rpm=1, spend=SpendLimit(credits=Credits.of(2))))
    question = a_question(member, "Hi")
    form = {"model": "demo-chat", "prompt": "Hi", "max_tokens": "64", "call_id": "call-12345678"}

    answered = member.post_json(f"{PATH}/run", question)
    page = member.post(PATH, {**form, "do": "ask"})
    spent = wallet.posted - member.stack.settled_wallet_of(member.person.id).posted
    told = member.get("/api/v1/limits", headers={"accept": "application/json"}).json()
    limiting.limit(wallet.id, KeyLimits(spend=SpendLimit(credits=spent)))
    beyond = member.post_json(f"{PATH}/quote", question).json()

    assert answered.status_code == 200
    assert page.status_code == 429
    assert "The limit of this account, all its callers together, is reached" in page.text
    assert "0 are left of the spend limit of this account" in beyond["refusal"]
    assert told["account"]["requests_per_minute"]["limit"] == 1
    assert told["account"]["spend"]["spent"] == str(spent)
    assert told["credit_balance"] == told["account"]["spend"]["remaining"]


def test_it_takes_the_session_and_the_token_of_its_page(member: Visitor, visitor: Visitor) -> None:
    question = a_question(member, "Hi")

    without_token = requests.post(
        f"{member.stack.base_url}{PATH}/run",
        json=question,
        cookies=member.http.cookies.get_dict(),
        timeout=30,
    )
    signed_out = visitor.post_json(f"{PATH}/run", question)

    assert (without_token.status_code, signed_out.status_code) == (400, 401)
