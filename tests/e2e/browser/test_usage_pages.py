"""Pages about usage: open to everybody, and their totals lead to the calls they add up."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import OpenPage
from tests.stack import Stack, wait_until
from tests.visitors import Visitor

PAGES = (
    "/dashboard",
    "/dashboard/analytics",
    "/dashboard/analytics?range=24h&group=key",
    "/dashboard/analytics?range=nonsense&key=none&min_cost=x",
    "/dashboard/calls",
    "/dashboard/calls?range=7d&outcome=failed",
    "/dashboard/calls/refused",
    "/dashboard/general",
)
SHAPES = tuple({"width": width, "height": 800} for width in (1280, 390, 320))


@pytest.fixture(scope="module")
def member(sqlite_stack: Stack) -> Visitor:
    """Somebody who has called three times."""
    visitor = Visitor(sqlite_stack)
    visitor.sign_up()
    issued = sqlite_stack.flask("key", "issue", "--email", visitor.email, "--name", "laptop")
    secret = issued.stdout.strip().splitlines()[-1]
    for _ in range(3):
        assert sqlite_stack.chat("Hi", key=secret).status_code == 200
    sqlite_stack.settled_wallet_of(visitor.person.id)
    return visitor


@pytest.fixture(scope="module")
def refused(member: Visitor) -> str:
    """The id of a call that was refused."""
    issued = member.stack.flask("key", "issue", "--email", member.email, "--name", "other")
    answer = member.stack.chat("Hi", key=issued.stdout.strip().splitlines()[-1], model="gone")
    assert answer.status_code == 404
    return answer.headers["x-request-id"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_no_reader_is_shut_out(
    open_page: OpenPage, member: Visitor, path: str, scheme: str
) -> None:
    page: Page = open_page(visitor=member, color_scheme=scheme)
    for shape in SHAPES:
        page.set_viewport_size(shape)
        page.goto(member.stack.base_url + path)
        violations = Axe().run(page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["target"]) for rule in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


TEXTS_THAT_MEET = """() => {
  const boxes = row => {
    const found = [], texts = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode, range = document.createRange();
      if (!text.textContent.trim() || text.parentElement.closest(".visually-hidden")) continue;
      range.selectNodeContents(text);
      const cell = text.parentElement.closest("td");
      for (const box of range.getClientRects()) found.push({ cell, box, text: text.textContent });
    }
    return found;
  };
  const meet = (a, b) => a.cell !== b.cell
    && Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 1
    && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 1;
  return [...document.querySelectorAll(".table--calls tbody tr")].flatMap(row => {
    const all = boxes(row);
    return all.flatMap((a, at) => all.slice(at + 1).filter(b => meet(a, b))
      .map(b => [a.text, b.text]));
  });
}"""
LONG_TEXTS = """() => {
  const say = (name, text) => {
    document.querySelectorAll(`.table--calls ${name}`).forEach(one => { one.textContent = text; });
  };
  say(".lead", "claude-sonnet-4-5-20250929");
  say(".calls__tokens", "23,344 / 11,849 / 1,350 tokens");
  say(".calls__time", "406 ms / 107.0 s");
  say(".calls__cost", "$0.02046324");
}"""


@pytest.mark.parametrize("width", [320, 360, 390, 800])
def test_a_call_of_long_figures_can_be_read_on_a_phone(
    open_page: OpenPage, member: Visitor, width: int
) -> None:
    page = open_page(visitor=member)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{member.stack.base_url}/dashboard/calls")
    page.evaluate(LONG_TEXTS)

    assert page.locator(".table--calls tbody tr").count() == 3
    assert page.evaluate(TEXTS_THAT_MEET) == []


def test_a_total_leads_to_the_calls_that_add_up_to_it(open_page: OpenPage, member: Visitor) -> None:
    page = open_page(visitor=member)
    page.goto(f"{member.stack.base_url}/dashboard/analytics")
    page.locator(".figure__value a").first.click()

    rows = page.locator("[aria-labelledby=list] tbody tr")
    expect(rows).to_have_count(3)
    said = page.locator(".page-head strong").inner_text()
    costs = rows.locator(".calls__cost").all_inner_texts()
    listed = sum(Decimal(text.strip("$")) for text in costs)
    assert said.startswith("3 ended calls")
    assert Decimal(re.search(r"\$([0-9.]+)", said)[1]) == listed


def test_a_bar_under_the_pointer_says_what_it_stands_for(
    open_page: OpenPage, member: Visitor
) -> None:
    page = open_page(visitor=member)
    page.goto(f"{member.stack.base_url}/dashboard/analytics?range=7d")
    chart = page.locator("section[aria-labelledby=spend] [data-chart]")
    chart.scroll_into_view_if_needed()
    box = chart.locator("svg").bounding_box()
    assert box is not None

    # Today stands last of seven.
    page.mouse.move(box["x"] + box["width"] * 6.5 / 7, box["y"] + box["height"] * 0.9)

    expect(chart.locator("[data-chart-said]")).to_contain_text("3 calls")


def test_the_csv_has_the_same_calls(member: Visitor) -> None:
    text = member.get("/dashboard/calls/export.csv?range=7d").text

    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 3
    assert {row["outcome"] for row in rows} == {"done"}
    assert all(Decimal(row["charged_credits"]) > 0 for row in rows)
    assert member.get("/dashboard/calls/export.csv?range=x").status_code == 400


def test_a_refused_call_is_found_by_its_id(member: Visitor, refused: str) -> None:
    def found() -> bool:
        page = member.get(f"/dashboard/calls/refused?q={refused}").text
        return f'break-all">{refused}<' in page

    wait_until(found)
    receipt = member.get(f"/dashboard/calls/{refused}")
    assert receipt.status_code == 302
    assert receipt.headers["location"].endswith(f"/dashboard/calls/refused?q={refused}")


def test_pages_say_what_they_cannot_read(member: Visitor) -> None:
    answer = member.get("/dashboard/analytics?range=custom&from=2026-13-01")

    assert answer.status_code == 400
    assert "Choose a first and a last day" in answer.text
