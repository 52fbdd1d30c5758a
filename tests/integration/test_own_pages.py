"""What people find, compare and take away of their own."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace

import pytest

from adapters.flask_web.context import SETTINGS
from adapters.flask_web.web.errors import refusal_of
from creditcore.domain.errors import InsufficientCreditsError
from creditcore.domain.holds import Basis, Outcome
from creditcore.domain.money import Credits
from creditcore.domain.pricing import ModelPrice, Rates, Usage
from creditcore.domain.refusals import RefusedCall
from creditcore.testing.contracts import admit, settle
from creditcore.testing.contracts.fiscal_stamps import STAMP, a_document
from tests.integration.test_access_matrix import Site, Visitor

MILLIONTH = 10**24
RATES = Rates(
    input=MILLIONTH,
    output=2 * MILLIONTH,
    cache_read=MILLIONTH,
    cache_write=MILLIONTH,
    cache_write_1h=MILLIONTH,
    reasoning=2 * MILLIONTH,
)
"""$1 and $2 a million tokens."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def owner(site: Site) -> Visitor:
    """Somebody whose one call has cost 5 microcredits, and whose one receipt is stamped."""
    visitor = site.visitor()
    store, now = site.services.transactions, site.services.clock.now()
    with store.begin() as tx:
        wallet = tx.ledger.find_wallet_of(visitor.person.id)
        tx.prices.replace_all([ModelPrice(model="cheap", rates=RATES, mode="chat")], at=now)
        tx.commit()
    reference = visitor.names["reference"]
    receipt = replace(
        a_document(), reference=reference, purchase=reference, owner_id=visitor.person.id
    )
    with store.begin() as tx:
        tx.documents.add(receipt)
        tx.fiscal_stamps.add(receipt, STAMP)
        tx.commit()
    call = f"call-{visitor.person.id}"
    hold = admit(store, 7, reference=call, wallet_id=wallet.id, now=now)
    usage = Usage(prompt_tokens=1_000, completion_tokens=500)
    outcome = Outcome(status=200, basis=Basis.PROVIDER_USAGE, usage=usage)
    settle(store, hold, 5, outcome=outcome, at=site.services.clock.now())
    return replace(visitor, names=visitor.names | {"call_id": call})


@pytest.fixture(scope="module")
def stranger(site: Site) -> Visitor:
    return site.visitor()


def test_all_that_is_kept_comes_as_one_archive(site: Site, owner: Visitor) -> None:
    answer = owner.client.get("/dashboard/general/data.zip")

    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    texts = {name: archive.read(name).decode() for name in archive.namelist()}
    rows = {
        name: list(csv.DictReader(io.StringIO(text)))
        for name, text in texts.items()
        if name.endswith(".csv")
    }
    profile = json.loads(texts["profile.json"])
    assert (profile["email"], profile["weekly_summary"]) == (owner.person.email, False)
    assert rows["calls.csv"][0]["id"] == owner.names["call_id"]
    assert [row["id"] for row in rows["keys.csv"]] == [owner.names["key_id"]]
    assert [row["reference"] for row in rows["payments.csv"]] == [owner.names["reference"]]
    [document] = rows["documents.csv"]
    assert document["document"] == "R-000001"
    assert (document["total"], document["tax"]) == ("KES 1290.00", "KES 177.93")
    assert document["tax_invoice_number"] == STAMP.invoice_number
    assert document["qr"] == STAMP.qr
    assert [row["kind"] for row in rows["movements.csv"]] == ["signup"]
    assert {row["by"] for row in rows["activity.csv"]} <= {"you", "the site"}
    with site.services.transactions.begin() as tx:
        [key] = tx.keys.list_of(owner.person.id)
    assert key.key_hash.hex() not in answer.data.decode("latin-1")


def test_it_takes_a_fresh_proof(site: Site) -> None:
    someone = site.visitor()
    with site.services.transactions.begin() as tx:
        [session] = tx.sessions.open_of(someone.person.id)
        tx.sessions.save(replace(session, proved_at=session.proved_at.replace(year=2020)))
        tx.commit()

    answer = someone.client.get("/dashboard/general/data.zip")

    assert "/step-up" in answer.headers["Location"]


