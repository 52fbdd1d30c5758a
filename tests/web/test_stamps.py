"""Fiscal stamps as an operator enters them, and as the payer sees them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result

from adapters.flask_web.cli.document_rows import STAMP_COLUMNS
from creditcore import Money, PurchaseState
from creditcore.domain.documents import DocumentKind
from creditcore.testing.contracts import a_purchase
from creditcore.testing.memory import MemoryTransactions
from tests.visitors import Visitor
from tests.web.site import Site

LINK = "https://etims.kra.go.ke/common/link/etims/receipt/indexEtimsReceiptData?Data=P05100V249"
FILLED = {
    "stamp_control_unit": "KRACU0100000001",
    "stamp_invoice_number": "152",
    "stamp_internal_data": "TE68SLA234J5EAV3N56988LJQ7",
    "stamp_signature": "V249J39CFJ48HE2W",
    "stamp_signed_at": "2026-01-05T10:15:00+03:00",
    "stamp_qr": LINK,
}


class Shop:
    """A site that sells in shillings, each sale to be stamped, and what it has sold."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.site = Site(MemoryTransactions(), folder, **settings)
        self.buyer = Visitor(self.site).sign_up()

    def sell(self, count: int) -> None:
        """Let the buyer have paid, and issue the receipts."""
        wallet = self.site.wallet_of(self.buyer.person.id)
        references = [f"cc-{number}" for number in range(1, count + 1)]
        now = self.site.services.clock.now()
        with self.site.store.begin() as tx:
            for reference in references:
                tx.purchases.add(
                    replace(
                        a_purchase(wallet, reference=reference),
                        state=PurchaseState.PAID,
                        paid=Money(129000, "KES"),
                        created_at=now,
                        closed_at=now,
                    )
                )
            tx.commit()
        self.site.services.payments.documents.issue_due()

    def run(self, *words: str, given: str | None = None) -> Result:
        return self.site.app.test_cli_runner().invoke(args=words, input=given)

    def waiting(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.run("stamps", "list", "--json").stdout)
        return found

    def page(self, reference: str = "cc-1") -> str:
        return self.buyer.get(f"/dashboard/billing/receipts/{reference}").text


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path, FISCAL_STAMPS="KES=2026-01-01", USD_TO_KES_RATE="129")
    with shop.buyer:
        yield shop


OPTIONS = (
    *("--control-unit", "KRACU0100000001", "--invoice-number", "152"),
    *("--internal-data", "TE68SLA234J5EAV3N56988LJQ7", "--signature", "V249J39CFJ48HE2W"),
    *("--signed-at", "2026-01-05T10:15:00+03:00", "--qr", LINK),
)


def test_a_receipt_shows_that_its_tax_invoice_follows_and_then_the_stamp(shop: Shop) -> None:
    shop.sell(1)
    before = shop.page()

    entered = shop.run("stamps", "enter", "R-000001", *OPTIONS)
    again = shop.run("stamps", "enter", "R-000001", *OPTIONS, "--json")

    assert "Tax invoice follows" in before
    assert entered.stdout == "R-000001 has the stamp KRACU0100000001/152.\n"
    assert json.loads(again.stdout) == {
        "act": "enter",
        "document": "R-000001",
        "invoice_number": "KRACU0100000001/152",
        "changed": False,
    }
    after = shop.page()
    assert "follows" not in after
    for shown in ("KRACU0100000001/152", "TE68-SLA2-34J5-EAV3-N569-88LJ-Q7", "V249-J39C-FJ48-HE2W",
                  f'href="{LINK}"', "<svg", "QR code of the tax authority"):  # fmt: skip
        assert shown in after
    pdf = shop.buyer.get("/dashboard/billing/receipts/cc-1/R-000001.pdf").content
    assert pdf.count(b"/Type /Page\n") == 1


def test_text_in_a_qr_code_is_no_link_and_no_markup(shop: Shop) -> None:
    shop.sell(1)
    hostile = "javascript:<script>alert(1)</script>"

    shop.run("stamps", "enter", "R-000001", *OPTIONS[:-1], hostile)
    page = shop.page()

    assert "KRACU0100000001/152" in page
    assert "<script>alert" not in page
    assert "javascript:" not in page
    assert "Check it at the tax authority" not in page


