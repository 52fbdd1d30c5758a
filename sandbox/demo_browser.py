"""A browser that is signed in to the demonstration, as ``demo.json`` tells its account."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from sandbox.process import REPOSITORY


def demo_account() -> dict[str, str]:
    """Return the demo account; without one the program ends, and says what to do."""
    notes = Path(os.environ.get("DATA_DIR") or REPOSITORY / "var") / "demo.json"
    try:
        found: dict[str, str] = json.loads(notes.read_text())
    except FileNotFoundError:
        sys.exit(f"There is no {notes}: start 'DEMO=big make run' first.")
    return found


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Run Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def sign_in(context: BrowserContext, account: dict[str, str]) -> Page:
    """Return a page of the demo account."""
    page = context.new_page()
    page.goto(f"{account['base_url']}/sign-in")
    page.get_by_label("E-mail").fill(account["email"])
    page.locator("#password").fill(account["password"])
    page.locator("main form").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/dashboard")
    return page
