"""What is printed: the figures, on white, without what can only be pressed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import OpenPage
from tests.e2e.browser.test_pages import BRIGHTNESS, WHAT_STICKS_OUT
from tests.e2e.buyer import Buyer, a_buyer
from tests.stack import Stack

# A4 without margins of 15 mm, in CSS pixels.
PAPER = {"width": 680, "height": 1009}


@pytest.fixture(scope="module")
def payer(sqlite_stack: Stack) -> Iterator[Buyer]:
    """Somebody who has paid, and begun to pay again."""
    with a_buyer(sqlite_stack, tags="+nowebhook") as payer:
        reference = payer.buy(10)
        payer.pay(reference)
        payer.come_back(reference)
        payer.buy(25)
        yield payer


def printed(page: Page, payer: Buyer, path: str) -> Page:
    """Open a page in the dark and lay it out for paper."""
    page.goto(f"{payer.stack.base_url}{path}")
    page.locator("html").evaluate("root => { root.dataset.theme = 'dark'; }")
    page.set_viewport_size(PAPER)
    page.emulate_media(media="print", color_scheme="dark", reduced_motion="reduce")
    return page


def assert_fit_for_paper(page: Page, payer: Buyer) -> None:
    expect(page.locator(".print-head")).to_contain_text(payer.email)
    for gone in (".sidebar", ".phonebar", ".tabbar", ".sandbox-bar", "button", "summary"):
        for one in page.locator(gone).all():
            expect(one).to_be_hidden()
    assert page.evaluate(WHAT_STICKS_OUT) == []
    # Paper has no colour of its own, and its ink is dark.
    assert page.evaluate(BRIGHTNESS) is None
    [red, *_] = page.evaluate("getComputedStyle(document.body).color.match(/[0-9]+/g).map(Number)")
    assert red < 60


def test_bills_are_printed_as_tables(payer: Buyer, open_page: OpenPage) -> None:
    page = printed(open_page(visitor=payer), payer, "/dashboard/billing")

    assert_fit_for_paper(page, payer)
    for form in page.locator("main form").all():
        expect(form).to_be_hidden()
    for table in page.locator("table").all():
        assert table.evaluate("one => getComputedStyle(one).display") == "table"
    expect(page.get_by_role("columnheader", name="Reference")).to_be_visible()
    expect(page.locator("[aria-labelledby=payments]")).to_contain_text("$10.00")
    expect(page.get_by_text("Continue to payment")).to_be_hidden()


LIGHT_ON_WHITE = """() => {
  const channel = value => value <= 10.3 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode, one = text.parentElement;
    if (!text.textContent.trim() || !one.checkVisibility({ visibilityProperty: true })) continue;
    const colour = getComputedStyle(one).color.match(/[\\d.]+/g).map(Number).map(channel);
    const light = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2];
    if (1.05 / (light + 0.05) < 4.5) found.push(text.textContent.trim());
  }
  return found;
}"""


def test_every_page_is_ink_on_white(payer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=payer)
    wrong = {}
    for path in (
        *("/", "/pricing", "/models", "/dashboard", "/dashboard/analytics", "/dashboard/calls"),
        *("/dashboard/keys", "/dashboard/billing/statement", "/dashboard/security"),
        *("/dashboard/team", "/dashboard/general", "/dashboard/what-if"),
    ):
        printed(page, payer, path)
        found = page.evaluate(LIGHT_ON_WHITE) + page.evaluate(WHAT_STICKS_OUT)
        page.locator("html").evaluate("root => { delete root.dataset.theme; }")
        if found := found + page.evaluate(LIGHT_ON_WHITE):
            wrong[path] = found

    assert wrong == {}


NUMBERS_IN_PIECES = """() => {
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode, range = document.createRange();
    const one = text.parentElement;
    if (!one.closest("td.num, tbody th") || one.closest(".hint")) continue;
    for (const word of text.textContent.matchAll(/[^\\s]+/g)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (range.getClientRects().length > 1) found.push(word[0]);
    }
  }
  return found;
}"""


def test_no_number_is_cut_in_two_on_paper(payer: Buyer, open_page: OpenPage) -> None:
    key = payer.stack.a_key(payer.person.id)
    for _ in range(2):
        payer.stack.chat("[[sim tokens=5]]", key=key)
    payer.stack.settled_wallet_of(payer.person.id)
    page = open_page(visitor=payer)
    page.goto(f"{payer.stack.base_url}/dashboard/calls")
    page.evaluate("""() => {
      for (const [name, text] of [["tokens", "23,344 / 11,849 / 1,350"], ["cost", "$0.02046324"],
                                  ["time", "406 ms / 107.0 s"]])
        document.querySelectorAll(`td.calls__${name}`).forEach(one => { one.textContent = text; });
    }""")
    page.set_viewport_size(PAPER)
    page.emulate_media(media="print")

    assert page.locator("td.calls__cost").count() == 2
    assert page.evaluate(NUMBERS_IN_PIECES) == []
    assert page.evaluate(WHAT_STICKS_OUT) == []
    page.goto(f"{payer.stack.base_url}/dashboard/analytics")
    # Of six models and all others.
    page.evaluate("""() => document.querySelectorAll("#spend-table tr").forEach(row => {
      while (row.cells.length < 9) row.append(row.cells[1].cloneNode());
      [...row.cells].slice(1).forEach(cell => { cell.textContent = "$0.0008965"; });
    })""")
    assert page.locator("#spend-table td.num").count() > 7
    assert page.evaluate(NUMBERS_IN_PIECES) == []


def test_keys_are_printed_without_what_makes_them(payer: Buyer, open_page: OpenPage) -> None:
    page = printed(open_page(visitor=payer), payer, "/dashboard/keys")

    assert_fit_for_paper(page, payer)
    for form in page.locator("main form").all():
        expect(form).to_be_hidden()


def test_a_receipt_is_printed_on_one_sheet(payer: Buyer, open_page: OpenPage) -> None:
    call = payer.stack.chat("[[sim tokens=5]]", key=payer.stack.a_key(payer.person.id))
    payer.stack.settled_wallet_of(payer.person.id)
    call_id = call.headers["x-request-id"]
    page = printed(open_page(visitor=payer), payer, f"/dashboard/calls/{call_id}")

    assert_fit_for_paper(page, payer)
    expect(page.locator("#call-id")).to_have_text(call_id)
    expect(page.get_by_text("provider_usage")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= PAPER["height"]


def test_the_button_prints(payer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=payer)
    page.add_init_script("window.print = () => { document.title = 'printed'; };")
    page.goto(f"{payer.stack.base_url}/dashboard/billing")

    page.get_by_role("button", name="Print").click()

    expect(page).to_have_title("printed")
