"""What a receipt, a key and the statement lead to: exactly the calls that are meant."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from adapters.flask_web.dashboard import calls as calls_list
from creditcore.testing.contracts.samples import MINUTE
from creditcore.testing.contracts.usage_hours import Made, make
from tests.visitors import Visitor
from tests.web.site import Site

NEIGHBOUR = re.compile(r'href="/dashboard/calls/([^"]+)">(Previous|Next) call')
COSTS = (25, 40, 60)


@pytest.fixture
def calls(site: Site, member: Visitor) -> list[str]:
    """Three calls with one key, one right after the other."""
    person = member.person
    wallet = site.wallet_of(person.id)
    key, _ = site.services.keys.issuing.issue(person.id, name="laptop")
    began = site.services.clock.now() - timedelta(milliseconds=len(COSTS))
    names = [f"call-{person.id}-{number}" for number in range(len(COSTS))]
    for number, (name, cost) in enumerate(zip(names, COSTS, strict=True)):
        made = Made(
            reference=name,
            wallet_id=wallet.id,
            key_id=key.id,
            began=began + number * timedelta(milliseconds=1),
            took=timedelta(),
            cost=cost,
        )
        make(site.store, made)
    return names


def test_a_receipt_leads_to_the_calls_before_and_after(member: Visitor, calls: list[str]) -> None:
    first, middle, last = calls

    def neighbours(name: str) -> list[tuple[str, str]]:
        return NEIGHBOUR.findall(member.get(f"/dashboard/calls/{name}").text)

    assert neighbours(middle) == [(first, "Previous"), (last, "Next")]
    assert neighbours(first) == [(middle, "Next")]
    assert neighbours(last) == [(middle, "Previous")]


def test_a_key_says_what_it_spent_this_month(member: Visitor, calls: list[str]) -> None:
    page = member.get("/dashboard/keys").text
    link = re.search(r'href="(/dashboard/calls\?[^"]*range=month[^"]*)">([^<]+)<', page)

    assert link
    assert link[2] == "$0.00000125"
    listed = member.get(link[1].replace("&amp;", "&")).text
    assert listed.count("Receipt call-") == len(calls)


def test_a_day_of_the_statement_leads_to_its_calls(member: Visitor, calls: list[str]) -> None:
    page = member.get("/dashboard/billing/statement").text
    addresses = re.findall(r'href="(/dashboard/calls\?[^"]+)">[\d,]+ calls?<', page)

    # Around midnight they may be of two days.
    listed = [member.get(each.replace("&amp;", "&")).text for each in addresses]
    assert sum(text.count("Receipt call-") for text in listed) == len(calls)


def test_calls_above_a_cost_are_looked_for_among_so_many_at_a_time(
    monkeypatch: pytest.MonkeyPatch, site: Site, member: Visitor
) -> None:
    monkeypatch.setattr(calls_list, "LOOKED_THROUGH", 2)
    wallet = site.wallet_of(member.person.id)
    began = site.services.clock.now() - timedelta(minutes=9)
    names = [f"{member.person.id}-{number}" for number in range(5)]
    for number, (name, cost) in enumerate(zip(names, (100, 25, 25, 25, 100), strict=True)):
        at = began + number * MINUTE
        made = Made(reference=name, wallet_id=wallet.id, began=at, took=timedelta(), cost=cost)
        make(site.store, made)

    def shown(address: str) -> tuple[str, list[str], dict[str, str]]:
        page = member.get(address).text
        links = re.findall(r'href="(/dashboard/calls\?[^"]*)">(?:<svg.*?</svg>)? ?(\w[^<]*)', page)
        found = [name for name in names if f"Receipt {name}:" in page]
        return page, found, {words.strip(): url.replace("&amp;", "&") for url, words in links}

    _, latest, links = shown("/dashboard/calls?min_cost=0.000001")
    assert latest == names[4:]
    assert "Newest" not in links

    page, none, links = shown(links["Look further back"])
    assert none == []
    assert "None of the next 2 calls" in page

    _, oldest, back = shown(links["Look further back"])
    assert oldest == names[:1]
    assert "Look further back" not in back
    assert shown(back["Newest"])[1] == latest
