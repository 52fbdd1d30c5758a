"""Which model failed how often and by what: each figure leads to the calls that it counts."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from creditcore.domain.endings import error_of
from creditcore.domain.holds import Outcome
from creditcore.domain.keys import Scope
from creditcore.domain.people import Role
from creditcore.domain.usage_hours import hour_of
from creditcore.ports.usage_hours import RefusalCount
from creditcore.testing.contracts.usage_hours import Made, make
from creditcore.testing.memory import MemoryTransactions
from tests.stores import postgres_store
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


REFUSALS = re.compile(r'aria-labelledby="refusals".*?</section>', re.DOTALL)
REFUSAL = re.compile(
    r'<span class="hint mono break-all">([^<]+)<.*?data-label="Calls">([^<]+)<', re.DOTALL
)


@pytest.mark.parametrize("database", ["memory", "postgres"])
def test_errors_are_the_same_on_the_page_as_csv_and_for_programs(
    database: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        store = (
            MemoryTransactions() if database == "memory" else stack.enter_context(postgres_store())
        )
        site = Site(store, tmp_path)
        visitor = stack.enter_context(Visitor(site)).sign_up()
        check_errors(site, visitor)


def check_errors(site: Site, visitor: Visitor) -> None:
    key, secret = site.services.keys.issuing.issue(
        visitor.person.id, name="reader", scopes=[Scope.ACCOUNT_READ]
    )
    now = site.services.clock.now()
    for number, (model, outcome) in enumerate(MADE):
        made = Made(
            reference=f"call-{number}",
            wallet_id=key.wallet_id,
            began=now - timedelta(minutes=3),
            model=model,
            outcome=outcome,
            key_id=key.id,
        )
        make(site.store, made)
    with site.store.begin() as tx:
        tx.usage_hours.add_refusals(
            [
                RefusalCount(key.wallet_id, hour_of(now), key.id, model, status, error, calls)
                for model, status, error, calls in (
                    ("one", 402, "insufficient_quota", 7),
                    ("two", 402, "insufficient_quota", 2),
                    ("two", 429, "upstream_timeout", 1),
                )
            ]
        )
        tx.commit()
    reader = {"authorization": f"Bearer {secret.text}"}

    def usage(**asked: str) -> dict[str, Any]:
        return dict(visitor.get("/api/v1/usage", params=asked, headers=reader).json())

    found = usage(group_by="error")
    assert [(row["error"], row["failed"], row["refused"]) for row in found["data"]] == [
        ("insufficient_quota", 0, 9),
        ("upstream_timeout", 3, 1),
        ("upstream_unavailable", 3, 0),
    ]
    assert found["total"]["charge"] == "0.00015"
    of_all = usage(group_by="day")["total"]
    for figure in ("failed", "refused"):
        assert found["total"][figure] == of_all[figure]
    assert usage(group_by="error", model="two")["total"]["refused"] == 3
    assert (
        usage(group_by="error", until=f"{now - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}")["data"] == []
    )

    page = visitor.get("/dashboard/analytics").text
    section = REFUSALS.search(page)
    assert section
    assert REFUSAL.findall(section[0]) == [("insufficient_quota", "9"), ("upstream_timeout", "1")]
    assert {(error, calls) for *_, error, calls, _ in lines(page)} == {
        ("upstream_unavailable", "3"), ("upstream_timeout", "2"), ("upstream_timeout", "1")
    }  # fmt: skip
    [link] = set(re.findall(r'href="(/api/v1/usage\?group_by=error[^"]+)"', page))
    csv_lines = visitor.get(unescape(link)).text.splitlines()
    assert [
        (row["error"], int(row["failed"]), int(row["refused"]), row["charge"])
        for row in csv.DictReader(csv_lines)
    ] == [(row["error"], row["failed"], row["refused"], row["charge"]) for row in found["data"]]


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
