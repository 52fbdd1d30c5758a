"""Every page fits every screen, can be used by everybody, and needs no script."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from creditcore import Money, Payment, PaymentStatus, Purchase, PurchaseState
from creditcore.domain.books import Footprint
from creditcore.domain.purchases import Decision
from tests.e2e.browser.conftest import OpenPage
from tests.e2e.buyer import Buyer, a_buyer
from tests.stack import Stack, wait_until
from tests.visitors import PASSWORD

WIDTHS = (1280, 360)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LONG_EMAIL = f"{'x' * 32}{uuid.uuid4().hex}@{'y' * 180}.example"

PUBLIC = ("/", "/pricing", "/docs/billing", "/sign-in", "/sign-up", "/nothing-here", "/sign-out")
OF_MEMBERS = ("/", "/pricing", "/dashboard", "/dashboard/billing", "/dashboard/keys")

WHAT_STICKS_OUT = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  return [`${page.scrollWidth} > ${page.clientWidth}`, ...[...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > page.clientWidth + 1)
    .map((one) => `${one.tagName}.${one.className}`).slice(0, 8)];
}"""

WHAT_IS_UNLABELLED = """() => [
  ...[...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
    .filter((one) => !one.labels.length && !one.ariaLabel && !one.getAttribute("aria-labelledby")),
  ...[...document.querySelectorAll("button, a[href], summary")]
    .filter((one) => !one.textContent.trim() && !one.ariaLabel),
  ...[...document.querySelectorAll("img")].filter((one) => !one.hasAttribute("alt")),
  ...[...document.querySelectorAll("svg")].filter((one) =>
    !one.closest("[aria-hidden=true]") && !one.ariaLabel && !one.querySelector("title")),
].map((one) => one.outerHTML.slice(0, 120))"""

HEADING_LEVELS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .map((one) => Number(one.tagName[1]))"""

REPEATED_IDS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return ids.filter((id, place) => ids.indexOf(id) !== place);
}"""

UNDER_THE_BAR = """() => {
    const stop = document.activeElement, bar = document.querySelector(".tabbar");
    if (!stop || stop === document.body) return null;
    const name = stop.id || stop.getAttribute("aria-label") || stop.innerText.trim();
    const under = stop.getBoundingClientRect().bottom > bar.getBoundingClientRect().top;
    return {name, under: under && !bar.contains(stop)};
}"""
FOCUS = """() => {
  const focused = document.activeElement;
  if (focused === document.body) return null;
  // A radio button may be drawn by its label.
  const drawn = [focused, ...(focused.labels ?? [])].map((one) => getComputedStyle(one));
  return {
    name: focused.id || focused.textContent.trim().slice(0, 40),
    visible: drawn.some((style) =>
      style.boxShadow !== "none" ||
      (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)),
  };
}"""

LINES_OF_BEGINNING = """(one) => {
  const range = document.createRange();
  range.setStart(one.firstChild, 0);
  range.setEnd(one.firstChild, 8);
  return range.getClientRects().length;
}"""

BRIGHTNESS = """() => {
  const shade = (style) => style.backgroundColor.match(/[\\d.]+/g).map(Number);
  const [red, green, blue, alpha = 1] = shade(getComputedStyle(document.body));
  return alpha === 0 ? null : (red + green + blue) / 3;
}"""


def keep(stack: Stack, purchase: Purchase, state: PurchaseState) -> None:
    """Store a purchase in some state, and in the books what that state says."""
    failed = state is PurchaseState.FAILED
    payment = Payment(
        reference=purchase.reference,
        status=PaymentStatus.FAILED if failed else PaymentStatus.SUCCEEDED,
        amount=Money(99_999, "USD")
        if state is PurchaseState.UNDER_REVIEW
        else purchase.offer.price,
        message="Declined by the bank" if failed else "",
    )
    decision = Decision(purchase)
    if state is not PurchaseState.PENDING:
        decision = purchase.apply(payment, at=purchase.created_at)
    with stack.store.begin() as tx:
        tx.purchases.add(replace(decision.purchase, state=state))
        books = tx.ledger.lock(Footprint(wallet_ids={purchase.wallet_id}))
        books.post(decision.transfers)
        tx.ledger.write(books)
        tx.commit()


