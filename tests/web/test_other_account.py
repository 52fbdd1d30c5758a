"""An address that says whose account it means is shown of no other one."""

from __future__ import annotations

import html
import re

import pytest

from tests.visitors import Visitor
from tests.web.site import Site

ANALYTICS = "/dashboard/analytics?range=custom&from=2026-11-23&to=2026-11-29"
TITLE = "This is about another account"


def a_team(site: Site, owner: Visitor) -> str:
    return site.services.teams.keep.create(owner.person.id, "Kijani").id


def switched_by(page: str) -> dict[str, str]:
    """Return what the page's own form would send."""
    form = page.partition('<form class="actions"')[2].partition("</form>")[0]
    fields = re.findall(r'<(?:input|button)[^>]* name="(\w+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in fields}


def test_a_link_about_a_team_leads_there_once_its_reader_switches(
    site: Site, member: Visitor
) -> None:
    team_id = a_team(site, member)
    address = f"{ANALYTICS}&account={team_id}"

    offered = member.get(address)
    still = member.get("/dashboard")
    form = switched_by(offered.text)
    answer = member.send("POST", "/dashboard/team/switch", data=form)
    shown = member.get(answer.headers["location"])

    assert TITLE in offered.text
    assert "The team&rsquo;s account" not in still.text
    assert (form["account"], form["next"], answer.headers["location"]) == (
        team_id,
        address,
        address,
    )
    assert TITLE not in shown.text
    assert "The team&rsquo;s account" in shown.text
    assert 'value="2026-11-23"' in shown.text


def test_a_link_about_ones_own_account_leads_out_of_a_team(site: Site, member: Visitor) -> None:
    member.post("/dashboard/team/switch", {"account": a_team(site, member)})

    offered = member.get(f"/dashboard/billing?account={member.person.id}")
    member.send("POST", "/dashboard/team/switch", data=switched_by(offered.text))

    assert "<strong>your own account</strong>" in offered.text
    assert "The team&rsquo;s account" not in member.get("/dashboard").text


@pytest.mark.parametrize("named", [False, True])
def test_a_link_to_what_one_is_in_already_changes_nothing(member: Visitor, named: bool) -> None:
    page = member.get(f"/dashboard/billing?account={member.person.id if named else ''}")

    assert page.status_code == 200
    assert "<h1>Billing" in page.text


def test_what_one_is_not_in_is_said_alike_whether_it_is_there_or_not(
    site: Site, member: Visitor, stranger: Visitor
) -> None:
    team_id = a_team(site, stranger.sign_up())

    anothers, unknown = (
        member.get(f"/dashboard/billing?account={named}") for named in (team_id, "x")
    )

    for page in (anothers, unknown):
        assert page.status_code == 404
        assert "<h1>You are not in that account</h1>" in page.text
        assert "Kijani" not in page.text
        assert "/api/checkout/start" not in page.text


def test_a_team_that_one_has_left_is_not_taken_for_ones_own_account(
    site: Site, member: Visitor
) -> None:
    team_id = a_team(site, member)
    site.services.teams.keep.delete(team_id, "Kijani", by=member.person.id)

    page = member.get(f"/dashboard/billing?account={team_id}")

    assert "<h1>You are not in that account</h1>" in page.text


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil", ""])
def test_switching_leads_to_no_other_site(site: Site, member: Visitor, wanted: str) -> None:
    form = {"account": a_team(site, member), "next": wanted}

    answer = member.post("/dashboard/team/switch", form)

    assert answer.headers["location"] == "/dashboard"


def test_who_has_to_sign_in_first_is_led_to_it_afterwards(site: Site, member: Visitor) -> None:
    team_id = a_team(site, member)
    with Visitor(site) as elsewhere:
        elsewhere.email = member.email
        asked = elsewhere.get(f"/dashboard/billing?account={team_id}")

        assert f"account%3D{team_id}" in asked.headers["location"]
