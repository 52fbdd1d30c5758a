"""What operators see and do: each act asks, says what changes, and is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.flask_web.web.formatting import dollars
from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.money import Credits, Money
from creditcore.domain.people import Role
from creditcore.domain.purchases import PurchaseState
from creditcore.domain.reviews import Review, ReviewState
from creditcore.testing.contracts import a_purchase
from tests.integration.test_access_matrix import Site, Visitor


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("admin"))


@pytest.fixture(scope="module")
def operator(site: Site) -> Visitor:
    return site.visitor(Role.ADMIN)


@pytest.fixture(scope="module")
def owner(site: Site) -> Visitor:
    return site.visitor()


def available(site: Site, visitor: Visitor) -> Credits:
    with site.services.transactions.begin() as tx:
        return tx.ledger.find_wallet_of(visitor.person.id).available


def acts_on(site: Site, visitor: Visitor) -> list[tuple[str, str]]:
    with site.services.transactions.begin() as tx:
        return [
            (act.act, act.actor.id)
            for act in tx.activity.recent(limit=20, person_id=visitor.person.id)
        ]


def test_every_page_opens_while_there_is_next_to_nothing(operator: Visitor) -> None:
    for path in ("", "/people", "/payments", "/reviews", "/webhooks", "/models", "/teams",
                 "/alerts", "/monitoring", "/jobs", "/activity", "/audit",
                 "/search?q=nothing"):  # fmt: skip
        answer = operator.client.get(f"/admin{path}")
        assert answer.status_code == 200, path
        assert "Operate" not in answer.text or path == ""


@pytest.mark.usefixtures("owner")
def test_the_overview_counts_what_people_may_still_spend(operator: Visitor) -> None:
    page = operator.client.get("/admin?range=24h").text

    assert "Liability" in page
    # What visitors have begun long ago.
    assert "open after" in page
    assert "Nothing needs you." not in page


def test_credits_are_given_once_after_a_preview(
    site: Site, operator: Visitor, owner: Visitor
) -> None:
    address = f"/admin/people/{owner.person.id}/grant"
    before = available(site, owner)
    form = {"credits": "500", "reason": "for the outage", "attempt": "a-1"}

    preview = operator.client.post(address, data=form)
    assert available(site, owner) == before
    for _ in range(2):
        done = operator.client.post(address, data={**form, "confirmed": "yes"})

    after = dollars(before + Credits.of(500))
    assert f"the balance goes from {dollars(before)} to {after}" in preview.text
    assert done.status_code == 302
    assert available(site, owner) == before + Credits.of(500)
    assert acts_on(site, owner)[0] == ("credits.granted", operator.person.id)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"credits": "5", "reason": " "}, "Give a reason"),
        ({"credits": "five", "reason": "x"}, "How many credits"),
        ({"credits": "-5", "reason": "x"}, "Between 0 and"),
        ({"credits": "1e9", "reason": "x"}, "How many credits"),
        ({"credits": "5", "reason": "x" * 151}, "Give a reason"),
    ],
)
def test_a_form_that_cannot_be_read_says_what_is_wrong(
    site: Site, operator: Visitor, owner: Visitor, form: dict[str, str], message: str
) -> None:
    before = available(site, owner)

    answer = operator.client.post(
        f"/admin/people/{owner.person.id}/grant",
        data={**form, "confirmed": "yes", "attempt": "b-1"},
    )

    assert (answer.status_code, available(site, owner)) == (400, before)
    assert message in answer.text


def test_acts_of_money_ask_who_it_is(site: Site, owner: Visitor) -> None:
    operator = site.visitor(Role.ADMIN)
    with site.services.transactions.begin() as tx:
        [session] = tx.sessions.open_of(operator.person.id)
        tx.sessions.save(replace(session, proved_at=session.proved_at.replace(year=2020)))
        tx.commit()

    for method in ("GET", "POST"):
        answer = operator.client.open(f"/admin/people/{owner.person.id}/grant", method=method)
        assert "/step-up" in answer.headers["Location"]
    assert operator.client.get(f"/admin/people/{owner.person.id}").status_code == 200


def test_a_person_is_shut_out_and_let_in_again(site: Site, operator: Visitor) -> None:
    owner = site.visitor()
    for name, is_blocked in (("block", True), ("unblock", False)):
        operator.client.post(
            f"/admin/people/{owner.person.id}/{name}",
            data={"reason": "as they asked", "confirmed": "yes"},
        )
        with site.services.transactions.begin() as tx:
            person = tx.people.find(owner.person.id)
        assert person is not None
        assert person.blocked is is_blocked

    assert [act for act, _ in acts_on(site, owner)][:2] == ["person.unblocked", "person.blocked"]


def test_a_team_is_found_given_credit_and_shut_out(
    site: Site, operator: Visitor, owner: Visitor
) -> None:
    team = site.services.teams.keep.create(owner.person.id, "Kijani Labs")
    key, _ = site.services.keys.issuing.issue(
        team.id, name="of the team", holder_id=owner.person.id
    )
    ask = operator.client

    assert "Kijani Labs" in ask.get("/admin/teams").text
    for text in ("kijani l", team.id, key.id):
        found = ask.post("/admin/search", data={"q": text}, follow_redirects=True)
        assert found.request.path == f"/admin/teams/{team.id}"
    assert owner.person.email in found.text
    assert "of the team" in found.text
    for name, form in (
        ("grant", {"credits": "500", "attempt": "t-1"}),
        ("block", {}),
    ):
        form |= {"reason": "as agreed"}
        assert "Reason: as agreed" in ask.post(f"/admin/teams/{team.id}/{name}", data=form).text
        ask.post(f"/admin/teams/{team.id}/{name}", data={**form, "confirmed": "yes"})

    with site.services.transactions.begin() as tx:
        assert tx.ledger.find_wallet_of(team.id).available == Credits.of(500)
        [kept] = tx.keys.list_of(team.id)
        assert kept.revoked_at is not None
        assert tx.teams.find(team.id).blocked
    page = ask.get(f"/admin/teams/{team.id}").text
    assert "Shut out" in page
    assert "team.blocked" in page
    with owner.client.session_transaction() as cookie:
        cookie["team"] = team.id
    seen = owner.client.get("/dashboard").text
    assert "This team is blocked" in seen
    assert owner.client.post("/dashboard/keys", data={"name": "x"}).status_code == 403
    with owner.client.session_transaction() as cookie:
        del cookie["team"]


def test_operators_cannot_shut_themselves_out(operator: Visitor) -> None:
    answer = operator.client.post(
        f"/admin/people/{operator.person.id}/block", data={"reason": "x", "confirmed": "yes"}
    )

    assert answer.status_code == 400
    assert operator.client.get("/admin").status_code == 200


def test_one_box_finds_everything(operator: Visitor, owner: Visitor) -> None:
    for text, leads_to in (
        (owner.person.email, f"/admin/people/{owner.person.id}"),
        (owner.names["key_id"], f"/admin/people/{owner.person.id}"),
        (owner.names["call_id"], f"/admin/calls/{owner.names['call_id']}"),
        (owner.names["reference"], f"/admin/payments/{owner.names['reference']}"),
    ):
        answer = operator.client.post("/admin/search", data={"q": text}, follow_redirects=True)
        assert answer.request.path == leads_to


def test_a_whole_key_is_refused_before_it_reaches_an_address(
    site: Site, operator: Visitor, owner: Visitor
) -> None:
    _, secret = site.services.keys.issuing.issue(owner.person.id, name="other")

    answer = operator.client.post("/admin/search", data={"q": secret.text})

    assert answer.status_code == 400
    assert secret.text not in answer.text


def test_a_payment_that_was_held_back_is_decided_about(
    site: Site, operator: Visitor, owner: Visitor
) -> None:
    with site.services.transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner.person.id)
        held_back = replace(
            a_purchase(wallet, reference="cc-held-back"),
            state=PurchaseState.UNDER_REVIEW,
            paid=Money(100, "KES"),
            review_reason="too little",
            closed_at=site.services.clock.now(),
        )
        tx.purchases.add(held_back)
        tx.reviews.open(Review.of(held_back, at=site.services.clock.now(), is_reversed=False))
        tx.commit()
    address = "/admin/reviews/cc-held-back"
    form = {"decision": "dismiss", "reason": "paid by bank"}

    assert "cc-held-back" in operator.client.get("/admin/reviews").text
    assert "1 payment waits for a decision" in operator.client.get("/admin").text
    assert operator.client.post(address, data={"decision": "dismiss"}).status_code == 400
    assert "nothing goes back" in operator.client.post(address, data=form).text
    operator.client.post(address, data={**form, "confirmed": "yes"})

    with site.services.transactions.begin() as tx:
        review = tx.reviews.find("cc-held-back")
    assert review is not None
    assert review.state is ReviewState.DISMISSED
    assert ("payment.dismissed", operator.person.id) in acts_on(site, owner)


def test_a_refund_that_is_sent_twice_is_ordered_once(operator: Visitor, owner: Visitor) -> None:
    reference = owner.names["reference"]
    form = {"amount": "12.50", "reason": "as asked", "attempt": "r-1", "confirmed": "yes"}

    first, second = (
        operator.client.post(f"/admin/payments/{reference}/refund", data=form) for _ in range(2)
    )

    # Nothing was paid here, and the provider is away: what counts is that it was asked once.
    assert first.status_code in (400, 502)
    assert "ordered a moment ago" not in first.text
    assert "ordered a moment ago" in second.text


def test_an_alert_is_acknowledged_and_jobs_are_decided_about(site: Site, operator: Visitor) -> None:
    now = site.services.clock.now()
    with site.services.transactions.begin() as tx:
        tx.alerts.add(
            Alert(key="monitor:x", severity=Severity.WARNING, subject="S", message="M", at=now)
        )
        tx.jobs.enqueue("mail", "letter-1", {}, run_at=now)
        tx.commit()

    assert "monitor:x" in operator.client.get("/admin/alerts").text
    operator.client.post("/admin/alerts", data={"key": "monitor:x"})
    assert "monitor:x" not in operator.client.get("/admin/alerts").text
    assert "monitor:x" in operator.client.get("/admin/alerts?all=yes").text
    operator.client.post("/admin/jobs", data={"do": "discard", "name": "mail:letter-1"})
    assert "letter-1" in operator.client.get("/admin/jobs?state=discarded").text


def test_an_audit_that_is_ordered_is_made_and_kept(site: Site, operator: Visitor) -> None:
    operator.client.post("/admin/audit")
    site.services.operations.runner.run_due("audit")

    assert "Clean:" in operator.client.get("/admin/audit").text
    assert "The books are clean" in operator.client.get("/admin").text


def test_an_operator_who_views_an_account_reads_and_nothing_else(
    site: Site, owner: Visitor
) -> None:
    operator = site.visitor(Role.ADMIN)

    begun = operator.client.post(f"/admin/people/{owner.person.id}/view")
    seen = operator.client.get("/dashboard")

    assert begun.headers["Location"] == "/dashboard"
    assert owner.person.email in seen.text
    assert "Stop looking" in seen.text
    for method, path in (
        ("GET", "/admin"),
        ("GET", "/dashboard/security"),
        ("GET", "/dashboard/billing?reference=x"),
        ("GET", "/api/v1/keys"),
        ("POST", "/dashboard/keys"),
        ("POST", "/dashboard/general"),
    ):
        assert operator.client.open(path, method=method).status_code == 403, path
    operator.client.post("/admin/stop-viewing")
    assert operator.person.email in operator.client.get("/dashboard").text
    log = acts_on(site, owner)
    assert ("person.account_viewed", operator.person.id) in log
    assert ("person.viewing_ended", operator.person.id) in log


def test_no_operator_views_an_operators_account(site: Site, operator: Visitor) -> None:
    other = site.visitor(Role.ADMIN)

    operator.client.post(f"/admin/people/{other.person.id}/view")

    assert operator.person.email in operator.client.get("/dashboard").text


def test_a_cookie_that_says_so_makes_no_operator(site: Site, owner: Visitor) -> None:
    other = site.visitor()
    with other.client.session_transaction() as cookie:
        cookie["viewing"] = [owner.person.id, 9e12]

    assert other.person.email in other.client.get("/dashboard").text
