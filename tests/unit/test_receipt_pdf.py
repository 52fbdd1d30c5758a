"""Receipts as PDF: one page, the same bytes each time, with names in any script."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest
import segno

from adapters.receipt_pdf import render
from creditcore import Money, PurchaseState
from creditcore.domain.buyers import (
    MAX_ADDRESS_LENGTH,
    MAX_COMPANY_LENGTH,
    MAX_TAX_NUMBER_LENGTH,
)
from creditcore.domain.documents import Document, Seller, credit_note_of, receipt_of
from creditcore.domain.fiscal_stamps import StampedDocument
from creditcore.testing.contracts import NOON, a_purchase
from creditcore.testing.contracts.fiscal_stamps import STAMP
from tests.unit.test_documents import SELLER, WALLET, a_refund


def a_receipt(*, seller: Seller = SELLER, name: str = "Amina", **given: str) -> Document:
    purchase = replace(
        a_purchase(WALLET),
        state=PurchaseState.PAID,
        paid=Money(129000, "KES"),
        channel="mobile_money",
        provider_id="5012345678",
        receipt_code="SKL7XYZ12A",
        closed_at=NOON,
    )
    buyer = {"name": name, "email": "amina@example.com", **given}
    return receipt_of(purchase, number=42, seller=seller, buyer=buyer, at=NOON)


def text_of(pdf: bytes) -> str:
    """Return what a reader sees, where the machine has the tool."""
    tool = shutil.which("pdftotext")
    if tool is None:
        return ""
    done = subprocess.run([tool, "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


def test_a_receipt_is_one_page_and_the_same_each_time() -> None:
    pdf = render(StampedDocument(document=a_receipt()))

    assert pdf == render(StampedDocument(document=a_receipt()))
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 1


def test_it_names_the_parties_the_tax_and_the_payment() -> None:
    text = text_of(render(StampedDocument(document=a_receipt())))

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

    text = text_of(render(StampedDocument(document=note)))

    expected = ["Credit note", "C-000007", "R-000042", "KES 645.00", "asked for it"]
    assert not text or [word for word in expected if word not in text] == []


@pytest.mark.parametrize(
    "name",
    ["", "Adébáyọ̀ Ọlátúnjí", "Wanjikũ", "محمد", "😀" * 40, "x" * 300, "a\nb\x00c", "<b>&amp;"],
)
def test_any_name_gives_one_page(name: str) -> None:
    seller = replace(SELLER, name=name or "-", address=name, tax_rates={})

    pdf = render(StampedDocument(document=a_receipt(seller=seller, name=name)))

    assert pdf.count(b"/Type /Page\n") == 1


def test_marks_that_the_font_lacks_leave_their_letters() -> None:
    text = text_of(render(StampedDocument(document=a_receipt(name="Adébáyọ̀ Ọlátúnjí"))))

    assert not text or "Adébáyo Olátúnjí" in text


@pytest.mark.parametrize("name", ["محمد علي", "山田 太郎", "Иван"])
def test_a_name_that_the_font_cannot_write_is_not_a_row_of_question_marks(name: str) -> None:
    text = text_of(render(StampedDocument(document=a_receipt(name=name))))

    assert "??" not in text
    assert not text or "amina@example.com" in text


def test_it_names_the_buyers_company_address_and_tax_number() -> None:
    given = {"company": "Jua Labs Ltd", "address": "Moi Avenue 1, Nairobi", "tax_number": "P052"}

    text = text_of(render(StampedDocument(document=a_receipt(**given))))

    expected = ["Jua Labs Ltd", "Amina", "Moi Avenue 1, Nairobi", "Tax number P052",
                "amina@example.com"]  # fmt: skip
    assert not text or [word for word in expected if word not in text] == []


def test_a_company_that_the_font_cannot_write_leaves_the_lines_that_it_can() -> None:
    text = text_of(
        render(StampedDocument(document=a_receipt(company="山田商事", tax_number="T12")))
    )

    assert "??" not in text
    expected = ["Amina", "Tax number T12", "in another script: see the receipt's page"]
    assert not text or [word for word in expected if word not in text] == []


def test_the_longest_buyer_costs_a_receipt_no_other_line() -> None:
    longest = a_receipt(
        name="W" * 80,
        email=f"{'w' * 64}@{'w' * 189}",
        company="W" * MAX_COMPANY_LENGTH,
        address="W" * MAX_ADDRESS_LENGTH,
        tax_number="W" * MAX_TAX_NUMBER_LENGTH,
    )

    pdf = render(StampedDocument(document=longest))

    assert pdf.count(b"/Type /Page\n") == 2
    _, _, second = text_of(pdf).partition("\f")
    assert not second or "1 credit is 1 US cent of balance" in second


FILLED = re.compile(rb"([-0-9.]+) ([-0-9.]+) ([-0-9.]+) ([-0-9.]+) re f")
STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def modules_in(pdf: bytes) -> list[list[bool]]:
    """Return the QR code that a PDF draws, read from its rectangles, row by row."""
    drawn = b"".join(
        zlib.decompress(stream) for stream in STREAM.findall(pdf) if stream[:1] == b"x"
    )
    boxes = [tuple(map(float, box)) for box in FILLED.findall(drawn)]
    if not boxes:
        return []
    left, top = min(box[0] for box in boxes), max(box[1] for box in boxes)
    module = min(abs(box[3]) for box in boxes)
    dark = {
        (round((top - y) / module), round((x - left) / module) + step)
        for x, y, width, _ in boxes
        for step in range(round(width / module))
    }
    side = 1 + max(row for row, _ in dark)
    return [[(row, column) in dark for column in range(side)] for row in range(side)]


@pytest.mark.parametrize("qr", [STAMP.qr, "q1w2+e3r4/t5==", "x" * 1000])
def test_the_qr_code_is_drawn_as_it_is_made(qr: str) -> None:
    pdf = render(StampedDocument(document=a_receipt(), stamp=replace(STAMP, qr=qr)))

    made = segno.make(qr, error="m", micro=False).matrix
    assert modules_in(pdf) == [[bool(module) for module in row] for row in made]


def test_a_stamp_is_printed_with_its_codes_in_groups() -> None:
    stamped = StampedDocument(document=a_receipt(), stamp=STAMP)

    pdf = render(stamped)

    assert pdf == render(stamped)
    assert pdf.count(b"/Type /Page\n") == 1
    text = text_of(pdf)
    expected = ["Tax invoice", "Control unit invoice number", "KRACU0100000001/152",
                "TE68-SLA2-34J5-EAV3-N569-88LJ-Q7", "V249-J39C-FJ48-HE2W",
                "1 June 2026, 12:01:00 UTC"]  # fmt: skip
    assert not text or [word for word in expected if word not in text] == []
    assert "follows" not in text


def test_what_waits_for_its_stamp_says_that_the_tax_invoice_follows() -> None:
    bare = text_of(render(StampedDocument(document=a_receipt())))
    waiting = text_of(render(StampedDocument(document=a_receipt(), awaits_stamp=True)))

    assert "follows" not in bare
    assert not waiting or "Tax invoice follows." in waiting


def test_a_stamp_of_the_longest_texts_has_a_page_of_its_own() -> None:
    longest = replace(
        STAMP,
        control_unit="U" * 64,
        invoice_number="N" * 128,
        internal_data="D" * 128,
        signature="S" * 512,
        qr="q" * 1000,
    )

    pdf = render(StampedDocument(document=a_receipt(), stamp=longest))

    assert pdf.count(b"/Type /Page\n") == 2
    text = text_of(pdf)
    assert not text or "".join(text.split()).count("SSSS-") > 100
    assert len(modules_in(pdf)) > 100
