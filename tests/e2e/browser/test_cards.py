"""Somebody saves a card, pays with it, and turns automatic top-ups on, by clicks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from creditcore.domain.top_ups import TopUpState
from tests.e2e.browser.conftest import OpenPage
from tests.e2e.test_cards import CARDS, Holder, a_holder
from tests.stack import Stack


@pytest.fixture
def holder(sqlite_stack: Stack) -> Iterator[Holder]:
    with a_holder(sqlite_stack) as holder:
        yield holder


def test_a_person_saves_a_card_and_turns_top_ups_on(holder: Holder, open_page: OpenPage) -> None:
    page = open_page(visitor=holder)
    page.goto(f"{holder.stack.base_url}/dashboard/billing")
    page.get_by_label("Save my card to pay with it again").check()
    page.get_by_role("button", name="Continue to Paystack").click()
    page.locator("#pay").click()
    expect(page.get_by_text("Your payment of")).to_be_visible()

    page.goto(f"{holder.stack.base_url}{CARDS}")
    expect(page.locator(".cards")).to_contain_text("Visa ending in 4081")
    page.get_by_role("button", name="Charge the card now").click()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()

    page.goto(f"{holder.stack.base_url}{CARDS}")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Review").click()
    expect(page.locator(".agreement")).to_contain_text("at most once a day")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".field__error")).to_contain_text("Tick the box")
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Turn it on").click()

    expect(page.get_by_text("Automatic top-ups are on.")).to_be_visible()
    assert holder.state() is TopUpState.ON
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("Automatic top-ups are off.")).to_be_visible()
