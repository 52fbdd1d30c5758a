"""The receipt of a payment, on its page and as PDF, and the operator's list of sales."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from tests.e2e.test_refunds import Refunded
from tests.stack import Stack, wait_until


@pytest.fixture
def buyer(sqlite_stack: Stack) -> Iterator[Refunded]:
    with Refunded(sqlite_stack) as visitor:
        visitor.sign_up()
        yield visitor


def test_a_payment_has_a_receipt_and_its_refund_a_credit_note(buyer: Refunded) -> None:
    reference = buyer.paid()
    billing = buyer.get("/dashboard/billing").text
    assert f"/dashboard/billing/receipts/{reference}" in billing

    page = buyer.get(f"/dashboard/billing/receipts/{reference}")
    refund = buyer.refund(reference, "--amount", "4")
    buyer.control("POST", "refunds", json={"id": int(refund["provider_id"]), "status": "processed"})
    wait_until(lambda: "Credit note" in buyer.get(f"/dashboard/billing/receipts/{reference}").text)

    assert page.status_code == 200
    assert "$10.00" in page.text
    with buyer.stack.store.begin() as tx:
        receipt, note = tx.documents.of_purchase(reference)
    for document in (receipt, note):
        pdf = buyer.get(f"/dashboard/billing/receipts/{reference}/{document.name}.pdf")
        assert pdf.headers["content-type"] == "application/pdf"
        assert pdf.content.startswith(b"%PDF-")
    month = f"{receipt.issued_at:%Y-%m}"
    table = buyer.stack.flask("sales", "--month", month).stdout
    rows = {row["document"]: row for row in csv.DictReader(io.StringIO(table))}
    assert rows[receipt.name]["gross"] == "10.00"
    assert rows[note.name]["gross"] == "-4.00"
    assert rows[note.name]["corrects"] == receipt.name


def test_nobody_sees_the_receipt_of_another_or_of_what_was_not_paid(buyer: Refunded) -> None:
    unpaid = buyer.buy()
    with Refunded(buyer.stack) as other:
        other.sign_up()
        paid = other.paid()

    for path in (unpaid, paid, "cc-nothing", f"{paid}/R-000001.pdf", f"{unpaid}/R-000001.pdf"):
        assert buyer.get(f"/dashboard/billing/receipts/{path}").status_code == 404
    assert buyer.stack.flask("sales", "--month", "soon", check=False).returncode == 2
