"""A person finds the receipt of each of their calls, and no other person does."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import requests

from adapters.flask_web.web import formatting as filters
from creditcore import Credits
from tests.stack import wait_until
from tests.visitors import Visitor


@pytest.fixture
def secret(member: Visitor) -> str:
    """A key of the member's."""
    return member.stack.a_key(member.person.id)


def page_of(visitor: Visitor, call: requests.Response) -> requests.Response:
    return visitor.get(f"/dashboard/calls/{call.headers['x-request-id']}")


def finished_page(member: Visitor, call: requests.Response) -> str:
    """Return the words of a call's page once the call is settled."""
    assert call.content is not None
    member.stack.settled_wallet_of(member.person.id)
    answer = page_of(member, call)
    assert answer.status_code == 200
    return words(answer.text)


def receipt_of(member: Visitor, call: requests.Response) -> dict[str, Any]:
    """Return the same receipt as programs get it."""
    found: dict[str, Any] = member.get(f"/api/v1/calls/{call.headers['x-request-id']}").json()
    return found


def words(page: str) -> str:
    """Return what a page reads, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_the_page_says_what_programs_are_told(member: Visitor, secret: str) -> None:
    call = member.stack.chat(
        "[[sim tokens=40 prompt=3000 cached=1000 cache_write=50]]",
        key=secret,
        model="claude-sonnet-4-5",
        max_tokens=2_000,
    )

    page = finished_page(member, call)

    receipt = receipt_of(member, call)
    assert receipt["id"] in page
    assert "claude-sonnet-4-5" in page
    # One key is named "test", whose secret is not on the page.
    assert f"test {secret[:10]}\u2026{secret[-4:]}" in page
    assert secret not in page
    assert "Input 1,950 tokens at $3.00 / 1M $0.00585" in page
    assert "Input, read from cache 1,000 tokens at $0.30 / 1M $0.0003" in page
    assert "Input, written to cache 50 tokens at $3.75 / 1M $0.0001875" in page
    assert "Output 40 tokens at $15.00 / 1M $0.0006" in page
    assert f"Provider\u2019s cost ${receipt['provider_cost_usd']}" in page
    assert f"Credits per cent of cost \u00d7 {receipt['credits_per_cent']}" in page
    hold, charge = (Credits.parse(receipt[name]) for name in ("hold", "charge"))
    assert f"Charged $0.013875 {receipt['charge']} credits" in page
    assert f"Set aside for it {filters.exact_dollars(hold)}" in page
    assert f"Given back {filters.exact_dollars(hold - charge)}" in page
    assert "Your balance \u2212$0.013875" in page
    assert f"Counted by the provider {receipt['basis']}" in page
    assert "State Settled HTTP status 200" in page
    assert f"Until the answer began {words(filters.duration(receipt['first_byte_ms']))}" in page
    assert "Called /v1/chat/completions" in page
    assert f"To compare: nothing is charged by it. ${receipt['reported_cost_usd']}" in page


def test_what_a_call_cost_beyond_its_hold_adds_up(member: Visitor, secret: str) -> None:
    call = member.stack.chat(
        "[[sim tokens=50 prompt=300000 ignore_max=1]]", key=secret, max_tokens=50
    )

    page = finished_page(member, call)

    receipt = receipt_of(member, call)
    charge, beyond = (Credits.parse(receipt[name]) for name in ("charge", "written_off"))
    assert beyond
    assert f"Comes to {filters.exact_dollars(charge + beyond)}" in page
    assert f"borne by us \u2212{filters.exact_dollars(beyond)}" in page
    assert f"Charged {filters.exact_dollars(charge)}" in page


def test_a_failed_call_says_why_and_that_it_cost_nothing(member: Visitor, secret: str) -> None:
    call = member.stack.chat("[[sim status=500]]", key=secret)

    page = finished_page(member, call)

    assert "The model could not be reached, or its answer broke off." in page
    assert "Error upstream_unavailable" in page
    assert "Tokens none were counted" in page
    assert "Charged $0.00 0 credits" in page
    assert "Nothing to charge for none" in page
    assert "State Released HTTP status 502" in page
    assert "Your balance unchanged All that was set aside was given back." in page


def test_a_call_that_we_counted_says_so(member: Visitor, secret: str) -> None:
    call = member.stack.chat("[[sim tokens=12 usage=missing]]", key=secret, stream=True)

    page = finished_page(member, call)

    assert "Counted by us counted_output" in page
    assert "four bytes, or one piece, to the token" in page
    assert "Called /v1/chat/completions , streamed" in page
    assert "Model server" not in page


def test_a_running_call_says_what_is_set_aside(member: Visitor, secret: str) -> None:
    with member.stack.chat("[[sim hang_after=3]]", key=secret, stream=True) as call:
        assert next(call.iter_content(None))
        answer = page_of(member, call)

    page = words(answer.text)
    assert 'data-reload-after="' in answer.text
    assert "This call is running." in page
    assert "Charged so far $0.00" in page
    assert "Not known yet It is known once the call has ended." in page
    assert "HTTP status not known yet" in page
    assert "Given back" not in page
    # Once it has ended, there is nothing to look for again.
    wait_until(lambda: "data-reload-after" not in page_of(member, call).text)


def test_every_call_of_the_overview_leads_to_its_receipt(member: Visitor, secret: str) -> None:
    calls = [member.stack.chat("Hi", key=secret) for _ in range(3)]
    member.stack.settled_wallet_of(member.person.id)

    overview = member.get("/dashboard").text

    links = re.findall(r'href="(/dashboard/calls/[^"]+)"', overview)
    ids = [call.headers["x-request-id"] for call in calls]
    assert links == [f"/dashboard/calls/{call_id}" for call_id in reversed(ids)]
    assert all(f"Receipt {call_id}: " in overview for call_id in ids)
    for link, call_id in zip(links, reversed(ids), strict=True):
        assert f'id="call-id">{call_id}<' in member.get(link).text


def test_no_other_person_sees_the_page(member: Visitor, secret: str, stranger: Visitor) -> None:
    call = member.stack.chat("Hi", key=secret)
    path = f"/dashboard/calls/{call.headers['x-request-id']}"

    nobody = stranger.get(path)
    stranger.sign_up()
    somebody = stranger.get(path)

    assert nobody.status_code == 302
    assert nobody.headers["location"].startswith("/sign-in?next=")
    assert somebody.status_code == 404
    assert "demo-chat" not in somebody.text
    assert page_of(member, call).status_code == 200


@pytest.mark.parametrize(
    "call_id", ["call-0", "x" * 3_000, "%00", "%ff", "%0d%0aset-cookie:x", "'--", "\u202e"]
)
def test_a_call_that_there_is_not_is_not_found(member: Visitor, call_id: str) -> None:
    answer = member.get(f"/dashboard/calls/{call_id}")

    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
