"""Teams through the account API: a whole story by keys alone, and what each role is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from creditcore.domain.keys import Scope
from creditcore.domain.limits import KeyLimits
from creditcore.domain.teams import TeamRole
from tests.integration.test_access_matrix import Site, Visitor
from tests.integration.test_team_pages import ask, join, switch

ALL = (Scope.ACCOUNT_READ, Scope.ACCOUNT_MANAGE)
WRITES = {
    ("PATCH", "team"): (TeamRole.ADMIN, {"name": "Kijani"}),
    ("GET", "team/invitations"): (TeamRole.ADMIN, None),
    ("POST", "team/invitations"): (TeamRole.ADMIN, {"email": "chiku@example.com"}),
    ("POST", "team/invitations/i-1/resend"): (TeamRole.ADMIN, {}),
    ("DELETE", "team/invitations/i-1"): (TeamRole.ADMIN, None),
    ("PATCH", "team/members/p-1"): (TeamRole.ADMIN, {"role": "viewer"}),
    ("PUT", "team/members/p-1/limit"): (TeamRole.ADMIN, {"limit": None}),
    ("POST", "team/members/p-1/raise"): (TeamRole.ADMIN, {"credits": "5"}),
    ("DELETE", "team/members/p-1"): (TeamRole.ADMIN, None),
    ("POST", "team/transfer"): (TeamRole.OWNER, {"member_id": "p-1"}),
    ("DELETE", "team?confirm=Another"): (TeamRole.OWNER, None),
}
"""What each takes. None of it does anything: what is named is not there."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