def test_a_credit_note_waits_and_is_stamped_as_a_receipt_is(shop: Shop) -> None:
    shop.sell(1)
    services = shop.site.services
    [receipt] = services.payments.documents.issue("cc-1")
    with shop.site.store.begin() as tx:
        tx.documents.add(
            replace(receipt, kind=DocumentKind.CREDIT_NOTE, number=1, reference="rf-1", original=1)
        )
        tx.commit()

    page = shop.page()
    assert "<h1>Receipt and credit note</h1>" in page
    assert "Tax credit note follows" in page
    note, _ = csv.DictReader(io.StringIO(shop.run("stamps", "list", "--csv").stdout))
    assert (note["document"], note["corrects"], note["gross"]) == (
        "C-000001", "R-000001", "-1290.00",
    )  # fmt: skip
    assert shop.run("stamps", "enter", "C-000001", *OPTIONS).exit_code == 0
    assert "Tax credit note follows" not in shop.page()
    assert "Tax invoice follows" in shop.page()


def test_a_wrong_stamp_is_refused_replaced_and_logged(shop: Shop) -> None:
    shop.sell(1)
    shop.run("stamps", "enter", "R-000001", *OPTIONS, "--signature", "MISTYPED")

    refused = shop.run("stamps", "enter", "R-000001", *OPTIONS)
    unreasoned = shop.run("stamps", "replace", "R-000001", *OPTIONS)
    replaced = shop.run("stamps", "replace", "R-000001", *OPTIONS, "--reason", "mistyped")

    assert refused.exit_code == 1
    assert "has another stamp already" in refused.stderr
    assert unreasoned.exit_code == 2
    assert replaced.exit_code == 0
    assert "V249-J39C-FJ48-HE2W" in shop.page()
    log = shop.run("activity").stdout
    assert "document.stamp_replaced  document:R-000001" in log
    assert "signature: MISTYPED -> V249J39CFJ48HE2W" in log
    assert "reason: mistyped" in log


def test_the_list_of_what_waits_is_filled_in_and_imported(shop: Shop, tmp_path: Path) -> None:
    shop.sell(4)
    listed = shop.run("stamps", "list", "--csv").stdout
    rows = list(csv.DictReader(io.StringIO(listed)))
    assert [row["document"] for row in rows] == [f"R-00000{number}" for number in range(1, 5)]
    assert rows[0]["gross"] == "1290.00"
    rows[0] |= FILLED | {"stamp_signature": "'+base64=="}
    rows[1] |= FILLED | {"stamp_invoice_number": "152"}
    rows[2] |= FILLED | {"stamp_invoice_number": "154", "stamp_signed_at": "2026-01-05T10:15:00"}
    text = io.StringIO()
    table = csv.DictWriter(text, fieldnames=list(rows[0])[::-1])
    table.writeheader()
    table.writerows([*rows, rows[0] | {"document": "R-9", "stamp_invoice_number": "9"}])
    file = tmp_path / "filled.csv"
    file.write_text("\ufeff" + text.getvalue(), encoding="utf-8")

    done = shop.run("stamps", "import", str(file), "--json")

    assert done.exit_code == 1
    facts = json.loads(done.stdout)
    assert (facts["entered"], facts["unchanged"], facts["empty"]) == (1, 0, 1)
    assert [(row["line"], row["document"]) for row in facts["refused"]] == [
        (3, "R-000002"), (4, "R-000003"), (6, "R-9"),
    ]  # fmt: skip
    taken, zoneless, unknown = (row["error"] for row in facts["refused"])
    assert "stands on another document" in taken
    assert "lacks its zone" in zoneless
    assert "There is no receipt or credit note 'R-9'" in unknown
    assert ">+base64==<" in shop.page()
    assert [row["document"] for row in shop.waiting()] == ["R-000002", "R-000003", "R-000004"]

    mended = file.read_text(encoding="utf-8").replace("10:15:00,", "10:15:00+03:00,")
    again = shop.run("stamps", "import", "-", given=mended)
    assert "Line 3, R-000002: The invoice number" in again.stderr
    assert again.stdout == "1 stamp entered, 1 there already, 1 line empty, 2 refused.\n"


