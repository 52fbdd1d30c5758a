"""Two people and one wallet, from the team that is made to a call that its limit refuses."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from creditcore.domain.money import Credits
from tests.e2e.browser.conftest import OpenPage
from tests.stack import Stack, wait_until
from tests.visitors import Visitor

SHAPES = (("light", 1280), ("dark", 390), ("light", 320))


def look_at(page: Page) -> None:
    """See that the page shuts no reader out, in two schemes and three widths."""
    for scheme, width in SHAPES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        violations = Axe().run(page).response["violations"]
        assert not violations, [(each["id"], each["nodes"][0]["html"]) for each in violations]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def space_behind(button: Locator) -> int:
    """Return how many pixels before the end of its form a button ends."""
    space: int = button.evaluate(
        "it => Math.round(it.form.getBoundingClientRect().right - it.getBoundingClientRect().right)"
    )
    return space


def test_a_member_spends_from_the_teams_wallet_up_to_their_limit(
    open_page: OpenPage, sqlite_stack: Stack
) -> None:
    amina, baraka = Visitor(sqlite_stack), Visitor(sqlite_stack)
    for visitor in (amina, baraka):
        visitor.sign_up()
    owner, member = open_page(visitor=amina), open_page(visitor=baraka)

    owner.goto(f"{sqlite_stack.base_url}/dashboard/team")
    look_at(owner)
    make = owner.get_by_role("button", name="Make the team")
    assert space_behind(make) == 0
    owner.get_by_label("Name of the team").fill("Mwangaza")
    make.click()
    expect(owner.get_by_role("heading", name="Mwangaza")).to_be_visible()
    assert space_behind(owner.get_by_role("button", name="Rename")) == 0
    owner.get_by_label("E-mail address").fill(baraka.email)
    owner.get_by_label("Spend limit in dollars").fill("0.001")
    owner.get_by_role("button", name="Invite", exact=True).click()
    link = owner.locator("#invitation-link").inner_text().strip()
    look_at(owner)

    member.goto(link)
    look_at(member)
    member.get_by_role("button", name="Join Mwangaza").click()
    expect(member.locator(".account-bar")).to_contain_text("You are a member")
    member.get_by_role("link", name="API keys").first.click()
    member.get_by_label("Name").fill("laptop")
    member.get_by_role("button", name="Create key").click()
    secret = member.locator("#new-secret").inner_text().strip()
    look_at(member)

    baraka_id = baraka.person.id
    with sqlite_stack.store.begin() as tx:
        [(team, _)] = tx.teams.of_person(baraka_id)
        before = tx.ledger.find_wallet_of(baraka_id)
    sqlite_stack.flask("grant", "--team", team.id, "--credits", "500", "--reason", "A gift")
    refusal = sqlite_stack.chat("Hi", key=secret, max_tokens=100_000)
    assert refusal.status_code == 402
    assert "left of your limit in this team" in refusal.text

    owner.goto(f"{sqlite_stack.base_url}/dashboard/team")
    owner.get_by_label(f"Change {baraka.email}").click()
    look_at(owner)
    owner.get_by_label("Limit in dollars", exact=True).fill("2")
    owner.get_by_role("button", name="Save the limit").click()
    expect(owner.get_by_text("of $2.00 a month")).to_be_visible()
    assert sqlite_stack.chat("Hi", key=secret).status_code == 200
    wait_until(lambda: sqlite_stack.settled_wallet_of(team.id).posted < Credits.of(500))
    owner.reload()
    expect(owner.locator("tr", has_text=baraka.email)).not_to_contain_text("$0.00 of")
    with sqlite_stack.store.begin() as tx:
        assert tx.ledger.find_wallet_of(baraka_id) == before
    member.locator(".sidebar .switcher > summary").click()
    look_at(member)
