"""Getting in, and what protects an account, in a real browser: with and without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from creditcore.domain.people import masked_email
from creditcore.testing.contracts.identity_house import totp
from tests.e2e.browser.conftest import OpenPage
from tests.e2e.browser.test_pages import (
    HEADING_LEVELS,
    REPEATED_IDS,
    WHAT_IS_UNLABELLED,
    WHAT_STICKS_OUT,
)
from tests.e2e.test_mailed_links import NEW_PASSWORD, joined, link_in, mail_to
from tests.stack import Stack, running_stack
from tests.visitors import PASSWORD, Visitor

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PUBLIC = (
    "/sign-in",
    "/sign-up",
    "/recover",
    "/auth/confirm?type=signup&token_hash=x",
    "/auth/confirm?type=email_change&token_hash=x",
    "/auth/confirm",
)
OF_MEMBERS = ("/dashboard/security", "/dashboard/security/activity", "/dashboard/security/close")


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("browser-accounts")
    with running_stack("", folder, CONFIRM_ADDRESSES="yes") as stack:
        yield stack


@pytest.fixture
def member(mailing: Stack) -> Iterator[Visitor]:
    with Visitor(mailing) as member:
        joined(member)
        yield member


def looks_right(page: Page) -> None:
    expect(page.locator("h1")).to_have_count(1)
    assert page.evaluate(WHAT_STICKS_OUT) == []
    assert page.evaluate(WHAT_IS_UNLABELLED) == []
    assert page.evaluate(REPEATED_IDS) == []
    assert page.evaluate(HEADING_LEVELS).count(1) == 1


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_every_page_fits(
    member: Visitor, open_page: OpenPage, width: int, scheme: Literal["light", "dark"]
) -> None:
    screen = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    anybody = open_page(**screen)
    for path in PUBLIC:
        anybody.goto(f"{member.stack.base_url}{path}")
        looks_right(anybody)
    inside = open_page(visitor=member, **screen)
    for path in OF_MEMBERS:
        inside.goto(f"{member.stack.base_url}{path}")
        looks_right(inside)
    inside.goto(f"{member.stack.base_url}/dashboard/security")
    inside.get_by_role("button", name="Set up an authenticator app").click()
    looks_right(inside)
    expect(inside.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_newcomer_confirms_loses_the_password_and_gets_back(
    mailing: Stack, open_page: OpenPage, *, scripts: bool
) -> None:
    page = open_page(java_script_enabled=scripts, viewport={"width": 390, "height": 800})
    with Visitor(mailing) as somebody:
        email = somebody.email
    page.goto(f"{mailing.base_url}/dashboard/keys")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    again = page.get_by_role("button", name="Send it again")
    if scripts:
        expect(again).to_be_disabled()
        expect(again).to_have_text(re.compile(r"in \d+ s"))
    else:
        again.click()
        expect(page.get_by_text("You can ask again in")).to_be_visible()
    looks_right(page)

    page.goto(mailing.base_url + link_in(mail_to(mailing, email, "Confirm your address")))
    page.get_by_role("button", name="Confirm my address").click()
    expect(page).to_have_url(f"{mailing.base_url}/dashboard/keys")

    page.context.clear_cookies()
    page.goto(f"{mailing.base_url}/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send me a link").click()
    page.goto(mailing.base_url + link_in(mail_to(mailing, email, "new password")))
    page.get_by_role("button", name="Go on").click()
    looks_right(page)
    page.get_by_label("New password").fill("password123")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("link", name="first that a thief would try")).to_be_visible()
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page).to_have_url(f"{mailing.base_url}/dashboard")
    expect(page.get_by_text("Your new password is set")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_second_factor_is_set_up_used_and_lost(
    member: Visitor, open_page: OpenPage, *, scripts: bool
) -> None:
    base = member.stack.base_url
    page = open_page(visitor=member, java_script_enabled=scripts)
    page.goto(f"{base}/dashboard/security")
    page.get_by_role("button", name="Set up an authenticator app").click()
    secret = page.locator("#totp-secret").inner_text().strip()
    page.get_by_label("Code", exact=True).fill("000 000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(totp(secret, datetime.now(UTC)))
    page.get_by_role("button", name="Turn it on").click()
    codes = page.locator("#recovery-codes").inner_text().split()
    assert len(codes) == 10
    looks_right(page)

    elsewhere = open_page(java_script_enabled=scripts)

    def sign_in() -> None:
        elsewhere.context.clear_cookies()
        elsewhere.goto(f"{base}/sign-in")
        elsewhere.get_by_label("E-mail").fill(member.email)
        elsewhere.get_by_label("Password", exact=True).fill(PASSWORD)
        elsewhere.get_by_role("button", name="Sign in").click()

    sign_in()
    looks_right(elsewhere)
    elsewhere.get_by_label("Code", exact=True).fill(
        totp(secret, datetime.now(UTC) + timedelta(seconds=30))
    )
    elsewhere.get_by_role("button", name="Go on").click()
    expect(elsewhere).to_have_url(f"{base}/dashboard")

    sign_in()
    elsewhere.get_by_role("link", name="Use a recovery code").click()
    looks_right(elsewhere)
    elsewhere.get_by_label("Recovery code").fill(codes[0].upper())
    elsewhere.get_by_role("button", name="Go on").click()
    expect(elsewhere).to_have_url(f"{base}/dashboard")

    page.goto(f"{base}/dashboard/security")
    expect(page.get_by_text("This one")).to_have_count(1)
    page.get_by_role("button", name="End all others").click()
    expect(page.get_by_text("Only this one is left")).to_be_visible()
    elsewhere.goto(f"{base}/dashboard")
    expect(elsewhere.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_an_address_changes_and_what_happened_is_listed(
    member: Visitor, open_page: OpenPage
) -> None:
    base, new = member.stack.base_url, f"new-{member.email}"
    page = open_page(visitor=member, color_scheme="dark", viewport={"width": 390, "height": 800})
    page.goto(f"{base}/dashboard/security")
    page.get_by_label("New address").fill(new)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("Until then nothing changes")).to_be_visible()

    page.goto(base + link_in(mail_to(member.stack, new, "new address")))
    page.locator("form[action='/auth/confirm'] button").click()
    expect(page.get_by_text("Your new address counts from now on")).to_be_visible()
    expect(page.locator("p.now")).to_have_text(new)
    page.get_by_role("link", name="All activity").click()

    told = page.locator("[aria-labelledby=list] li")
    expect(told.first).to_contain_text(f"Changed the address {masked_email(new)}")
    expect(told.nth(1)).to_contain_text(f"Asked for a new address {masked_email(new)}")
    looks_right(page)
    assert [rule["id"] for rule in Axe().run(page).response["violations"]] == []


def test_an_account_is_closed_by_who_types_its_address(
    member: Visitor, open_page: OpenPage
) -> None:
    page = open_page(visitor=member)
    page.goto(f"{member.stack.base_url}/dashboard/security")
    page.get_by_role("link", name="Close the account").click()
    page.get_by_label("E-mail address of this account").fill(member.email)
    page.get_by_role("button", name="Close my account").click()
    expect(page.get_by_text("Say that you give up the balance")).to_be_visible()
    page.get_by_label("E-mail address of this account").fill(member.email)
    page.get_by_label("I give up $2.00 of credit").check()
    page.get_by_role("button", name="Close my account").click()

    expect(page.get_by_text("Your account is closed")).to_be_visible()
    assert member.sign_in().status_code == 401
