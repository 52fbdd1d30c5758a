"""Teams on pages and in the account API, in this process: each role, and a whole story."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from creditcore.domain.keys import Scope
from creditcore.domain.limits import Period, SpendLimit
from creditcore.domain.money import Credits
from creditcore.domain.people import Role
from creditcore.domain.teams import Membership, TeamRole
from creditcore.testing.contracts import NOON
from creditcore.usecases.teams.membership_terms import begin_counting
from tests.integration.test_access_matrix import Site, Visitor

ROLES: tuple[TeamRole | None, ...] = (None, *TeamRole)
"""An outsider, then from a viewer to an owner."""

TEAM = "/dashboard/team"
LEAST = {
    ("GET", TEAM): TeamRole.VIEWER,
    ("GET", "/dashboard/analytics"): TeamRole.VIEWER,
    ("GET", "/dashboard/calls"): TeamRole.VIEWER,
    ("GET", "/dashboard/billing"): TeamRole.VIEWER,
    ("GET", "/dashboard/billing/statement"): TeamRole.VIEWER,
    ("GET", "/api/v1/credits"): TeamRole.VIEWER,
    ("GET", "/api/v1/usage"): TeamRole.VIEWER,
    ("GET", "/dashboard/keys"): TeamRole.MEMBER,
    ("POST", "/dashboard/keys/pause-all"): TeamRole.MEMBER,
    ("POST", "/api/v1/pause-all-keys"): TeamRole.MEMBER,
    ("GET", "/api/v1/purchases"): TeamRole.ADMIN,
    ("POST", "/api/checkout/start"): TeamRole.ADMIN,
    ("POST", "/api/checkout/mpesa"): TeamRole.ADMIN,
    ("POST", "/api/checkout/cc-1/answer"): TeamRole.ADMIN,
    ("POST", "/dashboard/billing/notices"): TeamRole.ADMIN,
    ("GET", "/dashboard/billing/receipts/cc-1"): TeamRole.ADMIN,
    ("GET", "/dashboard/billing/payments/cc-1"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/rename"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/receipts"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/invite"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/invitations/i-1/resend"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/invitations/i-1/revoke"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/members/p-1/role"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/members/p-1/limit"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/members/p-1/raise"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/members/p-1/remove"): TeamRole.ADMIN,
    ("POST", f"{TEAM}/transfer"): TeamRole.OWNER,
    ("POST", f"{TEAM}/delete"): TeamRole.OWNER,
}
"""What each takes. Nothing of it does anything: the objects are not there, or the form is empty."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


@dataclass
class Office:
    """A team with a visitor of each role, all of whom have chosen it."""

    site: Site
    team_id: str
    visitors: dict[TeamRole | None, Visitor]
    operator: Visitor

    def client(self, role: TeamRole | None) -> FlaskClient:
        return self.visitors[role].client


@pytest.fixture(scope="module")
def office(site: Site) -> Office:
    visitors = {role: site.visitor() for role in ROLES}
    owner = visitors[TeamRole.OWNER]
    team = site.services.teams.keep.create(owner.person.id, "Mwangaza")
    for role, visitor in visitors.items():
        if role not in {None, TeamRole.OWNER}:
            join(site, team.id, visitor, role)
        switch(visitor.client, team.id)
    operator = site.visitor(Role.ADMIN)
    switch(operator.client, team.id)
    return Office(site, team.id, visitors, operator)


def join(site: Site, team_id: str, visitor: Visitor, role: TeamRole | None) -> None:
    assert role is not None
    with site.services.transactions.begin() as tx:
        row = Membership(team_id=team_id, person_id=visitor.person.id, role=role, joined_at=NOON)
        tx.teams.put(row)
        wallet = tx.ledger.find_wallet_of(team_id)
        begin_counting(tx, wallet, visitor.person, None, now=site.services.clock.now())
        tx.commit()


def switch(client: FlaskClient, account: str) -> TestResponse:
    return client.post(f"{TEAM}/switch", data={"account": account})


def ask(client: FlaskClient, method: str, path: str, **data: Any) -> TestResponse:
    if path.startswith("/api/"):
        with client.session_transaction() as cookie:
            cookie["csrf_token"] = "of this visitor"
        signer = URLSafeTimedSerializer(client.application.secret_key, salt="wtf-csrf-token")
        headers = {"X-CSRFToken": signer.dumps("of this visitor"), "Accept": "application/json"}
        json = data or ({} if method == "POST" and "checkout" in path else None)
        return client.open(path, method=method, json=json, headers=headers)
    return client.open(path, method=method, data=data or None)


