"""Signing in through Supabase Auth in a real browser: no page complains, no policy is broken."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.visitors import PASSWORD
from tests.integration.supabase_sandbox.project import SupabaseProject
from tests.stack import Stack, running_stack


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
