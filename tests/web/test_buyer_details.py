"""What a person gives for receipts: its form, and each place where it stands afterwards."""

from __future__ import annotations

import csv
import html
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from creditcore import Money, PurchaseState
from creditcore.domain.people import Role
from creditcore.testing.contracts import a_purchase
from creditcore.testing.memory import MemoryTransactions
from tests.visitors import Visitor
from tests.web.site import Site

GENERAL = "/dashboard/general"
GIVEN = {
    "company": "Jua & <b>Labs</b> Ltd",
    "address": "Moi Avenue 1, Nairobi",
    "tax_number": "=P051234567A",
}


def buy(site: Site, buyer: Visitor, reference: str) -> None:
    """Let a person have paid, and issue the receipt."""
    now = site.services.clock.now()
    purchase = replace(
        a_purchase(site.wallet_of(buyer.person.id), reference=reference),
        email=buyer.email,
        state=PurchaseState.PAID,
        paid=Money(129000, "KES"),
        created_at=now,
        closed_at=now,
    )
    with site.store.begin() as tx:
        tx.purchases.add(purchase)
        tx.commit()
    site.services.payments.documents.issue_due()


@pytest.fixture
def shop(tmp_path: Path) -> Site:
    """A site of its own: its month of sales is that of one test."""
    return Site(MemoryTransactions(), tmp_path, USD_TO_KES_RATE="129")


@pytest.fixture
def buyer(shop: Site) -> Iterator[Visitor]:
    with Visitor(shop) as buyer:
        yield buyer.sign_up()


def test_it_is_kept_by_a_form_of_its_own(member: Visitor) -> None:
    member.post(GENERAL, {"name": "Amina", "timezone": "Africa/Nairobi", "currency": ""})

    saved = member.post(f"{GENERAL}/receipts", GIVEN)
    page = html.unescape(member.get(GENERAL).text)

    assert saved.headers["location"] == GENERAL
    assert asdict(member.person.buyer) == GIVEN
    assert member.person.name == "Amina"
    for text in ("Receipts name this from now on.", "already issued stay as they are",
                 *(f'value="{text}"' for text in GIVEN.values())):  # fmt: skip
        assert text in page
    member.post(GENERAL, {"name": "Juma", "timezone": "", "currency": ""})
    assert asdict(member.person.buyer) == GIVEN


@pytest.mark.parametrize(("field", "longest"), [("company", 120), ("address", 200)])
def test_a_fault_stands_at_its_field_with_all_that_was_typed(
    member: Visitor, field: str, longest: int
) -> None:
    typed = {**GIVEN, "tax_number": "P052", field: "x" * (longest + 1)}

    answer = member.post(f"{GENERAL}/receipts", typed)

    assert answer.status_code == 400
    page = html.unescape(answer.text)
    assert f'id="{field}-error"' in page
    assert f'<a href="#{field}">' in page
    assert page.count("error-summary") == 1
    for text in typed.values():
        assert f'value="{text}"' in page
    assert member.person.buyer.is_empty


def test_it_stands_on_receipts_from_then_on(shop: Site, buyer: Visitor) -> None:
    buy(shop, buyer, "cc-1")
    buyer.post(f"{GENERAL}/receipts", GIVEN)
    buy(shop, buyer, "cc-2")

    before = buyer.get("/dashboard/billing/receipts/cc-1").text
    after = buyer.get("/dashboard/billing/receipts/cc-2").text

    assert "Moi Avenue" not in before
    assert buyer.email in before
    assert html.escape(GIVEN["company"]) in after
    assert GIVEN["company"] not in after
    assert GIVEN["address"] in after
    assert f"Tax number {GIVEN['tax_number']}" in after
    assert buyer.get("/dashboard/billing/receipts/cc-2/R-000002.pdf").content[:5] == b"%PDF-"


def test_the_operator_and_the_person_find_it_in_their_tables(shop: Site, buyer: Visitor) -> None:
    buyer.post(f"{GENERAL}/receipts", GIVEN)
    buy(shop, buyer, "cc-1")
    month = f"{shop.services.clock.now():%Y-%m}"

    sales = shop.app.test_cli_runner().invoke(args=["sales", "--month", month]).stdout
    [sale] = csv.DictReader(io.StringIO(sales))
    archive = zipfile.ZipFile(io.BytesIO(buyer.get(f"{GENERAL}/data.zip").content))
    profile = json.loads(archive.read("profile.json"))
    [document] = csv.DictReader(io.StringIO(archive.read("documents.csv").decode()))

    in_table = {f"buyer_{name}": text for name, text in GIVEN.items()}
    in_table["buyer_tax_number"] = f"'{GIVEN['tax_number']}"
    assert in_table.items() <= sale.items()
    assert GIVEN.items() <= profile.items()
    assert in_table.items() <= document.items()


def test_an_operator_sees_it_on_the_persons_page(shop: Site, buyer: Visitor) -> None:
    with Visitor(shop) as operator:
        shop.services.people.roles.grant(operator.sign_up().person.id, Role.ADMIN)
        # A new role ends the sessions of before.
        operator.sign_in()
        address = f"/admin/people/{buyer.person.id}"
        before = operator.get(address)
        buyer.post(f"{GENERAL}/receipts", {**GIVEN, "address": ""})

        page = html.unescape(operator.get(address).text)

    assert before.status_code == 200
    assert "On receipts from now on" not in before.text
    assert "On receipts from now on" in page
    assert GIVEN["company"] in page
    assert GIVEN["tax_number"] in page
    assert "<dt>Address</dt>" not in page


def test_closing_the_account_forgets_it_and_leaves_the_receipt(shop: Site, buyer: Visitor) -> None:
    buyer.post(f"{GENERAL}/receipts", GIVEN)
    buy(shop, buyer, "cc-1")
    person_id = buyer.person.id

    buyer.post("/dashboard/security/close", {"email": buyer.email, "give_up": "yes"})

    with shop.store.begin() as tx:
        gone = tx.people.find(person_id)
        [receipt] = tx.documents.of_purchase("cc-1")
    assert gone
    assert gone.buyer.is_empty
    assert receipt.details["buyer_company"] == GIVEN["company"]
