"""Signing in through Supabase Auth in a real browser: no page complains, no policy is broken."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from creditcore.testing.contracts.identity_house import totp
from tests.integration.supabase_sandbox.project import SupabaseProject
from tests.stack import Stack, running_stack
from tests.visitors import PASSWORD


@pytest.fixture(scope="module")
def supabase_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data_dir: Path = tmp_path_factory.mktemp("supabase")
    with running_stack("", data_dir, supabase=True) as stack:
        yield stack


@pytest.fixture
def project(supabase_stack: Stack) -> Iterator[SupabaseProject]:
    with requests.Session() as http:
        project = SupabaseProject(supabase_stack.sandbox, http)
        project.reset()
        yield project


@pytest.mark.parametrize("name", ["Google", "GitHub"])
def test_a_person_signs_in_with_another_account(
    page: Page, supabase_stack: Stack, project: SupabaseProject, name: str
) -> None:
    del project
    page.goto(f"{supabase_stack.base_url}/sign-in?next=/dashboard/keys")
    page.get_by_role("button", name=name).click()
    page.get_by_label("E-mail address").fill(f"{uuid.uuid4().hex}@example.com")
    page.get_by_role("button", name="Approve").click()

    expect(page).to_have_url(f"{supabase_stack.base_url}/dashboard/keys")


def test_a_person_who_cancels_there_can_try_again(
    page: Page, supabase_stack: Stack, project: SupabaseProject
) -> None:
    del project
    page.goto(f"{supabase_stack.base_url}/sign-in")
    page.get_by_role("button", name="GitHub").click()
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("You cancelled there.")).to_be_visible()
    expect(page.get_by_role("button", name="GitHub")).to_be_visible()


def test_a_person_signs_up_and_confirms_by_the_mail(
    page: Page, supabase_stack: Stack, project: SupabaseProject
) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    page.goto(f"{supabase_stack.base_url}/sign-up")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text(email)).to_be_visible()

    page.goto(project.mails(email, "signup")[0]["link"])
    page.locator("form[action='/auth/confirm'] button").click()

    expect(page).to_have_url(f"{supabase_stack.base_url}/dashboard")


def code_of(secret: str, used: set[str]) -> str:
    """Return a code of now that was not shown yet: each works once."""
    now = datetime.now(UTC)
    codes = [totp(secret, now + timedelta(seconds=offset)) for offset in (30, 0, -30)]
    unused = next(code for code in codes if code not in used)
    used.add(unused)
    return unused


def change_address(page: Page, project: SupabaseProject, email: str, new_email: str) -> None:
    """Change the address on the security page: both mailboxes have to say so."""
    page.get_by_label("New address").fill(new_email)
    page.get_by_role("button", name="Send the link").click()
    for address, said in ((email, "your other mailbox"), (new_email, "counts from now on")):
        page.goto(project.mails(address, "email_change")[0]["link"])
        page.locator("form[action='/auth/confirm'] button").click()
        expect(page.get_by_text(said)).to_be_visible()


def close(page: Page, base: str, email: str) -> None:
    page.goto(f"{base}/dashboard/security/close")
    page.get_by_label("E-mail address of this account").fill(email)
    page.get_by_label("I give up").check()
    page.get_by_role("button", name="Close my account").click()
    expect(page.get_by_text("Your account is closed")).to_be_visible()


def test_a_person_protects_the_account_loses_the_password_and_leaves(
    page: Page, supabase_stack: Stack, project: SupabaseProject
) -> None:
    base, used = supabase_stack.base_url, set[str]()
    email = f"{uuid.uuid4().hex}@example.com"
    new_email, new_password = f"new-{email}", "another teapot of brass"
    project.set(mail_window_s=0)
    made = {"email": email, "password": PASSWORD, "email_confirm": True}
    assert project.admin("POST", "", made).status_code == 200

    def sign_in(address: str, password: str) -> None:
        page.context.clear_cookies()
        page.goto(f"{base}/sign-in")
        page.get_by_label("E-mail").fill(address)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in").click()

    def show_code() -> None:
        page.get_by_label("Code", exact=True).fill(code_of(secret, used))
        page.get_by_role("button", name="Go on").click()

    # An account of another address is connected.
    sign_in(email, PASSWORD)
    page.goto(f"{base}/dashboard/security")
    page.get_by_role("button", name="Connect GitHub").click()
    page.get_by_label("E-mail address").fill(f"octo-{email}")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("It is connected")).to_be_visible()
    expect(page.get_by_role("button", name="Disconnect GitHub")).to_be_visible()
    assert [rule["id"] for rule in Axe().run(page).response["violations"]] == []

    change_address(page, project, email, new_email)

    # A second factor, asked for at the next sign-in.
    page.get_by_role("button", name="Set up an authenticator app").click()
    secret = page.locator("#totp-secret").inner_text().strip()
    page.get_by_label("Code", exact=True).fill(code_of(secret, used))
    page.get_by_role("button", name="Turn it on").click()
    page.goto(f"{base}/dashboard/security")
    expect(page.get_by_text("Signing in asks for a code")).to_be_visible()
    sign_in(new_email, PASSWORD)
    show_code()
    expect(page).to_have_url(f"{base}/dashboard")

    # A lost password does not go round it.
    page.context.clear_cookies()
    page.goto(f"{base}/recover")
    page.get_by_label("E-mail").fill(new_email)
    page.get_by_role("button", name="Send me a link").click()
    page.goto(project.mails(new_email, "recovery")[0]["link"])
    page.locator("form[action='/auth/confirm'] button").click()
    show_code()
    page.get_by_label("New password").fill(new_password)
    page.get_by_role("button", name="Set the password").click()
    expect(page).to_have_url(f"{base}/dashboard")

    # All of it is listed, and then the account is closed.
    page.goto(f"{base}/dashboard/security/activity")
    told = page.locator("[aria-labelledby=list] strong")
    expect(told).to_have_text(
        [
            "Changed the password",
            "Signed in",
            "Turned the second factor on",
            "Changed the address",
            "Asked for a new address",
            "Connected another account",
            "Signed in",
        ]
    )
    close(page, base, new_email)
    supabase_stack.flask("worker", "--once")
    assert project.control("GET", "/users") == []
