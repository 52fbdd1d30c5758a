"""The playground in a browser: two models side by side, their costs, and Stop."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.browser.conftest import OpenPage
from tests.visitors import Visitor


def test_two_models_answer_and_a_stopped_one_says_what_it_cost(
    open_page: OpenPage, member: Visitor
) -> None:
    page = open_page(visitor=member, viewport={"width": 390, "height": 800})
    page.goto(f"{member.stack.base_url}/dashboard/playground?model=demo-chat")
    page.get_by_label("Compare with").select_option("gpt-4o-mini")
    page.get_by_label("Message").fill("<b>Hi</b>")
    expect(page.locator("#at-most")).to_contain_text("At most $0.00")
    page.get_by_role("button", name="Send").click()

    costs = page.locator(".said__cost")
    for at in range(2):
        expect(costs.nth(at)).to_contain_text("of balance")
        expect(costs.nth(at).get_by_role("link", name="Receipt")).to_be_visible()
    # What was said is text, whatever it looks like.
    expect(page.locator(".said--you .said__text").first).to_have_text("<b>Hi</b>")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page).response["violations"]
        assert violations == [], [violation["id"] for violation in violations]

    page.get_by_label("Compare with").select_option("")
    page.get_by_label("Longest answer").fill("2000")
    page.get_by_label("Message").fill("[[sim tokens=1500 delay_ms=20]]")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".said__cost").last).to_contain_text("the first after")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".said__cost").last).to_contain_text("Stopped; it cost $0.00")
