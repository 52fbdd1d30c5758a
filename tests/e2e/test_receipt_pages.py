"""The receipt of a payment, on its page and as PDF, and the operator's list of sales."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

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


def test_no_person_sees_the_receipt_of_another_or_of_what_was_not_paid(buyer: Refunded) -> None:
    unpaid = buyer.buy()
    with Refunded(buyer.stack) as other:
        other.sign_up()
        paid = other.paid()

    for path in (unpaid, paid, "cc-nothing", f"{paid}/R-000001.pdf", f"{unpaid}/R-000001.pdf"):
        assert buyer.get(f"/dashboard/billing/receipts/{path}").status_code == 404
    assert buyer.stack.flask("sales", "--month", "soon", check=False).returncode == 2


def test_a_statement_adds_up_on_its_page_and_as_csv(buyer: Refunded) -> None:
    reference = buyer.paid()

    page = buyer.get("/dashboard/billing/statement")
    table = buyer.get("/dashboard/billing/statement.csv")

    assert page.status_code == 200
    assert "Closing balance" in page.text
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert table.headers["content-type"].startswith("text/csv")
    opening, *lines, closing = (Decimal(row["credits"]) for row in rows)
    assert (opening, closing) == (0, 2200)
    assert opening + sum(lines) == closing
    assert any(reference in row["reference"] for row in rows)


@pytest.mark.parametrize(
    "query", ["from=soon", "to=2026-13-01", "from=2026-02-02&to=2026-02-01", "from=0001-01-01",
              "from=2020-01-01"]
)  # fmt: skip
def test_a_period_that_makes_no_sense_is_refused(buyer: Refunded, query: str) -> None:
    page = buyer.get(f"/dashboard/billing/statement?{query}")

    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert buyer.get(f"/dashboard/billing/statement.csv?{query}").status_code == 400
