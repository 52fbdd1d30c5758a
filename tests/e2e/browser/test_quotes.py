"""Who types an amount of dollars sees its price in shillings before they leave."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import OpenPage
from tests.e2e.browser.test_pages import assert_fits_every_screen, assert_usable_by_everybody
from tests.e2e.buyer import Buyer, a_buyer
from tests.stack import Stack, running_stack

PRICE = "#typed-price"


@pytest.fixture(scope="module")
def kes_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway whose rate leaves something to round."""
    settings = {"PAYSTACK_CURRENCY": "KES", "USD_TO_KES_RATE": "129.37"}
    with running_stack("", tmp_path_factory.mktemp("kes-stack"), **settings) as stack:
        yield stack


@pytest.fixture
def buyer(kes_stack: Stack) -> Iterator[Buyer]:
    with a_buyer(kes_stack, tags="+nowebhook") as buyer:
        yield buyer


def type_amount(page: Page, buyer: Buyer, amount: str) -> None:
    page.goto(f"{buyer.stack.base_url}/dashboard/billing")
    page.locator("label[for=amount-other]").click()
    page.locator("#custom_usd").press_sequentially(amount)


# 37 x 129.37 is 4,786.69; 100 x 129.37 is whole.
@pytest.mark.parametrize(("usd", "shillings"), [("37", "4,787.00"), ("100", "12,937.00")])
def test_the_price_shown_is_the_price_asked(
    buyer: Buyer, open_page: OpenPage, usd: str, shillings: str
) -> None:
    page = open_page(visitor=buyer)

    type_amount(page, buyer, usd)
    expect(page.locator(PRICE)).to_have_text(re.compile(rf"^KES.{shillings} for "))
    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)
    page.get_by_role("button", name="Continue to Paystack").click()

    expect(page.locator("#amount")).to_have_text(re.compile(rf"KES.{shillings}"))


def test_an_amount_that_is_not_sold_has_no_price(buyer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=buyer)

    # Below the least at first, and above the most in the end.
    type_amount(page, buyer, "1")
    expect(page.locator(PRICE)).to_be_empty()
    page.locator("#custom_usd").press_sequentially("00")
    expect(page.locator(PRICE)).to_contain_text("12,937.00")
    page.locator("#custom_usd").press_sequentially("0000")

    expect(page.locator(PRICE)).to_be_empty()


def test_a_question_about_another_amount_is_taken_back(buyer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=buyer)
    # The answer about 10 never comes; the one about 100 must not wait for it, nor it come later.
    page.route(re.compile("amount_usd=10$"), lambda _: None)

    with page.expect_event("requestfailed", lambda asked: asked.url.endswith("amount_usd=10")):
        type_amount(page, buyer, "100")

    expect(page.locator(PRICE)).to_contain_text("12,937.00")


def test_without_scripts_the_rate_stands_beside_the_field(
    buyer: Buyer, open_page: OpenPage
) -> None:
    page = open_page(visitor=buyer, java_script_enabled=False)

    page.goto(f"{buyer.stack.base_url}/dashboard/billing")
    page.locator("label[for=amount-other]").click()

    field = page.get_by_label("Other amount, in US dollars")
    expect(field).to_have_accessible_description(
        re.compile(r"1.USD = KES.129\.37, the total rounded up to a whole shilling")
    )
