"""Somebody pays from a phone, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import OpenPage
from tests.e2e.browser.test_pages import WHAT_STICKS_OUT
from tests.e2e.test_payment_confirm import Buyer, a_buyer
from tests.stack import Stack, running_stack


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