@pytest.mark.parametrize(("method", "path"), LEAST)
def test_each_role_may_do_this_and_nothing_else(office: Office, method: str, path: str) -> None:
    least = LEAST[method, path]
    for role in ROLES[1:]:
        answer = ask(office.client(role), method, path)
        is_refused = answer.status_code == 403
        assert role is not None
        assert is_refused is (role.rank < least.rank), f"{role}: {answer.status}"
        assert answer.status_code != 500
    if path.startswith(f"{TEAM}/"):
        # To others, and to the operator, there is no such thing.
        for visitor in (office.visitors[None], office.operator):
            assert ask(visitor.client, method, path).status_code == 404
    anonymous = ask(office.site.app.test_client(), method, path)
    assert anonymous.status_code in {302, 401, 403}


def test_an_outsider_never_sees_the_account_of_a_team(office: Office) -> None:
    for visitor in (office.visitors[None], office.operator):
        page = visitor.client.get("/dashboard").get_data(as_text=True)
        assert "Mwangaza" not in page
        assert "Mwangaza" not in visitor.client.get(TEAM).get_data(as_text=True)


def test_a_form_of_the_account_before_is_refused(site: Site) -> None:
    visitor = site.visitor()
    team = site.services.teams.keep.create(visitor.person.id, "Two tabs")
    site.app.config["WTF_CSRF_ENABLED"] = True
    try:
        token = token_in(visitor.client.get("/dashboard/keys"))
        answer = visitor.client.post(
            f"{TEAM}/switch", data={"account": team.id, "csrf_token": token}
        )
        assert answer.status_code == 302
        late = visitor.client.post("/dashboard/keys/pause-all", data={"csrf_token": token})
        assert late.status_code == 400
        assert "out of date" in late.get_data(as_text=True)
        token = token_in(visitor.client.get("/dashboard/keys"))
        now = visitor.client.post("/dashboard/keys/pause-all", data={"csrf_token": token})
        assert now.status_code == 302
    finally:
        site.app.config["WTF_CSRF_ENABLED"] = False


def token_in(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))
    assert found
    return found[1]


def test_from_a_team_that_is_made_to_a_member_who_leaves(site: Site) -> None:
    amina, baraka = site.visitor(), site.visitor()
    made = {"name": "Nairobi Office", "team_id": "01a22844-3c0d-7f59-bc2b-84b1bc207687"}
    for _ in range(2):
        assert amina.client.post(TEAM, data=made).status_code == 302
    assert "Nairobi Office" in amina.client.get("/dashboard").get_data(as_text=True)

    answer = amina.client.post(
        f"{TEAM}/invite",
        data={"email": baraka.person.email, "role": "member", "limit": "2.50", "period": "week"},
    )
    link = unescape(re.search(r'id="invitation-link">([^<]+)<', answer.get_data(as_text=True))[1])  # type: ignore[index]
    token = parse_qs(urlsplit(link.strip()).query)["token"][0]
    jobs = site.services.operations.jobs.listing(kind="mail_invitation", limit=9)
    assert len(jobs) == 1
    assert token.partition(".")[2] not in repr(jobs)

    stranger = site.app.test_client().get("/join", query_string={"token": token})
    assert "Sign in to join" in stranger.get_data(as_text=True)
    mine = baraka.client.get("/join", query_string={"token": token}).get_data(as_text=True)
    assert "Join Nairobi Office" in mine
    assert "$2.50" in mine
    other = site.visitor().client.post("/join/accept", data={"token": token})
    assert other.status_code == 400
    assert baraka.client.post("/join/accept", data={"token": token}).status_code == 302
    assert baraka.client.get("/join", query_string={"token": token}).status_code == 404

    new = baraka.client.post("/dashboard/keys", data={"name": "laptop", "key_id": made["team_id"]})
    secret = re.search(r'id="new-secret">([^<]+)<', new.get_data(as_text=True))[1]  # type: ignore[index]
    spoken = {"Authorization": f"Bearer {secret}"}
    with site.services.transactions.begin() as tx:
        team_wallet = tx.ledger.find_wallet_of(made["team_id"])
    site.services.books.grants.grant(
        team_wallet.id, Credits.of(30), reference="team", reason="A gift"
    )
    api = site.app.test_client()
    assert api.get("/api/v1/credits", headers=spoken).json["available"] == "30"
    assert "Nairobi Office" in baraka.client.get("/dashboard").get_data(as_text=True)

    members = amina.client.get(TEAM).get_data(as_text=True)
    assert "$0.00 of $2.50 a week" in members
    for path, data in (
        ("limit", {"limit": "1", "period": "day"}),
        ("raise", {"amount": "0.25"}),
        ("role", {"role": "admin"}),
    ):
        url = f"{TEAM}/members/{baraka.person.id}/{path}"
        assert amina.client.post(url, data=data).status_code == 302
    assert "$0.00 of $1.25 a day" in amina.client.get(TEAM).get_data(as_text=True)
    refused = amina.client.post(f"{TEAM}/members/{baraka.person.id}/limit", data={"limit": "much"})
    assert refused.status_code == 400
    assert "Write dollars" in refused.get_data(as_text=True)

    assert amina.client.post(f"{TEAM}/leave").status_code == 400
    assert baraka.client.post(f"{TEAM}/leave").status_code == 302
    assert api.get("/api/v1/credits", headers=spoken).status_code == 401
    assert "have left Nairobi Office" in baraka.client.get("/dashboard").get_data(as_text=True)
    assert "Nairobi Office" not in baraka.client.get("/dashboard").get_data(as_text=True)
    assert amina.client.post(f"{TEAM}/delete", data={"confirm": "x"}).status_code == 400
    assert (
        amina.client.post(f"{TEAM}/delete", data={"confirm": "Nairobi Office"}).status_code == 302
    )
    assert amina.client.get("/dashboard").status_code == 200


