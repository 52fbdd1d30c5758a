"""A real browser, in which each complaint of a page fails the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Response,
    expect,
    sync_playwright,
)

from tests.stack import PATIENCE_S
from tests.visitors import Visitor

OpenPage = Callable[..., Page]

PATIENCE_MS = PATIENCE_S * 1000
expect.set_options(timeout=PATIENCE_MS)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


class Complaints:
    """What pages said on the console, threw, or were forbidden by their policy."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._visited: set[str] = set()

    def listen_to(self, page: Page) -> None:
        page.on("response", self._on_response)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.heard.append(f"{page.url}: {error}"))
        page.on(
            "requestfailed",
            lambda request: (
                self.heard.append(f"{request.url}: {request.failure}")
                if request.failure != "net::ERR_ABORTED"
                else None
            ),
        )

    def _on_response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._visited.add(response.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        # The status of a page that was asked for is the test's own business.
        its_own_status = message.location["url"] in self._visited and message.text.startswith(
            "Failed to load resource"
        )
        if message.location["url"].endswith("/favicon.ico"):
            # Chromium asks for one by itself on pages, such as Paystack's, that name none.
            return
        is_policy = "Content Security Policy" in message.text
        if is_policy or (message.type == "error" and not its_own_status):
            self.heard.append(f"{message.location['url']}: {message.text}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    complaints = Complaints()
    yield complaints
    assert complaints.heard == []


@pytest.fixture
def open_page(browser: Browser, complaints: Complaints) -> Iterator[OpenPage]:
    """Open empty pages, each of a browser of its own; a visitor's sessions go along."""
    with ExitStack() as open_contexts:

        def open_page(*, visitor: Visitor | None = None, **options: Any) -> Page:
            context = browser.new_context(**{"reduced_motion": "reduce", **options})
            open_contexts.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            if visitor is not None:
                context.add_cookies(
                    [
                        {"name": name, "value": value, "url": visitor.stack.base_url}
                        for name, value in visitor.http.cookies.items()
                    ]
                )
            page = context.new_page()
            complaints.listen_to(page)
            return page

        yield open_page


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """An ordinary browser window."""
    return open_page(viewport={"width": 1280, "height": 800})