def a_past(buyer: Buyer) -> None:
    """Give somebody sixty payments, thirty keys and some calls."""
    stack, person = buyer.stack, buyer.person
    sample = buyer.purchase(buyer.buy(1_000))
    over = [state for state in PurchaseState if state is not PurchaseState.PENDING]
    # Only the newest still waits: the gateway asks about the others, and Paystack has no such.
    for age, state in enumerate([PurchaseState.PENDING, *over * 15][:60]):
        purchase = replace(
            sample,
            reference=f"cc-{uuid.uuid4().hex}",
            created_at=sample.created_at - timedelta(days=age),
            expires_at=sample.expires_at - timedelta(days=age),
        )
        keep(stack, purchase, state)
    stack.flask("grant", "--email", person.email, "--credits", "123456789", "--reason", "r" * 80)
    for name in ["W" * 64, *(f"key {number}" for number in range(29))]:
        form = {"name": name, "expires_in_days": "30", "key_id": str(uuid.uuid4())}
        buyer.post("/dashboard/keys", form)
    secret = stack.a_key(person.id)
    for number in range(26):
        stack.chat(f"[[sim tokens={number * 99} prompt=12345]]", key=secret, max_tokens=9_999)
    stack.chat("[[sim status=500]]", key=secret)


@pytest.fixture(scope="module")
def newcomer(sqlite_stack: Stack) -> Iterator[Buyer]:
    """Somebody who has nothing yet."""
    with a_buyer(sqlite_stack, tags="+nowebhook") as buyer:
        yield buyer


@pytest.fixture(scope="module")
def regular(sqlite_stack: Stack) -> Iterator[Buyer]:
    """Somebody with a long address and a long past."""
    with Buyer(sqlite_stack) as buyer:
        buyer.email = LONG_EMAIL
        buyer.post("/sign-up", {"email": LONG_EMAIL, "password": PASSWORD})
        a_past(buyer)
        yield buyer


def assert_fits_every_screen(page: Page) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert page.evaluate(WHAT_STICKS_OUT) == [], (page.url, width, scheme)


def assert_usable_by_everybody(page: Page) -> None:
    levels = page.evaluate(HEADING_LEVELS)
    assert levels.count(1) == 1, levels
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate(WHAT_IS_UNLABELLED) == []
    assert page.evaluate(REPEATED_IDS) == []
    assert page.title()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("main").count() == 1


