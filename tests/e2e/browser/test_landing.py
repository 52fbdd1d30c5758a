"""The terminal of the landing page: played once it is seen, paused, played again, or still."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.browser.conftest import OpenPage
from tests.stack import Stack


def test_the_terminal_can_be_paused_and_played_again(
    open_page: OpenPage, sqlite_stack: Stack
) -> None:
    page = open_page(reduced_motion="no-preference")
    page.goto(sqlite_stack.base_url)
    play = page.locator("[data-terminal-play]")
    terminal = page.locator("[data-terminal]")

    play.click()
    expect(play).to_have_text("Go on")
    play.click()
    expect(play).to_have_text("Play again")
    expect(terminal.locator(".is-unwritten")).to_have_count(0)
    whole = terminal.inner_text()
    play.click()
    expect(play).to_have_text("Play again")

    assert terminal.inner_text() == whole


def test_a_visitor_who_wants_no_motion_gets_it_still(
    open_page: OpenPage, sqlite_stack: Stack
) -> None:
    page = open_page(reduced_motion="reduce")
    page.goto(sqlite_stack.base_url)

    expect(page.locator("[data-terminal-play]")).to_be_hidden()
    expect(page.locator("[data-terminal] .is-unwritten")).to_have_count(0)
