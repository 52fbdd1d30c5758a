"""What ``make first-paint`` does: how long each page takes in Chromium until something is seen.

Run it beside ``DEMO=big make run``. Each page is loaded some times with an empty cache, as by
somebody who opens it for the first time; the browser's own Performance API says when it painted
first (``first-contentful-paint``) and when all was loaded, and how much came over the wire.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser, BrowserContext, StorageState

from sandbox.demo_browser import a_browser, demo_account, sign_in

LOADS = 5
PROMISED_MS = 1_000

_PUBLIC = ("/", "/sign-in", "/sign-up", "/pricing", "/models", "/models/gpt-4o", "/status")
_MINE = (
    "/dashboard",
    "/dashboard/analytics?range=30d",
    "/dashboard/analytics?range=month&group=key",
    "/dashboard/calls",
    "/dashboard/calls/refused",
    "/dashboard/playground",
    "/dashboard/billing",
    "/dashboard/billing/statement",
    "/dashboard/keys",
    "/dashboard/team",
    "/dashboard/general",
    "/dashboard/security",
    "/dashboard/security/activity",
    "/dashboard/analytics/what-if",
)
_OPERATORS = (
    "/admin",
    "/admin/people",
    "/admin/teams",
    "/admin/payments",
    "/admin/reviews",
    "/admin/models",
    "/admin/monitoring",
    "/admin/failures?range=30d",
    "/admin/alerts",
    "/admin/audit",
)
_MEASURE = """() => {
    const all = [...performance.getEntriesByType("navigation"),
                 ...performance.getEntriesByType("resource")];
    const [page] = performance.getEntriesByType("navigation");
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return [paint && paint.startTime, page.responseStart, page.loadEventEnd,
            all.reduce((bytes, each) => bytes + each.transferSize, 0)];
}"""


@dataclass(frozen=True, slots=True)
class Load:
    """One load of a page.

    Attributes:
        paint_ms: Until something of it was seen, from the click on.
        answer_ms: Until the first byte of it came.
        load_ms: Until it was there whole, scripts and pictures too.
        transferred: Bytes over the wire, all files together.
    """

    paint_ms: float
    answer_ms: float
    load_ms: float
    transferred: int


def main() -> int:
    """Measure every page; return 1 if one is slower than promised."""
    account = demo_account()
    slowest = 0.0
    print("page                                          paint ms   worst  answer  loaded      KB")
    with a_browser() as browser:
        context = browser.new_context()
        sign_in(context, account)
        state = context.storage_state()
        context.close()
        for path in (*_PUBLIC, *_MINE, *_OPERATORS):
            address = account["base_url"] + path
            loads = [
                _load(browser, address, None if path in _PUBLIC else state) for _ in range(LOADS)
            ]
            paints = [load.paint_ms for load in loads]
            slowest = max(slowest, median(paints))
            print(
                f"{path:44} {median(paints):9.0f} {max(paints):7.0f}"
                f" {median(load.answer_ms for load in loads):7.0f}"
                f" {median(load.load_ms for load in loads):7.0f}"
                f" {loads[0].transferred / 1000:7.1f}"
            )
    kept = slowest < PROMISED_MS
    print(f"\nThe slowest page: {slowest:.0f} ms. Promised: below {PROMISED_MS:,} ms.")
    return 0 if kept else 1


def _load(browser: Browser, address: str, state: StorageState | None) -> Load:
    # A context of its own: nothing of an earlier load is in its cache.
    context: BrowserContext = browser.new_context(storage_state=state)
    page = context.new_page()
    answer = page.goto(address)
    if answer is None or not answer.ok:
        sys.exit(f"{address} was answered with {answer.status if answer else 'nothing'}.")
    # Painting may come after the load event, where the machine is busy.
    page.wait_for_function('() => performance.getEntriesByName("first-contentful-paint").length')
    load = Load(*page.evaluate(_MEASURE))
    context.close()
    return load


if __name__ == "__main__":
    sys.exit(main())
