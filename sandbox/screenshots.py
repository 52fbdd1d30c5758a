"""What ``make screenshots`` does: pictures for the documents, out of the running product.

Run it beside ``DEMO=big make run``. It signs in as the demo account of ``demo.json`` and takes
each page as its readers meet it, so that the documents show what there is.
"""

from __future__ import annotations

import sys

from playwright.sync_api import Browser, Page

from sandbox.demo_browser import a_browser, demo_account, sign_in
from sandbox.process import REPOSITORY

FOLDER = REPOSITORY / "docs" / "images"
WIDE, PHONE = (1180, 820), (390, 800)
_PAGES = (
    ("home", "/dashboard", WIDE, "light"),
    ("home-phone", "/dashboard", PHONE, "dark"),
    ("analytics", "/dashboard/analytics?range=30d", WIDE, "light"),
    ("calls", "/dashboard/calls", WIDE, "light"),
    ("playground", "/dashboard/playground", WIDE, "light"),
    ("admin", "/admin", WIDE, "light"),
)


def main() -> int:
    """Take every picture; return the exit status."""
    account = demo_account()
    with a_browser() as browser:
        for name, path, (width, height), scheme in _PAGES:
            page = _signed_in(browser, account, width=width, height=height, scheme=scheme)
            page.goto(account["base_url"] + path)
            if name == "playground":
                _talk(page)
            page.screenshot(path=FOLDER / f"{name}.png")
            page.context.close()
            print(f"docs/images/{name}.png")
    return 0


def _signed_in(
    browser: Browser, account: dict[str, str], *, width: int, height: int, scheme: str
) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    return sign_in(context, account)


def _talk(page: Page) -> None:
    page.get_by_label("Compare with").select_option("gpt-4o-mini")
    page.get_by_label("Message").fill("What does a prepaid gateway promise?")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("link", name="Receipt").nth(1).wait_for()


if __name__ == "__main__":
    sys.exit(main())
