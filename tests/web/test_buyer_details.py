"""What people and teams give for receipts: the forms, and each place where it stands then."""

from __future__ import annotations

import csv
import html
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from creditcore import Money, PurchaseState
from creditcore.domain.people import Role
from creditcore.domain.teams import Membership, TeamRole
from creditcore.testing.contracts import a_purchase
from creditcore.testing.memory import MemoryTransactions
from creditcore.usecases.teams.membership_terms import begin_counting
from tests.visitors import TOKEN, Visitor
from tests.web.site import Site
from tests.web.test_models import PLAIN

GENERAL = "/dashboard/general"
GIVEN = {
    "company": "Jua & <b>Labs</b> Ltd",
    "address": "Moi Avenue 1, Nairobi",
    "tax_number": "=P051234567A",
}


def buy(site: Site, buyer: Visitor, reference: str, *, team_id: str = "") -> None:
    """Let a person have paid, for themselves or a team, and issue the receipt."""
    now = site.services.clock.now()
    purchase = replace(
        a_purchase(site.wallet_of(team_id or buyer.person.id), reference=reference),
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


def test_people_of_the_demonstration_have_companies(shop: Site) -> None:
    with shop.store.begin() as tx:
        tx.prices.replace_all([PLAIN], at=shop.services.clock.now())
        tx.commit()

    made = shop.app.test_cli_runner().invoke(args=["demo-data", "--calls", "60", "--months", "1"])

    assert made.exit_code == 0, made.output
    since = shop.services.clock.now() - timedelta(days=40)
    until = shop.services.clock.now()
    receipts = shop.services.payments.documents.issued(since=since, until=until)
    companies = {receipt.details["buyer_company"] for receipt in receipts}
    assert companies >= {"Kijani Labs Ltd", ""}


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


TEAM = "/dashboard/team"
OF_TEAM = {"company": "Kijani & <b>Works", "address": "Ngong Road 2", "tax_number": "P077"}


def a_team(site: Site, owner: Visitor, name: str = "Kijani") -> str:
    """Make a team, and go on in its account."""
    team = site.services.teams.keep.create(owner.person.id, name)
    owner.post(f"{TEAM}/switch", {"account": team.id})
    return team.id


def join(site: Site, team_id: str, visitor: Visitor, role: TeamRole) -> None:
    """Put a person into a team, and let them go on in its account."""
    now, person = site.services.clock.now(), visitor.person
    with site.store.begin() as tx:
        tx.teams.put(Membership(team_id=team_id, person_id=person.id, role=role, joined_at=now))
        begin_counting(tx, tx.ledger.find_wallet_of(team_id), person, None, now=now)
        tx.commit()
    visitor.post(f"{TEAM}/switch", {"account": team_id})


def token_in(page: str) -> str:
    found = TOKEN.search(page)
    assert found
    return found[1]


def details_of(site: Site, team_id: str) -> dict[str, str]:
    with site.store.begin() as tx:
        return asdict(tx.teams.find(team_id).buyer)


def test_a_team_s_receipts_name_what_the_team_gave(any_site: Site) -> None:
    with Visitor(any_site) as owner:
        owner.sign_up().post(f"{GENERAL}/receipts", GIVEN)
        team_id = a_team(any_site, owner)
        references = [f"cc-{team_id}-{number}" for number in (1, 2)]
        before = html.unescape(owner.get(TEAM).text)
        buy(any_site, owner, references[0], team_id=team_id)

        saved = owner.post(f"{TEAM}/receipts", OF_TEAM)
        after = html.unescape(owner.get(TEAM).text)
        buy(any_site, owner, references[1], team_id=team_id)
        first, second = (
            owner.get(f"/dashboard/billing/receipts/{reference}").text for reference in references
        )

    assert "name what the member who pays gave" in before
    assert saved.headers["location"] == TEAM
    assert "Receipts of this team name this from now on." in after
    assert "changed what receipts name: company, address and tax number" in after
    for text in OF_TEAM.values():
        assert f'value="{text}"' in after
    assert GIVEN["address"] in first
    assert html.escape(OF_TEAM["company"]) in second
    assert OF_TEAM["company"] not in second
    assert "Tax number P077" in second
    assert GIVEN["address"] not in second


def test_a_fault_in_a_team_s_form_stands_at_its_field(shop: Site, buyer: Visitor) -> None:
    team_id = a_team(shop, buyer)
    typed = {**OF_TEAM, "address": "x" * 201}

    page = html.unescape(buyer.post(f"{TEAM}/receipts", typed).text)
    statuses = [
        buyer.post(f"{TEAM}/receipts", {**OF_TEAM, field: text}).status_code
        for field, text in (
            ("company", "Kijani\x00Works"),
            ("tax_number", "9" * 5_000),
            ("tax_number", "9" * 50_000),
        )
    ]

    assert 'id="address-error"' in page
    assert '<a href="#address">' in page
    assert page.count("error-summary") == 1
    for text in typed.values():
        assert f'value="{text}"' in page
    assert statuses == [400, 400, 413]
    assert not any(details_of(shop, team_id).values())


def test_admins_and_owners_alone_see_and_change_what_a_team_s_receipts_name(
    shop: Site, buyer: Visitor
) -> None:
    team_id = a_team(shop, buyer)
    buyer.post(f"{TEAM}/receipts", OF_TEAM)
    for role in (TeamRole.VIEWER, TeamRole.MEMBER, TeamRole.ADMIN):
        with Visitor(shop) as other:
            join(shop, team_id, other.sign_up(), role)
            page = other.get(TEAM).text
            form = {**OF_TEAM, "address": f"By {role}", "csrf_token": token_in(page)}
            tried = other.send("POST", f"{TEAM}/receipts", data=form)
        is_admin = role is TeamRole.ADMIN
        assert ("P077" in page) is is_admin
        assert tried.status_code == (302 if is_admin else 403)

    assert details_of(shop, team_id)["address"] == "By admin"


def test_no_form_reaches_a_team_that_one_is_not_in(shop: Site, buyer: Visitor) -> None:
    team_id = a_team(shop, buyer)
    with Visitor(shop) as stranger:
        stranger.sign_up().post(f"{TEAM}/switch", {"account": team_id})
        tried = stranger.post(f"{TEAM}/receipts", {**OF_TEAM, "team_id": team_id})
        forged = buyer.send("POST", f"{TEAM}/receipts", data=OF_TEAM)

    assert (tried.status_code, forged.status_code) == (404, 400)
    assert not any(details_of(shop, team_id).values())


def test_sales_the_archive_and_operators_have_a_team_s_details(shop: Site, buyer: Visitor) -> None:
    team_id = a_team(shop, buyer)
    buyer.post(f"{TEAM}/receipts", OF_TEAM)
    buy(shop, buyer, "cc-1", team_id=team_id)
    month = f"{shop.services.clock.now():%Y-%m}"

    sales = shop.app.test_cli_runner().invoke(args=["sales", "--month", month]).stdout
    [sale] = csv.DictReader(io.StringIO(sales))
    with Visitor(shop) as member, Visitor(shop) as operator:
        join(shop, team_id, member.sign_up(), TeamRole.MEMBER)
        archives = [
            zipfile.ZipFile(io.BytesIO(who.get(f"{GENERAL}/data.zip").content))
            for who in (buyer, member)
        ]
        shop.services.people.roles.grant(operator.sign_up().person.id, Role.ADMIN)
        operator.sign_in()
        page = html.unescape(operator.get(f"/admin/teams/{team_id}").text)
    [of_owner], [of_member] = (
        list(csv.DictReader(io.StringIO(archive.read("teams.csv").decode())))
        for archive in archives
    )

    assert {f"buyer_{name}": text for name, text in OF_TEAM.items()}.items() <= sale.items()
    assert sale["buyer_name"] == "Kijani"
    assert (of_owner["id"], of_owner["role"]) == (team_id, "owner")
    assert OF_TEAM.items() <= of_owner.items()
    assert of_member["role"] == "member"
    assert dict.fromkeys(OF_TEAM, "").items() <= of_member.items()
    assert "On receipts from now on" in page
    for text in OF_TEAM.values():
        assert text in page
