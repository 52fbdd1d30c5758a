"""The operator's pages in a browser: open to everybody, and an act leads through its preview."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.browser.conftest import OpenPage
from tests.stack import Stack
from tests.visitors import Visitor

PAGES = (
    *("", "/people", "/payments", "/models", "/alerts?all=yes", "/monitoring", "/jobs"),
    *("/models/rules", "/models/rules/new", "/failures", "/reviews"),
)


@pytest.fixture
def operator(sqlite_stack: Stack, member: Visitor) -> Visitor:
    """Somebody who operates the site; their sessions of before have ended."""
    sqlite_stack.flask("user", "grant-role", "--email", member.email, "--role", "admin")
    member.sign_in()
    return member


def test_no_operator_is_shut_out_of_the_operators_pages(
    open_page: OpenPage, operator: Visitor
) -> None:
    page = open_page(visitor=operator, viewport={"width": 320, "height": 800}, color_scheme="dark")
    for path in PAGES:
        page.goto(f"{operator.stack.base_url}/admin{path}")
        violations = Axe().run(page).response["violations"]
        assert violations == [], [path, *(violation["id"] for violation in violations)]
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_what_leads_elsewhere_in_a_row_can_be_clicked(
    open_page: OpenPage, operator: Visitor
) -> None:
    page = open_page(visitor=operator)
    page.goto(f"{operator.stack.base_url}/admin/models")

    page.get_by_role("link", name="Price or hide gpt-4o-mini").click()

    expect(page.get_by_label("Models")).to_have_value("gpt-4o-mini")


def test_signing_out_is_seen_on_a_low_screen(open_page: OpenPage, operator: Visitor) -> None:
    page = open_page(visitor=operator, viewport={"width": 1280, "height": 600})
    for path in ("/admin", "/dashboard"):
        page.goto(operator.stack.base_url + path)

        expect(page.locator(".sidebar").get_by_role("button", name="Sign out")).to_be_in_viewport()


def test_credits_are_given_through_a_preview(
    open_page: OpenPage, operator: Visitor, stranger: Visitor
) -> None:
    stranger.sign_up()
    page = open_page(visitor=operator)
    page.goto(f"{operator.stack.base_url}/admin")
    page.get_by_label("Find a person, team, key, call or payment").fill(stranger.email)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Give credits").click()
    page.get_by_label("Credits").fill("300")
    page.get_by_label("Reason").fill("for the outage")
    page.get_by_role("button", name="Look at what changes").click()
    expect(page.get_by_text("the balance goes from $2.00 to $5.00")).to_be_visible()
    page.get_by_role("button", name="Give the credits").click()

    expect(page.get_by_text("got 300 credits")).to_be_visible()


def test_a_price_of_an_image_is_set_and_ended_through_previews(
    open_page: OpenPage, operator: Visitor
) -> None:
    page = open_page(visitor=operator)
    page.goto(f"{operator.stack.base_url}/admin/models/rules")
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("What it does").select_option("A price of your own")
    page.get_by_label("Models").fill("dall-e-3")
    page.get_by_label("Sold by").select_option("Image")
    page.get_by_label("Price of it").fill("0.05")
    page.get_by_role("button", name="Look at what changes").click()
    expect(page.get_by_role("row", name="dall-e-3")).to_contain_text("$0.05 per image")
    page.get_by_role("button", name="Make the rule").click()
    expect(page.get_by_text("Prices that changed: 1.")).to_be_visible()

    page.get_by_role("link", name="End the rule for dall-e-3").click()
    page.get_by_role("button", name="End the rule").click()
    expect(page.get_by_text("The rule has ended.")).to_be_visible()
