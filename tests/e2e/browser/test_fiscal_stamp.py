"""A receipt with a fiscal stamp fits, can be used and printed, and its QR code can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import segno
from playwright.sync_api import Page, expect

from creditcore.domain.fiscal_stamps import FiscalStamp
from creditcore.testing.contracts.fiscal_stamps import STAMP
from tests.e2e.browser.conftest import OpenPage
from tests.e2e.browser.test_pages import assert_fits_every_screen, assert_usable_by_everybody
from tests.e2e.browser.test_paper import LIGHT_ON_WHITE, assert_fit_for_paper, printed
from tests.e2e.buyer import Buyer, a_buyer
from tests.stack import Stack

LONG = replace(
    STAMP,
    control_unit="",
    invoice_number="R-000001-94ND90NR-20261130",
    internal_data="",
    signature="k+/9" * 128,
    qr="Zk3+" * 250,
)

SHADES = """(svg) => {
  const box = svg.getBoundingClientRect();
  const count = svg.viewBox.baseVal.width;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = count;
  const path = new Path2D(svg.querySelector("path[stroke]").getAttribute("d"));
  const context = canvas.getContext("2d");
  context.lineWidth = 1;
  context.stroke(path);
  const dots = context.getImageData(0, 0, count, count).data;
  const rows = [];
  for (let y = 0; y < count; y++) {
    rows.push([]);
    for (let x = 0; x < count; x++) rows[y].push(dots[4 * (y * count + x) + 3] > 127);
  }
  return { rows, side: box.width };
}"""
"""The modules of a QR code as the browser draws its line, and how wide it stands on the page."""


@pytest.fixture(scope="module")
def payer(sqlite_stack: Stack) -> Iterator[Buyer]:
    with a_buyer(sqlite_stack, tags="+nowebhook") as payer:
        yield payer


def open_receipt(page: Page, payer: Buyer, stamp: FiscalStamp) -> str:
    """Buy, stamp the receipt, and open its page; return its path."""
    reference = payer.buy(10)
    payer.pay(reference)
    payer.come_back(reference)
    path = f"/dashboard/billing/receipts/{reference}"
    page.goto(f"{payer.stack.base_url}{path}")
    with payer.stack.store.begin() as tx:
        [receipt] = tx.documents.of_purchase(reference)
        # Each receipt has a number of its own.
        number = f"{stamp.invoice_number}-{receipt.number}"
        tx.fiscal_stamps.add(receipt, replace(stamp, invoice_number=number))
        tx.commit()
    page.reload()
    expect(page.get_by_role("heading", name="Tax invoice")).to_be_visible()
    return path


@pytest.mark.parametrize("stamp", [STAMP, LONG], ids=["Kenyan", "Nigerian"])
def test_a_stamped_receipt_fits_and_its_qr_code_is_as_it_is_made(
    payer: Buyer, open_page: OpenPage, stamp: FiscalStamp
) -> None:
    page = open_page(visitor=payer)

    open_receipt(page, payer, stamp)

    assert_usable_by_everybody(page)
    assert_fits_every_screen(page)
    found = page.locator("svg.qr").evaluate(SHADES)
    made = segno.make(stamp.qr, error="m", micro=False).matrix_iter(border=4)
    assert found["rows"] == [[bool(module) for module in row] for row in made]
    # Two pixels a module can be read by any telephone.
    assert found["side"] >= 2 * len(found["rows"])


def test_a_stamped_receipt_leads_to_the_tax_authority(payer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=payer)

    open_receipt(page, payer, STAMP)

    link = page.get_by_role("link", name="Check it at the tax authority")
    expect(link).to_have_attribute("href", STAMP.qr)
    expect(link).to_have_attribute("rel", re.compile("noreferrer"))


def test_a_stamped_receipt_is_printed_with_its_qr_code(payer: Buyer, open_page: OpenPage) -> None:
    page = open_page(visitor=payer)
    path = open_receipt(page, payer, STAMP)

    printed(page, payer, path)

    assert_fit_for_paper(page, payer)
    assert page.evaluate(LIGHT_ON_WHITE) == []
    expect(page.locator("svg.qr")).to_be_visible()
    expect(page.get_by_text("V249-J39C-FJ48-HE2W")).to_be_visible()
