"""Somebody pays from a phone, with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from creditcore import Credits, Money, Refund, RefundKind, RefundState
from tests.e2e.browser.conftest import OpenPage
from tests.e2e.browser.test_pages import WHAT_STICKS_OUT
from tests.e2e.buyer import WELCOME, Buyer, a_buyer
from tests.stack import Stack, running_stack, wait_until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data_dir: Path = tmp_path_factory.mktemp("mpesa-browser")
    with running_stack("", data_dir, USD_TO_KES_RATE="129.5") as stack:
        url = f"{stack.sandbox.base_url}/control/paystack/settings"
        requests.post(url, json={"phone_answer_s": 4}, timeout=10).raise_for_status()
        yield stack


@pytest.fixture
def buyer(stack: Stack) -> Iterator[Buyer]:
    with a_buyer(stack) as buyer:
        yield buyer


def send(page: Page, buyer: Buyer, phone: str) -> None:
    """Choose 500 shillings and send the request."""
    page.goto(f"{buyer.stack.base_url}/dashboard/billing")
    page.locator("label[for=mobile-other]").click()
    page.get_by_label("Other amount, in KES").fill("500")
    page.get_by_label("Phone number").fill(phone)
    page.get_by_role("button", name="Send request to my phone").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_person_pays_from_a_phone(buyer: Buyer, open_page: OpenPage, *, scripts: bool) -> None:
    page = open_page(visitor=buyer, java_script_enabled=scripts)

    send(page, buyer, "0710 000 000")

    expect(page.get_by_role("heading", name="Check your phone")).to_be_visible()
    expect(page.locator(".phone-steps")).to_contain_text("+254 710 000000")
    expect(page.locator(".phone-steps")).to_contain_text("KES\u00a0500.00")
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert len(buyer.transfers()) == 2


def test_a_person_who_cancels_is_told_and_sends_again(buyer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=buyer)
    send(page, buyer, "0710000001")
    expect(page.locator(".returned")).to_contain_text("The request was cancelled on the phone.")
    first = page.url

    page.get_by_role("button", name="Send again").click()

    expect(page.get_by_role("heading", name="Check your phone")).to_be_visible()
    assert page.url != first
    assert len(buyer.purchases()) == 2


@pytest.mark.parametrize("width", [390, 320])
def test_the_pages_fit_a_phone(buyer: Buyer, open_page: OpenPage, width: int) -> None:
    page = open_page(visitor=buyer)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{buyer.stack.base_url}/dashboard/billing")
    billing = page.evaluate(WHAT_STICKS_OUT)
    send(page, buyer, "0710 000 006")
    expect(page.get_by_role("heading", name="Check your phone")).to_be_visible()

    assert (billing, page.evaluate(WHAT_STICKS_OUT)) == ([], [])


def test_a_double_click_sends_one_request(buyer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=buyer, java_script_enabled=False)
    page.goto(f"{buyer.stack.base_url}/dashboard/billing")
    page.get_by_label("Phone number").fill("0710 000 006")

    page.get_by_role("button", name="Send request to my phone").dblclick()

    expect(page.get_by_role("heading", name="Check your phone")).to_be_visible()
    assert len(buyer.purchases()) == 1


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_person_types_the_code_of_their_network(
    buyer: Buyer, open_page: OpenPage, *, scripts: bool
) -> None:
    page = open_page(visitor=buyer, java_script_enabled=scripts)
    page.set_viewport_size({"width": 320, "height": 800})
    send(page, buyer, "0710 000 013")
    code = page.get_by_label("Code", exact=True)

    code.fill("778899")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("This was not accepted.")
    expect(page).to_have_title(re.compile("^Error: "))
    if scripts:
        expect(page.locator(".error-summary")).to_be_focused()
        assert page.evaluate(WHAT_STICKS_OUT) == []
    page.get_by_role("link", name="This was not accepted.").click()
    expect(code).to_be_focused()
    code.fill("123 456")
    code.press("Enter")

    expect(page.get_by_role("heading", name="Check your phone")).to_be_visible()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()


def test_every_path_is_walked_by_clicks(buyer: Buyer, open_page: OpenPage) -> None:
    page, desk = open_page(visitor=buyer), open_page()
    desk.goto(f"{buyer.stack.sandbox.base_url}/control/paystack/")
    desk.get_by_role("button", name="A code", exact=True).click()
    send(page, buyer, "0722 000 111")
    page.get_by_label("Code", exact=True).fill("123456")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your phone")).to_be_visible()
    reference = page.url.rpartition("/")[2]
    mine = desk.get_by_role("article").filter(has_text=reference)

    desk.reload()
    mine.get_by_role("button", name="Pay", exact=True).click()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    mine.get_by_role("button", name="Refund half").click()
    mine.get_by_role("button", name="Arrived").click()
    mine.get_by_role("button", name="Open a dispute").click()
    mine.get_by_role("button", name="Remind").click()
    mine.get_by_role("button", name="We win").click()
    wait_until(lambda: dispute_is_won(buyer, reference))
    mine.get_by_role("button", name="Send all its events again, newest first").click()
    expect(mine).to_contain_text("declined")

    bought = buyer.purchase(reference).offer.credits
    assert buyer.balance == WELCOME + bought - half_of(buyer, reference)
    assert buyer.stack.audit().clean
    page.goto(f"{buyer.stack.base_url}/dashboard/billing/receipts/{reference}")
    expect(page.get_by_role("heading", name="Credit note C-")).to_be_visible()


def refunds_of(buyer: Buyer, reference: str) -> Sequence[Refund]:
    with buyer.stack.store.begin() as tx:
        return tx.refunds.of(reference)


def dispute_is_won(buyer: Buyer, reference: str) -> bool:
    found = {(row.kind, row.state) for row in refunds_of(buyer, reference)}
    return found == {
        (RefundKind.REFUND, RefundState.PROCESSED),
        (RefundKind.DISPUTE, RefundState.FAILED),
    }


def half_of(buyer: Buyer, reference: str) -> Credits:
    [refund] = [row for row in refunds_of(buyer, reference) if row.kind is RefundKind.REFUND]
    assert refund.amount == Money(25_000, "KES")
    return refund.credits


def test_a_person_chooses_when_to_be_told_of_a_low_balance(
    buyer: Buyer, open_page: OpenPage
) -> None:
    page = open_page(visitor=buyer)
    page.goto(f"{buyer.stack.base_url}/dashboard/billing")
    below = page.get_by_label("Tell me below, in dollars")

    below.fill("five")
    below.press("Enter")
    expect(page).to_have_title(re.compile("^Error: "))
    page.get_by_role("link", name="Type an amount in dollars").click()
    expect(below).to_be_focused()
    below.fill("2.50")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Saved. You are told by mail.")).to_be_visible()
    expect(below).to_have_value("2.50")
