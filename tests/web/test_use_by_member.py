"""Who of a team spent what: page, CSV and API, to owners and to those who see only themselves."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from adapters.flask_web.web.figures import paid_total
from creditcore.domain.keys import Scope
from creditcore.domain.money import Credits
from creditcore.domain.people import Person
from creditcore.domain.teams import Membership, TeamRole
from creditcore.ports.usage_hours import no_key_of
from creditcore.testing.contracts.usage_hours import Made, make
from creditcore.usecases.teams.membership_terms import begin_counting
from tests.visitors import Visitor
from tests.web.site import Site

SPENT = {"owner": [90, 7], "member": [60], "left": [100, 33, 2], "playground": [11]}
"""Microcredits of one call with each key; those of the playground were kept of nobody."""

ASKED = {"owner": 5, "member": 4}
"""Microcredits of one call in the playground."""

ORDER = ("left", "owner", "member", "playground")
"""The most expensive first."""

MEMBERS = re.compile(r'aria-labelledby="by-member".*?</section>', re.DOTALL)
ROW = re.compile(r'<span class="lead break">([^<]+)<.*?data-label="Paid">([^<]+)<', re.DOTALL)


@dataclass(frozen=True)
class Team:
    """A team in which three people and the playground have spent, and one has left since."""

    id: str
    visitors: dict[str, Visitor]
    key_ids: dict[str, list[str]]
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def team(site: Site) -> Iterator[Team]:
    with ExitStack() as stack:
        visitors = {
            who: stack.enter_context(Visitor(site)).sign_up() for who in ("owner", "member", "left")
        }
        made = site.services.teams.keep.create(visitors["owner"].person.id, "Mwangaza")
        for who in ("member", "left"):
            join(site, made.id, called(site, visitors[who].person, "Baraka"))
        key_ids, secrets = {}, {}
        for who, visitor in visitors.items():
            issued = [
                site.services.keys.issuing.issue(
                    made.id,
                    name=f"{who} {number}",
                    holder_id=visitor.person.id,
                    scopes=[Scope.INFERENCE, Scope.ACCOUNT_READ],
                )
                for number, _ in enumerate(SPENT[who])
            ]
            key_ids[who] = [key.id for key, _ in issued]
            secrets[who] = issued[0][1].text
            visitor.post("/dashboard/team/switch", {"account": made.id})
        with site.store.begin() as tx:
            wallet = tx.ledger.find_wallet_of(made.id)
        site.services.books.grants.grant(
            wallet.id, Credits.of(1), reference=f"gift:{made.id}", reason="A gift"
        )
        for who, costs in SPENT.items():
            for key_id, cost in zip(key_ids.get(who, [None]), costs, strict=True):
                a_call(site, wallet.id, key_id, cost)
        for who, cost in ASKED.items():
            a_call(site, wallet.id, None, cost, member_id=visitors[who].person.id)
        site.services.teams.members.leave(made.id, visitors["left"].person.id)
        yield Team(made.id, visitors, key_ids, secrets)


def called(site: Site, person: Person, name: str) -> Person:
    named = replace(person, name=name)
    with site.store.begin() as tx:
        tx.people.lock(person.id)
        tx.people.save(named)
        tx.commit()
    return named


def join(site: Site, team_id: str, person: Person) -> None:
    now = site.services.clock.now()
    with site.store.begin() as tx:
        tx.teams.put(
            Membership(team_id=team_id, person_id=person.id, role=TeamRole.MEMBER, joined_at=now)
        )
        begin_counting(tx, tx.ledger.find_wallet_of(team_id), person, None, now=now)
        tx.commit()


def a_call(
    site: Site, wallet_id: str, key_id: str | None, cost: int, *, member_id: str = ""
) -> None:
    began = site.services.clock.now() - timedelta(minutes=2)
    make(
        site.store,
        Made(
            reference=f"call-{uuid4().hex}",
            wallet_id=wallet_id,
            began=began,
            key_id=key_id,
            member_id=member_id,
            cost=cost,
        ),
    )


def shown(page: str) -> list[tuple[str, str]]:
    section = MEMBERS.search(page)
    return ROW.findall(section[0]) if section else []


def usage(team: Team, who: str, **more: str) -> dict[str, Any]:
    answer = team.visitors[who].get(
        "/api/v1/usage",
        params={"group_by": "member", **more},
        headers={"authorization": f"Bearer {team.secrets[who]}"},
    )
    return dict(answer.json())


def amounts(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    return {row["member"]: Credits.parse(row["charge"]).microcredits for row in rows}


def names_of(team: Team) -> list[str]:
    member, left = team.visitors["member"].email, team.visitors["left"].email
    return [
        f"Baraka <{left}> (former member)",
        team.visitors["owner"].email,
        f"Baraka <{member}>",
        "Playground",
    ]


def test_an_owner_sees_what_each_member_used_also_one_who_left(site: Site, team: Team) -> None:
    owner = team.visitors["owner"]
    page = owner.get("/dashboard/analytics", params={"group": "member"}).text
    spent = [sum(SPENT[who]) + ASKED.get(who, 0) for who in ORDER]
    escaped = [name.replace("<", "&lt;").replace(">", "&gt;") for name in names_of(team)]
    with site.app.app_context():
        paid = [paid_total(Credits(microcredits)) for microcredits in spent]
    assert shown(page) == list(zip(escaped, paid, strict=True))
    for key_ids in team.key_ids.values():
        assert all(f"key={key_id}" in page for key_id in key_ids)
    assert f'<span class="break">{escaped[0]}</span>' in page, "the chart's legend"

    query = re.search(r'href="(/api/v1/usage\?group_by=member[^"]+)"', page)
    assert query
    lines = owner.get(query[1].replace("&amp;", "&")).text.splitlines()
    assert amounts(list(csv.DictReader(lines))) == dict(zip(names_of(team), spent, strict=True))


def test_members_add_up_to_what_keys_models_and_days_do(team: Team) -> None:
    by_member = usage(team, "owner")
    assert sum(amounts(by_member["data"]).values()) == (
        sum(sum(costs) for costs in SPENT.values()) + sum(ASKED.values())
    )
    for group in ("key", "model", "day"):
        assert usage(team, "owner", group_by=group)["total"] == by_member["total"]
    narrowed = usage(team, "owner", key_id=team.key_ids["left"][1])
    # Alone in the answer, the name needs no address.
    assert amounts(narrowed["data"]) == {"Baraka (former member)": 33}


def test_a_member_sees_themselves_alone(team: Team) -> None:
    member = team.visitors["member"]
    page = member.get("/dashboard/analytics").text
    assert [name for name, _ in shown(page)] == ["Baraka"]
    assert "group_by=member" not in page
    assert amounts(usage(team, "member")["data"]) == {"Baraka": 60 + ASKED["member"]}
    assert usage(team, "member")["total"]["calls"] == 2
    refused = member.get("/dashboard/analytics", params={"group": "member"})
    assert refused.status_code == 400


def test_playground_calls_are_told_apart_as_far_as_who_looks_may_see_it(team: Team) -> None:
    ids = {who: no_key_of(team.visitors[who].person.id) for who in ASKED}

    def calls(who: str, key_id: str) -> str:
        return team.visitors[who].get("/dashboard/calls", params={"key": key_id}).text

    for name in ids.values():
        assert f"key={name}" in team.visitors["owner"].get("/dashboard/analytics").text
    assert calls("owner", ids["member"]).count("Playground, Baraka") == 2, "a choice and a call"
    mine = calls("member", ids["member"])
    assert mine.count("table--calls") == 1
    assert mine.count("Receipt call-") == 1
    # Of others there is nothing to choose, and their calls say no more than that they are such.
    theirs = calls("member", ids["owner"])
    assert "There is no such key of yours" in theirs
    assert team.visitors["owner"].email not in theirs
    refused = usage(team, "member", group_by="day", key_id=ids["owner"])
    assert refused["error"]["param"] == "key_id"
    own = usage(team, "member", group_by="day", key_id=ids["member"])["total"]
    assert own["charge"] == str(Credits(ASKED["member"]))
    # By key, and asked for together, they are one.
    by_key = usage(team, "owner", group_by="key")["data"]
    together = sum(ASKED.values()) + sum(SPENT["playground"])
    assert [row["charge"] for row in by_key if row["key_id"] == ""] == [str(Credits(together))]
    assert calls("owner", "").count("Receipt call-") == 3


def test_an_account_of_ones_own_has_no_members(site: Site, member: Visitor) -> None:
    _, secret = site.services.keys.issuing.issue(
        member.person.id, name="reader", scopes=[Scope.ACCOUNT_READ]
    )
    answer = member.get(
        "/api/v1/usage",
        params={"group_by": "member"},
        headers={"authorization": f"Bearer {secret.text}"},
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "group_by"
    assert "By member" not in member.get("/dashboard/analytics").text