class Program:
    """A program with a key."""

    def __init__(self, client: FlaskClient, secret: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {secret}"}

    def call(self, method: str, path: str, json: Any = None) -> TestResponse:
        return self._client.open(f"/api/v1/{path}", method=method, json=json, headers=self._headers)


def program_of(site: Site, visitor: Visitor, team_id: str = "", **terms: Any) -> Program:
    me = visitor.person.id
    holder = {"holder_id": me} if team_id else {}
    _, secret = site.services.keys.issuing.issue(
        team_id or me, name="program", scopes=ALL, **holder, **terms
    )
    return Program(site.app.test_client(), secret.text)


def test_a_team_is_made_filled_handed_over_and_deleted_by_programs(site: Site) -> None:
    amina, baraka = site.visitor(), site.visitor()
    hers, his = program_of(site, amina), program_of(site, baraka)
    other = program_of(site, site.visitor())

    made = hers.call("POST", "teams", {"name": "Kijani Labs"}).json
    assert made["team"]["role"] == "owner"
    team = Program(site.app.test_client(), made["key"]["key"])
    invited = team.call(
        "POST",
        "team/invitations",
        {"email": baraka.person.email, "limit": {"credits": "500", "period": "week"}},
    )
    assert invited.status_code == 201
    assert (
        other.call("POST", "invitations/accept", {"token": invited.json["url"]}).status_code == 400
    )
    again = team.call("POST", f"team/invitations/{invited.json['id']}/resend", {}).json
    assert his.call("POST", "invitations/accept", {"token": invited.json["url"]}).status_code == 400
    [waiting] = team.call("GET", "team/invitations").json["data"]
    assert (waiting["works"], "url" in waiting) == (True, False)
    joined = his.call("POST", "invitations/accept", {"token": again["url"]}).json
    assert (joined["name"], joined["role"]) == ("Kijani Labs", "member")

    him = f"team/members/{baraka.person.id}"
    limited = team.call("PUT", f"{him}/limit", {"limit": {"credits": "10", "period": "day"}}).json
    assert (limited["limit"], limited["raised"]) == ("10", "0")
    assert team.call("POST", f"{him}/raise", {"credits": "2.5"}).json["raised"] == "2.5"
    spelt = team.call("POST", f"{him}/raise", {"credits": "1e3"})
    assert spelt.json["error"]["message"].startswith(
        'credits: Write credits as decimal text, such as "12'
    )
    beyond = team.call("POST", f"{him}/raise", {"credits": "999999999998"})
    assert (beyond.status_code, beyond.json["error"]["code"]) == (400, "invalid_request")
    assert team.call("PUT", f"{him}/limit", {"limit": None}).json["limit"] is None
    assert team.call("PATCH", him, {"role": "admin"}).json["role"] == "admin"
    assert team.call("PATCH", "team", {"name": "Kijani Works"}).json["name"] == "Kijani Works"
    assert team.call("POST", "team/leave").status_code == 400
    assert team.call("POST", "team/transfer", {"member_id": baraka.person.id}).json["role"] == (
        "admin"
    )
    assert team.call("POST", "team/leave").json == {"keys_revoked": 1}
    assert team.call("GET", "team").status_code == 401

    theirs = program_of(site, baraka, made["team"]["id"])
    assert theirs.call("DELETE", "team?confirm=Kijani").status_code == 400
    deleted = theirs.call("DELETE", "team?confirm=Kijani+Works")
    assert deleted.json == {"id": made["team"]["id"], "deleted": True}
    assert theirs.call("GET", "team").status_code == 401


def test_each_role_writes_this_and_nothing_else(site: Site) -> None:
    owner = site.visitor()
    team = site.services.teams.keep.create(owner.person.id, "Mwangaza")
    programs = {TeamRole.OWNER: program_of(site, owner, team.id)}
    for role in (TeamRole.MEMBER, TeamRole.ADMIN):
        visitor = site.visitor()
        join(site, team.id, visitor, role)
        programs[role] = program_of(site, visitor, team.id)
    outsider = program_of(site, site.visitor())

    wrong = []
    for (method, path), (least, body) in WRITES.items():
        if outsider.call(method, path, body).status_code != 404:
            wrong.append((method, path, "outsider"))
        for role, program in programs.items():
            answer = program.call(method, path, body)
            is_refused = answer.status_code == 403
            if is_refused is not (role.rank < least.rank) or answer.status_code == 500:
                wrong.append((method, path, role, answer.status_code))

    assert wrong == []


@pytest.mark.parametrize("token", ["http://[", "http://x\u2100/?token=y", "?token=", "\0"])
def test_what_is_no_token_opens_no_team(site: Site, token: str) -> None:
    program = program_of(site, site.visitor())

    answer = program.call("POST", "invitations/accept", {"token": token})

    assert (answer.status_code, answer.json["error"]["code"]) == (400, "invitation_refused")


def test_a_key_of_a_team_does_nothing_of_its_holders_own(site: Site) -> None:
    amina = site.visitor()
    team = site.services.teams.keep.create(amina.person.id, "Mwangaza")
    program = program_of(site, amina, team.id)

    for path, body in (("teams", {"name": "Another"}), ("invitations/accept", {"token": "x"})):
        assert program.call("POST", path, body).status_code == 403


def test_a_key_that_makes_a_team_gives_no_more_than_it_has(site: Site) -> None:
    limits = KeyLimits(addresses=("127.0.0.1/32",))
    program = program_of(site, site.visitor(), limits=limits)

    made = program.call("POST", "teams", {"name": "Kijani Labs"}).json

    assert made["key"]["allowed_ips"] == ["127.0.0.1/32"]


def test_a_viewer_leaves_in_a_session_as_on_the_page(site: Site) -> None:
    amina, baraka = site.visitor(), site.visitor()
    team = site.services.teams.keep.create(amina.person.id, "Mwangaza")
    join(site, team.id, baraka, TeamRole.VIEWER)
    switch(baraka.client, team.id)

    assert ask(baraka.client, "POST", "/api/v1/pause-all-keys").status_code == 403
    assert ask(baraka.client, "POST", "/api/v1/team/leave").json == {"keys_revoked": 0}
    gone = ask(baraka.client, "GET", "/api/v1/team")
    assert gone.status_code == 404
    assert gone.json["error"]["message"].startswith("This account is a person's own.")


def test_a_refusal_names_the_field_that_the_program_sent(site: Site) -> None:
    amina, baraka = site.visitor(), site.visitor()
    team = site.services.teams.keep.create(amina.person.id, "Mwangaza")
    join(site, team.id, baraka, TeamRole.MEMBER)
    program = program_of(site, amina, team.id)

    for path, body in (
        (f"team/members/{baraka.person.id}/raise", {"credits": "0"}),
        (f"team/members/{baraka.person.id}/raise", {"credits": "5"}),
        ("team/transfer", {"member_id": amina.person.id}),
    ):
        answer = program.call("POST", path, body)
        assert answer.status_code == 400
        assert answer.json["error"]["param"] in body
