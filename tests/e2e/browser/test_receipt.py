"""A call's receipt can be reached, read, copied and printed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import OpenPage
from tests.e2e.browser.test_pages import (
    assert_fits_every_screen,
    assert_usable_by_everybody,
    tab_to,
)
from tests.e2e.buyer import Buyer, a_buyer
from tests.stack import Stack

PROMPTS = {
    "done": "[[sim tokens=40 prompt=3000 cached=1000 cache_write=50]]",
    "failed": "[[sim status=500]]",
    "counted": "[[sim tokens=12 usage=missing]]",
    "written off": "[[sim tokens=50 prompt=1000000 ignore_max=1]]",
}


@pytest.fixture(scope="module")
def caller(sqlite_stack: Stack) -> Iterator[Buyer]:
    """Somebody who has called."""
    with a_buyer(sqlite_stack, tags="+nowebhook") as caller:
        yield caller


@pytest.fixture(scope="module")
def calls(caller: Buyer) -> dict[str, str]:
    """The id of a call of every kind."""
    secret = caller.stack.a_key(caller.person.id)
    ids = {
        kind: caller.stack.chat(prompt, key=secret, max_tokens=99).headers["x-request-id"]
        for kind, prompt in PROMPTS.items()
    }
    caller.stack.settled_wallet_of(caller.person.id)
    return ids


def open_receipt(page: Page, caller: Buyer, call_id: str) -> None:
    page.goto(f"{caller.stack.base_url}/dashboard/calls/{call_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Receipt of a call")


@pytest.mark.parametrize("kind", PROMPTS)
def test_every_receipt_fits_and_is_usable(
    caller: Buyer, calls: dict[str, str], open_page: OpenPage, kind: str
) -> None:
    page = open_page(visitor=caller)

    open_receipt(page, caller, calls[kind])

    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)


def test_a_receipt_is_one_press_away_and_so_is_the_way_back(
    caller: Buyer, calls: dict[str, str], open_page: OpenPage
) -> None:
    page = open_page(visitor=caller)
    page.goto(f"{caller.stack.base_url}/dashboard")

    link = page.get_by_role("link", name=calls["done"])
    tab_to(page, (link.text_content() or "").strip()[:40])
    while not link.evaluate("one => one === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#call-id")).to_have_text(calls["done"])
    tab_to(page, "Calls")
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{caller.stack.base_url}/dashboard/calls")


def test_a_whole_row_leads_to_its_receipt(
    caller: Buyer, calls: dict[str, str], open_page: OpenPage
) -> None:
    page = open_page(visitor=caller, viewport={"width": 390, "height": 844})
    page.goto(f"{caller.stack.base_url}/dashboard")

    row = page.locator("[aria-labelledby=calls] tbody tr", has_text=calls["failed"])
    row.get_by_text("Failed").click(force=True)

    expect(page.locator("#call-id")).to_have_text(calls["failed"])


def test_the_id_can_be_copied(caller: Buyer, calls: dict[str, str], open_page: OpenPage) -> None:
    page = open_page(visitor=caller)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_receipt(page, caller, calls["done"])

    copy = page.get_by_role("button", name="Copy the id of this call")
    copy.press("Enter")

    expect(copy).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == calls["done"]


def test_a_receipt_needs_no_script(
    caller: Buyer, calls: dict[str, str], open_page: OpenPage
) -> None:
    page = open_page(visitor=caller, java_script_enabled=False)
    page.goto(f"{caller.stack.base_url}/dashboard")

    page.get_by_role("link", name=calls["done"]).click()

    expect(page.locator("#call-id")).to_have_text(calls["done"])
    expect(page.get_by_role("button", name=re.compile("Copy|Print"))).to_have_count(0)