def test_json_is_imported_as_it_is_listed(shop: Shop, tmp_path: Path) -> None:
    shop.sell(2)
    first, second = shop.waiting()
    assert first["stamp_qr"] == ""
    odd = [first | FILLED, second | {"stamp_code": "x"}]
    assert shop.run("stamps", "import", "-", given=json.dumps(odd)).exit_code == 1
    assert shop.waiting() == [first, second]
    file = tmp_path / "filled.json"
    file.write_text(
        json.dumps([first | FILLED | {"stamp_invoice_number": 152},
                    second | FILLED | {"stamp_invoice_number": "153", "stamp_qr": None}])
    )  # fmt: skip

    done = shop.run("stamps", "import", str(file))
    again = shop.run("stamps", "import", str(file))

    assert done.exit_code == again.exit_code == 0
    assert done.stdout == "2 stamps entered, 0 there already, 0 lines empty, 0 refused.\n"
    assert again.stdout == "0 stamps entered, 2 there already, 0 lines empty, 0 refused.\n"
    assert "KRACU0100000001/153" in shop.page("cc-2")
    assert shop.run("stamps", "list").stdout == "Every document that needs a stamp has one.\n"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "lacks the columns document"),
        ("document,stamp_qr\nR-1,x\n", "lacks the columns stamp_control_unit"),
        (f"{','.join(('document', *STAMP_COLUMNS))}\n,\nR-1,{'x' * 200_000}\n", "Line 3 is no CSV"),
        ("[", "is no JSON"),
        ('{"document": "R-000001"}', "no array of objects"),
        ("[1]", "no array of objects"),
        ('[{"document": "R-000001", "stamp_code": "x"}]', "'stamp_code', which no stamp has"),
        ('[{"document": "R-000001", "stamp_qr": {"a": 1}}]', "'stamp_qr' is no text"),
        ('[{"document": true}]', "'document' is no text"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(site: Site, given: str, why: str) -> None:
    done = site.app.test_cli_runner().invoke(args=["stamps", "import", "-"], input=given)

    assert done.exit_code == 1
    assert why in done.stderr


def test_a_file_in_another_encoding_is_refused(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "latin.csv"
    file.write_bytes("document,käufer\n".encode("latin-1"))

    done = site.app.test_cli_runner().invoke(args=["stamps", "import", str(file)])

    assert done.exit_code == 1
    assert "not UTF-8" in done.stderr


def test_the_month_of_sales_ends_with_the_stamps(shop: Shop) -> None:
    shop.sell(2)
    shop.run("stamps", "enter", "R-000001", *OPTIONS)
    month = f"{shop.site.services.clock.now():%Y-%m}"

    table = shop.run("sales", "--month", month).stdout

    first, second = csv.DictReader(io.StringIO(table))
    assert list(first)[-6:] == list(FILLED)
    assert first["stamp_invoice_number"] == "KRACU0100000001/152"
    assert first["stamp_signed_at"] == "2026-01-05T07:15:00+00:00"
    assert {name: second[name] for name in FILLED} == dict.fromkeys(FILLED, "")


def test_without_the_setting_nothing_waits_and_stamps_are_taken(tmp_path: Path) -> None:
    shop = Shop(tmp_path, USD_TO_KES_RATE="129")
    with shop.buyer:
        shop.sell(1)

        assert "follows" not in shop.page()
        assert "FISCAL_STAMPS names no currency" in shop.run("stamps", "list").stdout
        assert "fiscal stamps" not in shop.run("doctor").stdout
        assert shop.run("stamps", "enter", "R-000001", *OPTIONS).exit_code == 0
        assert "KRACU0100000001/152" in shop.page()


def test_the_doctor_says_how_many_wait_and_whether_for_too_long(shop: Shop) -> None:
    shop.sell(2)
    fresh = shop.run("doctor").stdout
    [receipt] = shop.site.services.payments.documents.issue("cc-1")
    shop.run("stamps", "enter", receipt.name, *OPTIONS)
    with shop.site.store.begin() as tx:
        tx.documents.add(
            replace(
                receipt,
                number=3,
                reference="cc-3",
                issued_at=receipt.issued_at - timedelta(days=1, minutes=1),
            )
        )
        tx.commit()

    late = shop.run("doctor").stdout

    told = "fiscal stamps (KES since 2026-01-01; 2 documents waiting)"
    assert f"ok    {told}" in fresh
    fault = "1 for more than a day; see 'flask --app wsgi stamps list'"
    assert f"FAIL  {told}: {fault}" in late
