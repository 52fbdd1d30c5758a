"""Which model failed how often and by what: each figure leads to the calls that it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest

from creditcore.domain.endings import error_of
from creditcore.domain.holds import Outcome
from creditcore.domain.people import Role
from creditcore.testing.contracts.usage_hours import Made, make
from creditcore.testing.memory import MemoryTransactions
from tests.visitors import Visitor
from tests.web.site import Site

DOWN = Outcome(status=502, error="upstream_unavailable")
SLOW = Outcome(status=504, error="upstream_timeout")
LEFT = Outcome(status=499, error="client_left")
DONE = Outcome(status=200)

MADE = (
    [("one", DOWN)] * 3 + [("one", SLOW)] + [("two", SLOW)] * 2 + [("two", DONE)] * 4
    + [("two", LEFT)]
)  # fmt: skip
LINES = [("one", "upstream_unavailable", "3", "75.0"), ("two", "upstream_timeout", "2", "33.4")]
LINES += [("one", "upstream_timeout", "1", "25.0")]
"""The share is of the calls of a model that no client left, rounded up."""

SECTION = re.compile(r'aria-labelledby="failures".*?</section>', re.DOTALL)
LINE = re.compile(
    r'<a class="row-link" href="([^"]+)"><span class="lead break">([^<]+)<.*?'
    r'<span class="hint mono break-all">([^<]+)<.*?'
    r'data-label="Calls">([^<]+)<.*?data-label="Of its calls">([0-9.]+)',
    re.DOTALL,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site of its own: operators see the calls of everybody."""
    return Site(MemoryTransactions(), tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def customer(site: Site) -> Iterator[Visitor]:
    with Visitor(site) as visitor:
        wallet = site.wallet_of(visitor.sign_up().person.id)
        for number, (model, outcome) in enumerate(MADE):
            began = site.services.clock.now() - timedelta(minutes=3 + number)
            make(
                site.store,
                Made(
                    reference=f"call-{uuid4().hex}",
                    wallet_id=wallet.id,
                    began=began,
                    model=model,
                    outcome=outcome,
                    key_id=None,
                ),
            )
        yield visitor


@pytest.fixture(scope="module")
def operator(site: Site) -> Iterator[Visitor]:
    with Visitor(site) as visitor:
        site.services.people.roles.grant(visitor.sign_up().person.id, Role.ADMIN)
        # A new role ends the sessions of before.
        visitor.sign_in()
        yield visitor


def lines(page: str) -> list[tuple[str, str, str, str, str]]:
    section = SECTION.search(page)
    return LINE.findall(section[0]) if section else []


@pytest.mark.parametrize("period", ["24h", "7d", "30d"])
def test_a_customers_failures_lead_to_their_calls(customer: Visitor, period: str) -> None:
    page = customer.get("/dashboard/analytics", params={"range": period}).text

    assert [line[1:] for line in lines(page)] == LINES
    for address, _, error, calls, _ in lines(page):
        listed = customer.get(unescape(address)).text
        assert listed.count("Receipt call-") == int(calls)
        assert f'name="error" type="search" value="{error}"' in listed


def test_failures_are_narrowed_with_the_page(customer: Visitor) -> None:
    page = customer.get("/dashboard/analytics", params={"model": "two"}).text
    assert [line[1:4] for line in lines(page)] == [("two", "upstream_timeout", "2")]
    listed = customer.get("/dashboard/calls/export.csv", params={"error": "upstream_timeout"}).text
    assert listed.count("upstream_timeout") == 3


def test_an_operators_failures_lead_to_the_calls_of_everybody(
    site: Site, customer: Visitor, operator: Visitor
) -> None:
    page = operator.get("/admin/failures", params={"range": "24h"}).text

    assert [line[1:] for line in lines(page)] == LINES
    for address, model, error, calls, _ in lines(page):
        listed = operator.get(unescape(address).partition("#")[0]).text
        names = re.findall(r"/admin/calls/(call-[0-9a-f]+)", listed)
        assert len(names) == int(calls)
        assert listed.count(customer.email) == int(calls)
        with site.store.begin() as tx:
            holds = tx.calls.find_all(names).values()
        assert {(hold.call.model, error_of(hold)) for hold in holds if hold.call} == {
            (model, error)
        }
    assert 'href="/admin/failures?range=24h"' in operator.get("/admin?range=24h").text


def test_an_account_whose_calls_were_all_answered_has_no_failures(member: Visitor) -> None:
    assert 'id="failures"' not in member.get("/dashboard/analytics").text