def tab_to(page: Page, name: str) -> None:
    """Press Tab until a field or button has the focus; everything on the way must show it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focus: dict[str, Any] | None = page.evaluate(FOCUS)
        assert focus, f"the focus left the page before {name}"
        assert focus["visible"], focus
        if focus["name"] == name:
            return
    raise AssertionError(f"{name} cannot be reached")


# -- every page, on every screen, for everybody --------------------------------------------


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_fit_and_are_usable(sqlite_stack: Stack, page: Page, path: str) -> None:
    page.goto(f"{sqlite_stack.base_url}{path}")

    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)


@pytest.mark.parametrize("path", OF_MEMBERS)
def test_pages_without_data_fit_and_are_usable(
    newcomer: Buyer, open_page: OpenPage, path: str
) -> None:
    page = open_page(visitor=newcomer)

    page.goto(f"{newcomer.stack.base_url}{path}")

    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)


@pytest.mark.parametrize("path", OF_MEMBERS)
def test_pages_full_of_data_fit_and_are_usable(
    regular: Buyer, open_page: OpenPage, path: str
) -> None:
    page = open_page(visitor=regular)

    page.goto(f"{regular.stack.base_url}{path}")

    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)


@pytest.mark.parametrize("state", PurchaseState)
def test_coming_back_fits_however_it_went(
    regular: Buyer, open_page: OpenPage, state: PurchaseState
) -> None:
    page = open_page(visitor=regular)
    purchase = next(row for row in regular.purchases() if row.state is state)

    page.goto(f"{regular.stack.base_url}/dashboard/billing?reference={purchase.reference}")

    expect(page.locator(".returned")).to_be_visible()
    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)


def test_open_menus_and_questions_fit(regular: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=regular, viewport={"width": 360, "height": 800})
    page.goto(f"{regular.stack.base_url}/dashboard/keys")

    page.get_by_label("Account", exact=True).click()
    expect(page.get_by_role("button", name="Sign out").first).to_be_visible()
    menu = page.evaluate(WHAT_STICKS_OUT)
    page.keyboard.press("Escape")
    page.get_by_label(re.compile("^Revoke W+$")).click()
    expect(page.get_by_role("button", name="Revoke this key").first).to_be_visible()

    assert menu == []
    assert_fits_every_screen(page)


def test_forms_with_errors_fit_and_are_usable(sqlite_stack: Stack, page: Page) -> None:
    page.goto(f"{sqlite_stack.base_url}/sign-in")
    page.get_by_label("E-mail").fill(f"{uuid.uuid4().hex}@example.com")
    page.get_by_label("Password", exact=True).fill("not the right one")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("E-mail or password is wrong.")
    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)


def test_a_new_key_fits_and_is_usable(regular: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=regular)
    page.goto(f"{regular.stack.base_url}/dashboard/keys")
    page.get_by_label("Name").fill("M" * 64)
    page.get_by_role("button", name="Create key").click()

    expect(page.locator("#new-secret")).to_contain_text("sk-cc-")
    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)


def test_the_page_of_a_key_fits_and_is_usable(regular: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=regular)
    page.goto(f"{regular.stack.base_url}/dashboard/keys")
    page.get_by_role("link", name="key 3", exact=True).click()
    page.get_by_label("Spend limit in dollars").fill("much")
    page.get_by_role("region", name="Name, limits and scopes").get_by_role(
        "button", name="Save"
    ).click()

    expect(page.get_by_role("alert")).to_contain_text("Write dollars")
    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)


def test_a_revoked_key_says_so_once_in_each_row(regular: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=regular, viewport={"width": 390, "height": 844})
    page.goto(f"{regular.stack.base_url}/dashboard/keys")
    page.get_by_label("Revoke key 7").click()
    page.get_by_role("button", name="Revoke this key").locator("visible=true").click()
    page.get_by_role("link", name="Show revoked (1)").click()

    when = page.get_by_role("row", name="key 7").locator("[data-label=Revoked]")

    expect(when).to_have_text(re.compile(r"\d{4}$"), use_inner_text=True)
    expect(when.get_by_text("Revoked")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(when).to_have_text(re.compile(r"^Revoked \d+ \w+ \d{4}$"), use_inner_text=True)


@pytest.mark.parametrize("width", [*WIDTHS, 390])
def test_a_reference_is_not_broken_at_its_hyphen(
    regular: Buyer, open_page: OpenPage, width: int
) -> None:
    page = open_page(visitor=regular, viewport={"width": width, "height": 800})
    page.goto(f"{regular.stack.base_url}/dashboard/billing")

    lines = page.locator(".reference").first.evaluate(LINES_OF_BEGINNING)

    assert lines == 1


def test_the_dashboard_leads_to_prices_and_rules(newcomer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=newcomer)
    home = f"{newcomer.stack.base_url}/dashboard/keys"
    page.goto(home)

    page.locator(".sidebar").get_by_role("link", name="Prices").click()
    expect(page).to_have_url(f"{newcomer.stack.base_url}/pricing")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(home)
    page.get_by_label("Account", exact=True).click()
    page.locator(".menu").get_by_role("link", name="How calls are billed").click()

    expect(page).to_have_url(f"{newcomer.stack.base_url}/docs/billing")


def test_the_button_beside_a_password_says_what_it_does_and_how_it_stands(
    sqlite_stack: Stack, page: Page
) -> None:
    page.goto(f"{sqlite_stack.base_url}/sign-in")
    password = page.get_by_label("Password", exact=True)
    password.fill("secret")

    page.get_by_role("button", name="Show password, now hidden").press("Enter")
    expect(password).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password, now shown").press("Enter")

    expect(password).to_have_attribute("type", "password")
    expect(page.get_by_role("button", name="Show password, now hidden")).to_have_text("Show")


@pytest.mark.parametrize("path", ["/", "/sign-in", "/dashboard/billing"])
def test_dark_is_dark_and_light_is_light(newcomer: Buyer, open_page: OpenPage, path: str) -> None:
    page = open_page(visitor=newcomer if path.startswith("/dashboard") else None)
    page.goto(f"{newcomer.stack.base_url}{path}")

    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    wait_until(lambda: page.evaluate(BRIGHTNESS) > 200)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    wait_until(lambda: page.evaluate(BRIGHTNESS) < 60)


def test_a_chosen_theme_is_remembered(sqlite_stack: Stack, page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{sqlite_stack.base_url}/")

    page.locator("[data-theme-toggle]").first.click()
    page.goto(f"{sqlite_stack.base_url}/pricing")

    wait_until(lambda: page.evaluate(BRIGHTNESS) < 60)


# -- by keyboard alone -----------------------------------------------------------------------


def test_signing_in_needs_no_mouse(newcomer: Buyer, page: Page) -> None:
    page.goto(f"{newcomer.stack.base_url}/sign-in")

    tab_to(page, "email")
    page.keyboard.type(newcomer.email)
    tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{newcomer.stack.base_url}/dashboard")


def test_buying_needs_no_mouse(newcomer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=newcomer)
    page.goto(f"{newcomer.stack.base_url}/dashboard/billing")

    tab_to(page, page.locator("input[name=amount_usd]:checked").get_attribute("id") or "")
    while page.evaluate(FOCUS)["name"] not in ("amount-other", "custom_usd"):
        page.keyboard.press("ArrowDown")
    if page.evaluate(FOCUS)["name"] != "custom_usd":
        tab_to(page, "custom_usd")
    page.keyboard.type("37")
    tab_to(page, "Continue to Paystack")
    page.keyboard.press("Enter")

    expect(page.locator("#amount")).to_have_text("$37.00")


def test_the_first_stop_skips_the_navigation(newcomer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=newcomer)
    page.goto(f"{newcomer.stack.base_url}/dashboard/keys")

    tab_to(page, "Skip to the content")
    page.keyboard.press("Enter")
    tab_to(page, "name")

    assert page.evaluate("location.hash") == "#content"


@pytest.mark.parametrize("path", ["/", "/pricing", "/sign-up", "/nothing-here"])
def test_every_stop_of_the_keyboard_shows(sqlite_stack: Stack, page: Page, path: str) -> None:
    page.goto(f"{sqlite_stack.base_url}{path}")
    stops = []

    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus is None:
            break
        stops.append(focus)

    assert stops
    assert [stop["name"] for stop in stops if not stop["visible"]] == []


@pytest.mark.parametrize("path", ["/dashboard/billing", "/dashboard/keys", "/dashboard/security"])
def test_no_stop_of_the_keyboard_is_under_the_bar_of_a_phone(
    regular: Buyer, open_page: OpenPage, path: str
) -> None:
    phone = {"width": 390, "height": 700}
    page = open_page(visitor=regular, viewport=phone, reduced_motion="reduce")
    page.goto(regular.stack.base_url + path)
    stops: dict[str, bool] = {}
    for _ in range(60):
        page.keyboard.press("Tab")
        if (stop := page.evaluate(UNDER_THE_BAR)) is None:
            break
        stops[stop["name"]] = stop["under"]

    assert stops
    assert [name for name, under in stops.items() if under] == []


# -- without scripts ---------------------------------------------------------------------------


def test_the_first_day_needs_no_script(sqlite_stack: Stack, open_page: OpenPage) -> None:
    here = sqlite_stack.base_url
    page = open_page(java_script_enabled=False)

    page.goto(f"{here}/sign-up")
    page.get_by_label("E-mail").fill(f"{uuid.uuid4().hex}@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.goto(f"{here}/dashboard/billing")
    page.get_by_role("button", name="Continue to Paystack").click()
    page.locator("#pay").click()
    expect(page.locator(".returned")).to_contain_text("$30.00 added")

    page.goto(f"{here}/dashboard/keys")
    page.get_by_label("Name").fill("no script")
    page.get_by_role("button", name="Create key").click()
    secret = page.locator("#new-secret").inner_text().strip()
    works = sqlite_stack.chat("Hi", key=secret)
    page.get_by_label("Revoke no script").click()
    page.get_by_role("button", name="Revoke this key").click()
    page.goto(f"{here}/dashboard")
    page.get_by_role("button", name="Sign out").first.click()

    assert works.status_code == 200
    assert sqlite_stack.chat("Hi", key=secret).status_code == 401
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_another_amount_needs_no_script(newcomer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=newcomer, java_script_enabled=False)
    page.goto(f"{newcomer.stack.base_url}/dashboard/billing")

    page.locator("label[for=amount-other]").click()
    page.locator("#custom_usd").fill("41")
    page.get_by_role("button", name="Continue to Paystack").click()

    expect(page.locator("#amount")).to_have_text("$41.00")


# -- when something is wrong ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [("/nothing-here", 404, "There is nothing here"), ("/sign-out", 405, "Not that way")],
)
def test_an_error_is_a_page_with_a_way_out(
    sqlite_stack: Stack, page: Page, path: str, status: int, title: str
) -> None:
    answer = page.goto(f"{sqlite_stack.base_url}{path}")

    assert answer
    assert answer.status == status
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_text(re.compile("req-[0-9a-f]{24}"))).to_be_visible()
    page.get_by_role("link", name="Back to the start").click()
    expect(page).to_have_url(f"{sqlite_stack.base_url}/")


def test_a_form_of_another_session_says_what_to_do(sqlite_stack: Stack, page: Page) -> None:
    page.goto(f"{sqlite_stack.base_url}/sign-in")
    page.context.clear_cookies()

    page.get_by_label("E-mail").fill("somebody@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator("main")).to_contain_text("This form is out of date.")
    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)
