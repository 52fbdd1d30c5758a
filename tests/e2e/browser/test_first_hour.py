"""The first hour of an account in a browser, up to the stop of its first key."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import OpenPage
from tests.visitors import Visitor

SECRET = re.compile(r"sk-cc-[0-9A-Za-z]{38}")
WIDTH = 320


def test_a_newcomer_follows_the_guide_and_stops_a_runaway(
    open_page: OpenPage, member: Visitor
) -> None:
    page = open_page(visitor=member, viewport={"width": WIDTH, "height": 800})
    home = f"{member.stack.base_url}/dashboard"
    guide = page.get_by_role("region", name="Your first hour")

    page.goto(home)
    expect(guide).to_contain_text("1 of 4 done")
    looks_right(page)
    guide.get_by_role("button", name="Make my first key").click()
    expect(guide).to_contain_text("2 of 4 done")
    expect(guide.locator("[aria-current=step]")).to_contain_text("Make the first call")
    secret = SECRET.search(page.locator("body").inner_text())
    looks_right(page)

    assert secret
    assert member.stack.chat("Hi", key=secret[0]).status_code == 200
    page.goto(home)
    expect(guide).to_contain_text("3 of 4 done")
    guide.get_by_role("link", name="on the page of your key").click()
    page.get_by_role("link", name="First key").click()

    stop = page.get_by_role("region", name="Runaway stop")
    amount = stop.get_by_label("Pause at so many dollars an hour")
    amount.fill("much")
    stop.get_by_role("button", name="Save").click()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(amount).to_have_attribute("aria-invalid", "true")
    expect(stop.get_by_role("alert").get_by_role("link")).to_have_attribute("href", "#stop")
    looks_right(page)
    amount.fill("5")
    stop.get_by_role("button", name="Try it").click()
    expect(stop.get_by_role("status")).to_contain_text("it would never have paused this key")
    looks_right(page)
    stop.get_by_role("button", name="Save").click()
    expect(amount).to_have_value("5")

    page.goto(home)
    expect(guide).to_have_count(0)


def looks_right(page: Page) -> None:
    """See that the page fits, in light and dark, and that axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page).response["violations"]
        assert violations == [], [violation["id"] for violation in violations]