def test_a_search_finds_ones_own_and_nothing_else(owner: Visitor, stranger: Visitor) -> None:
    call, payment = owner.names["call_id"], owner.names["reference"]
    for text, leads_to in (
        (call, f"/dashboard/calls/{call}"),
        (payment, payment),
        ("laptop", f"/dashboard/keys/{owner.names['key_id']}"),
        ("CHEAP", "/models/cheap"),
    ):
        assert leads_to in owner.client.get(f"/dashboard/search?q={text}").headers["Location"]
    for text in (call, payment, owner.names["key_id"], "%00", "nothing"):
        answer = stranger.client.get(f"/dashboard/search?q={text}")
        assert answer.status_code in (200, 404)
        assert text not in answer.headers.get("Location", "")


def test_a_receipt_says_the_balance_before_and_after(owner: Visitor) -> None:
    page = owner.client.get(f"/dashboard/calls/{owner.names['call_id']}").text

    assert "$2.00</dd>" in page
    assert "$1.99999995</dd>" in page


def test_the_tokens_of_a_month_are_priced_on_other_models(
    owner: Visitor, stranger: Visitor
) -> None:
    page = owner.client.get("/dashboard/analytics/what-if").text

    # 1,000 tokens at $1 and 500 at $2 a million: $0.002, with the usual markup of 1.
    assert "demo: " in page
    assert "$0.002" in page
    assert "Nothing to compare yet" in stranger.client.get("/dashboard/analytics/what-if").text


PROGRAMS = {
    "/dashboard/keys": "/api/v1/keys'",
    "/dashboard/billing": "/api/v1/purchases'",
    "/dashboard/billing/statement": "/api/v1/transactions'",
    "/dashboard/calls/refused": "/api/v1/calls?state=refused&amp;limit=50'",
    "/models": "/api/v1/models'",
}
"""Pages, and the request that gives programs the same."""


@pytest.mark.parametrize("path", PROGRAMS)
def test_each_page_of_figures_has_its_request(owner: Visitor, path: str) -> None:
    page = owner.client.get(path).text.replace("&#39;", "'")

    assert PROGRAMS[path] in page


def test_a_call_that_was_refused_says_what_to_send_instead(site: Site, owner: Visitor) -> None:
    error = InsufficientCreditsError(
        needed=Credits.of(9), available=Credits.of(1), affordable_output_tokens=513
    )
    told = refusal_of(error, base_url="http://here", limit_field="max_output_tokens")
    with site.services.transactions.begin() as tx:
        call = RefusedCall(
            reference="req-refused",
            wallet_id=tx.ledger.find_wallet_of(owner.person.id).id,
            key_id=owner.names["key_id"],
            model="cheap",
            endpoint="/v1/responses",
            status=told.status,
            code=told.code or "",
            message=told.message,
            at=site.services.clock.now(),
        )
        tx.refusals.add(call)
        tx.commit()

    page = owner.client.get("/dashboard/search?q=req-refused", follow_redirects=True).text

    assert 'id="fix-1">&#34;max_output_tokens&#34;: 513</code>' in page


def test_pages_name_the_request_that_gives_the_same(owner: Visitor) -> None:
    assert "/api/v1/credits" in owner.client.get("/dashboard").text
    assert "/api/v1/calls?limit=50" in owner.client.get("/dashboard/calls").text
    page = owner.client.get("/dashboard/analytics?range=24h").text
    assert "/api/v1/usage?group_by=model&amp;since=20" in page


def test_the_page_of_parts_is_for_development_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.app.test_client().get("/_style").status_code == 200
    found = replace(site.app.extensions[SETTINGS], app_env="production")
    monkeypatch.setitem(site.app.extensions, SETTINGS, found)

    assert site.app.test_client().get("/_style").status_code == 404
