"""Operators invite, ban, help who lost the app, and sign people out, by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from creditcore.domain.identities import NeedsSecondFactor, SignedIn
from creditcore.testing.contracts.identity_house import totp
from tests.integration.test_access_matrix import Site, Visitor

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    mail = {"MAIL_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "no-reply@house.example"}
    return Site(tmp_path_factory.mktemp("commands"), **mail)


@pytest.fixture
def member(site: Site) -> Visitor:
    return site.visitor()


def run(site: Site, command: str, *options: str) -> Result:
    return site.app.test_cli_runner().invoke(args=["user", command, *options])


def facts(site: Site, command: str, member: Visitor, *options: str) -> dict[str, object]:
    done = run(site, command, "--email", member.person.email, *options, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.output)
    assert (found["act"], found["id"]) == (command, member.person.id)
    return found


def is_signed_in(member: Visitor) -> bool:
    return member.client.get("/dashboard").status_code == 200


def last_act(site: Site, member: Visitor) -> tuple[str, str, dict[str, object]]:
    with site.services.transactions.begin() as tx:
        [found] = tx.activity.recent(limit=1, person_id=member.person.id)
    return found.act, found.actor.id, dict(found.after)


def enrol(site: Site, member: Visitor) -> None:
    identity = site.services.identity
    outcome = identity.sign_in(member.person.email, PASSWORD)
    assert isinstance(outcome, SignedIn)
    begun = identity.begin_second_factor(outcome.grant)
    code = totp(begun.secret, site.services.clock.now())
    identity.confirm_second_factor(outcome.grant, begun.id, code)


def test_who_is_invited_gets_a_mail_and_a_repeat_is_no_fault(site: Site) -> None:
    for _ in range(2):
        done = run(site, "invite", "--email", "New@Example.com", "--json")
        assert done.exit_code == 0, done.output

    invited = json.loads(done.output)
    assert (invited["act"], invited["email"]) == ("invite", "new@example.com")
    with site.services.transactions.begin() as tx:
        kinds = [
            job.payload["kind"] for job in tx.jobs.listing(limit=10) if job.kind == "mail_link"
        ]
    assert kinds == ["invite"]


def test_who_has_an_account_is_not_invited(site: Site, member: Visitor) -> None:
    done = run(site, "invite", "--email", member.person.email)

    assert done.exit_code == 1
    assert "has an account already" in done.output


def test_without_mail_no_person_is_invited(tmp_path: Path) -> None:
    done = run(Site(tmp_path), "invite", "--email", "new@example.com")

    assert done.exit_code == 1
    assert "set MAIL_URL first" in done.output


@pytest.mark.parametrize("length", [(), ("--for", "24h")], ids=["for good", "for a day"])
def test_who_is_banned_is_out_until_unbanned(
    site: Site, member: Visitor, length: tuple[str, ...]
) -> None:
    banned = facts(site, "ban", member, "--reason", "Card fraud", *length)
    out = is_signed_in(member)
    tried = site.app.test_client().post(
        "/sign-in", data={"email": member.person.email, "password": PASSWORD}
    )
    noted = last_act(site, member)
    facts(site, "unban", member)

    assert banned["sessions_ended"] == 1
    assert (banned["until"] is None) == (not length)
    assert (out, tried.status_code) == (False, 401)
    assert noted[:2] == ("person.banned", "command line")
    assert noted[2]["reason"] == "Card fraud"
    assert isinstance(site.services.identity.sign_in(member.person.email, PASSWORD), SignedIn)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--reason", " "), "A ban has a reason."),
        (("--reason", "x", "--for", "1 day"), "write it like 24h or 30d"),
        (("--reason", "x", "--for", "0h"), "write it like 24h or 30d"),
    ],
)
def test_a_ban_that_cannot_be_is_explained(
    site: Site, member: Visitor, options: tuple[str, ...], said: str
) -> None:
    done = run(site, "ban", "--email", member.person.email, *options)

    assert done.exit_code == 1
    assert said in done.output
    assert is_signed_in(member)


def test_who_lost_the_app_signs_in_with_the_password_again(site: Site, member: Visitor) -> None:
    enrol(site, member)
    needs = site.services.identity.sign_in(member.person.email, PASSWORD)

    removed = facts(site, "remove-second-factor", member, "--reason", "Passport seen")
    again = facts(site, "remove-second-factor", member, "--reason", "Passport seen")

    assert isinstance(needs, NeedsSecondFactor)
    assert (removed["removed"], again["removed"]) == (True, False)
    assert not is_signed_in(member)
    assert last_act(site, member)[0] == "person.second_factor_removed"
    assert isinstance(site.services.identity.sign_in(member.person.email, PASSWORD), SignedIn)


def test_a_person_is_signed_out_everywhere(site: Site, member: Visitor) -> None:
    ended = facts(site, "sign-out", member)
    again = run(site, "sign-out", "--email", member.person.email)

    assert ended["sessions_ended"] == 1
    assert "0 sessions ended" in again.output
    assert not is_signed_in(member)
    assert last_act(site, member)[:2] == ("person.sessions_ended", "command line")


def test_a_new_password_is_noted(site: Site, member: Visitor) -> None:
    done = facts(site, "password", member, "--password", "another teapot of brass")

    assert done["sessions_ended"] == 1
    assert "another teapot" not in json.dumps(done)
    assert last_act(site, member)[0] == "person.password_set"


@pytest.mark.parametrize(
    ("command", "options"),
    [("grant-role", ("--role", "admin")), ("block", ("--reason", "Fraud")), ("unblock", ())],
)
def test_every_act_can_be_read_by_machines(
    site: Site, member: Visitor, command: str, options: tuple[str, ...]
) -> None:
    facts(site, command, member, *options)


@pytest.mark.parametrize(
    "command", ["ban --reason x", "unban", "remove-second-factor --reason x", "sign-out"]
)
def test_an_address_without_an_account_is_said(site: Site, command: str) -> None:
    name, *options = command.split()

    done = run(site, name, "--email", "nobody@example.com", *options)

    assert done.exit_code == 1
    assert "has no account here" in done.output
