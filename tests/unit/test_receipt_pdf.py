"""Receipts as PDF: one page, the same bytes each time, whatever the names are written in."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.receipt_pdf import render
from creditcore import Money, PurchaseState
from creditcore.domain.documents import Document, Seller, credit_note_of, receipt_of
from creditcore.testing.contracts import NOON, a_purchase
from tests.unit.test_documents import SELLER, WALLET, a_refund


def a_receipt(*, seller: Seller = SELLER, name: str = "Amina") -> Document:
    purchase = replace(
        a_purchase(WALLET),
        state=PurchaseState.PAID,
        paid=Money(129000, "KES"),
        channel="mobile_money",
        provider_id="5012345678",
        receipt_code="SKL7XYZ12A",
        closed_at=NOON,
    )
    buyer = {"name": name, "email": "amina@example.com"}
    return receipt_of(purchase, number=42, seller=seller, buyer=buyer, at=NOON)


def text_of(pdf: bytes) -> str:
    """Return what a reader sees, where the machine has the tool."""
    tool = shutil.which("pdftotext")
    if tool is None:
        return ""
    done = subprocess.run([tool, "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


def test_a_receipt_is_one_page_and_the_same_each_time() -> None:
    pdf = render(a_receipt())

    assert pdf == render(a_receipt())
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 1


def test_it_names_the_parties_the_tax_and_the_payment() -> None:
    text = text_of(render(a_receipt()))

    expected = ["R-000042", "Jambo AI Ltd", "P051", "Amina", "VAT 16 %", "KES 177.93",
                "KES 1,112.07", "KES 1,290.00", "cc-1", "Mobile money", "5012345678", "SKL7XYZ12A",
                "129 KES per USD", "2000"]  # fmt: skip
    assert not text or [word for word in expected if word not in text] == []


def test_a_credit_note_names_the_receipt_that_it_corrects() -> None:
    note = credit_note_of(
        a_refund(1, 64500),
        a_receipt(),
        number=7,
        refunded_before=Money(0, "KES"),
        at=NOON + timedelta(days=1),
    )

    text = text_of(render(note))

    expected = ["Credit note", "C-000007", "R-000042", "KES 645.00", "asked for it"]
    assert not text or [word for word in expected if word not in text] == []


@pytest.mark.parametrize(
    "name",
    ["", "Adébáyọ̀ Ọlátúnjí", "Wanjikũ", "محمد", "😀" * 40, "x" * 300, "a\nb\x00c", "<b>&amp;"],
)
def test_any_name_gives_one_page(name: str) -> None:
    seller = replace(SELLER, name=name or "-", address=name, tax_rates={})

    pdf = render(a_receipt(seller=seller, name=name))

    assert pdf.count(b"/Type /Page\n") == 1


def test_marks_that_the_font_lacks_leave_their_letters() -> None:
    text = text_of(render(a_receipt(name="Adébáyọ̀ Ọlátúnjí")))

    assert not text or "Adébáyo Olátúnjí" in text


@pytest.mark.parametrize("name", ["محمد علي", "山田 太郎", "Иван"])
def test_a_name_that_the_font_cannot_write_is_not_a_row_of_question_marks(name: str) -> None:
    text = text_of(render(a_receipt(name=name)))

    assert "??" not in text
    assert not text or "amina@example.com" in text