def test_a_key_of_a_team_reads_the_team_as_far_as_its_holder_may(office: Office) -> None:
    site, api = office.site, office.site.app.test_client()
    daudi, eshe = office.visitors[TeamRole.MEMBER].person, office.visitors[TeamRole.ADMIN].person
    limit = SpendLimit(credits=Credits.of(500), period=Period.MONTH)
    site.services.teams.members.limit(office.team_id, daudi.id, limit, by=eshe.id)
    spoken = {}
    for person in (daudi, eshe):
        _, secret = site.services.keys.issuing.issue(
            office.team_id, name="reader", holder_id=person.id, scopes=tuple(Scope)
        )
        spoken[person.id] = {"Authorization": f"Bearer {secret.text}"}

    team = api.get("/api/v1/team", headers=spoken[daudi.id]).json
    assert (team["name"], team["role"], len(team["members"])) == ("Mwangaza", "member", 4)
    [mine] = [row for row in team["members"] if row["id"] == daudi.id]
    assert (mine["limit"], mine["spent"], mine["keys"]) == ("500", "0", 1)
    limits = api.get("/api/v1/limits", headers=spoken[daudi.id]).json
    assert (limits["member"]["remaining"], limits["credit_balance"]) == ("500", "0")

    def holders(headers: dict[str, str]) -> int:
        return len(api.get("/api/v1/keys", headers=headers).json["data"])

    assert (holders(spoken[daudi.id]), holders(spoken[eshe.id])) == (1, 2)
    assert api.get("/api/v1/purchases", headers=spoken[daudi.id]).status_code == 403
    assert api.get("/api/v1/purchases", headers=spoken[eshe.id]).json["data"] == []
    made = api.post("/api/v1/keys", headers=spoken[daudi.id], json={"name": "another"}).json
    with site.services.transactions.begin() as tx:
        key = tx.keys.find(made["id"], owner_id=office.team_id)
    assert key.holder_id == daudi.id
    own = office.visitors[None].client.get("/api/v1/team")
    assert own.status_code == 404


def test_operators_see_teams_and_appoint_owners(office: Office) -> None:
    run = office.site.app.test_cli_runner().invoke
    viewer = office.visitors[TeamRole.VIEWER].person

    listed = run(args=["team", "list", "--email", viewer.email, "--json"])
    assert json.loads(listed.output)["teams"][0]["id"] == office.team_id
    given = run(args=["grant", "--team", office.team_id, "--credits", "5", "--reason", "A gift"])
    assert "Mwangaza got 5" in given.output
    assert run(args=["grant", "--credits", "5", "--reason", "A gift"]).exit_code == 2
    outsider = office.visitors[None].person
    refused = run(args=["team", "appoint", office.team_id, "--email", outsider.email])
    assert "is no member of this team" in refused.output
    made = run(args=["team", "appoint", office.team_id, "--email", viewer.email])
    assert made.exit_code == 0
    shown = json.loads(run(args=["team", "show", office.team_id, "--json"]).output)
    roles = {row["email"]: row["role"] for row in shown["members"]}
    assert (roles[viewer.email], shown["available"]) == ("owner", "5")
    assert viewer.email in run(args=["team", "show", office.team_id]).output
