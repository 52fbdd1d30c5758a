"""Page, CSV, API and ledger say the same of any days, to the last digit."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.flask_web.web.figures import balance_total
from adapters.flask_web.web.formatting import exact_dollars
from creditcore.domain.books import Footprint
from creditcore.domain.holds import Hold
from creditcore.domain.keys import Scope
from creditcore.domain.ledger import TransferKind
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import day_span
from creditcore.testing.contracts.usage_hours import ENDS, Made, make
from creditcore.testing.memory import FixedClock
from creditcore.usecases.books.roll_up_usage import RollUpUsage
from tests.visitors import Visitor
from tests.web.site import Site

# Clocks change in New York on these days; time only goes on in a store that examples share.
DAYS = itertools.cycle([date(2027, 3, 14), date(2027, 11, 7), date(2028, 3, 12), date(2028, 11, 5)])
YEARS = itertools.count()
MODELS = ("one", "two")

CALL = st.fixed_dictionaries(
    {
        "minutes": st.integers(-2 * 1440, 3 * 1440),
        "key": st.sampled_from([0, 1, None]),
        "model": st.sampled_from(MODELS),
        "cost": st.integers(0, 130),
        "outcome": st.sampled_from(ENDS),
    }
)
ASKED = st.fixed_dictionaries(
    {
        "zone": st.sampled_from(
            ["Africa/Nairobi", "Africa/Lagos", "Asia/Kathmandu", "America/New_York"]
        ),
        "days": st.integers(1, 3),
        "rolled_hours": st.integers(-40, 90),
        "key": st.sampled_from([None, 0]),
        "model": st.sampled_from([None, "one"]),
    }
)


@dataclass(frozen=True)
class Customer:
    """A customer with two keys, and one that reads the account."""

    visitor: Visitor
    wallet_id: str
    key_ids: list[str]
    reader: str


@pytest.fixture(scope="module")
def customer(any_site: Site) -> Iterator[Customer]:
    with Visitor(any_site) as visitor:
        person = visitor.sign_up().person
        issue = any_site.services.keys.issuing.issue
        keys = [issue(person.id, name=f"key {number}")[0] for number in range(2)]
        _, reader = issue(person.id, name="reader", scopes=[Scope.ACCOUNT_READ])
        yield Customer(visitor, keys[0].wallet_id, [key.id for key in keys], reader.text)


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=st.lists(CALL, min_size=1, max_size=12), asked=ASKED)
def test_totals_are_the_same_everywhere(
    any_site: Site, customer: Customer, calls: list[dict[str, Any]], asked: dict[str, Any]
) -> None:
    first = next(DAYS)
    first = first.replace(year=first.year + 2 * (next(YEARS) // 4))
    noon = datetime(first.year, first.month, first.day, 12, tzinfo=UTC)
    made = [a_call(any_site, customer, noon, call) for call in calls]
    clock = FixedClock(noon + timedelta(hours=asked["rolled_hours"]))
    RollUpUsage(transactions=any_site.store, clock=clock).roll_up()
    profile = any_site.services.people.profiles
    profile.change(customer.visitor.person.id, name="", timezone=asked["zone"], shown_currency="")
    last = first + timedelta(days=asked["days"] - 1)
    span = day_span(first, last, ZoneInfo(asked["zone"]))
    key_id = None if asked["key"] is None else customer.key_ids[asked["key"]]
    model = asked["model"]

    wanted = [
        hold
        for hold in made
        if span.since <= hold.closed_at < span.until
        and (key_id is None or hold.call.key_id == key_id)
        and (model is None or hold.call.model == model)
    ]
    expected = charged(any_site, wanted)
    query = {"range": "custom", "from": f"{first}", "to": f"{last}"}
    query |= {"key": key_id or "all", "model": model or ""}

    page = customer.visitor.get("/dashboard/calls", params=query).text
    [(count, shown)] = re.findall(r"<strong>([\d,]+) ended calls?, (\S+) of balance</strong>", page)
    assert (count, shown) == (f"{len(wanted)}", exact_dollars(expected))
    analytics = customer.visitor.get("/dashboard/analytics", params=query).text
    assert f"paid; {balance_total(expected)} of balance" in analytics
    lines = customer.visitor.get("/dashboard/calls/export.csv", params=query).text.splitlines()
    rows = [row for row in csv.DictReader(lines) if row["ended_at"]]
    assert {row["id"] for row in rows} == {hold.reference for hold in wanted}
    assert sum((Credits.parse(row["charged_credits"]) for row in rows), ZERO) == expected
    narrowed = {**({"key_id": key_id} if key_id else {}), **({"model": model} if model else {})}
    for group in ("model",) if narrowed else ("model", "endpoint"):
        answer = customer.visitor.get(
            "/api/v1/usage",
            params={
                "group_by": group,
                "since": span.since.isoformat(),
                "until": span.until.isoformat(),
                **narrowed,
            },
            headers={"authorization": f"Bearer {customer.reader}"},
        ).json()
        assert Credits.parse(answer["total"]["charge"]) == expected
        assert answer["total"]["calls"] == len(wanted)


def a_call(site: Site, customer: Customer, noon: datetime, call: dict[str, Any]) -> Hold:
    number = call["key"]
    return make(
        site.store,
        Made(
            reference=f"call-{uuid4().hex}",
            wallet_id=customer.wallet_id,
            began=noon + timedelta(minutes=call["minutes"]),
            key_id=None if number is None else customer.key_ids[number],
            model=call["model"],
            cost=call["cost"],
            outcome=call["outcome"],
        ),
    )


def charged(site: Site, calls: list[Hold]) -> Credits:
    """Return what the ledger moved for calls."""
    names = {f"charge:{call.reference}" for call in calls}
    with site.store.begin() as tx:
        books = tx.ledger.lock(Footprint(transfer_references=names))
    assert {transfer.kind for transfer in books.transfers.values()} <= {TransferKind.CHARGE}
    return sum((transfer.amount for transfer in books.transfers.values()), ZERO)


def test_analytics_tell_routes_apart_for_all_keys_and_models(site: Site, member: Visitor) -> None:
    wallet = site.wallet_of(member.person.id)
    for number, route in enumerate(("/v1/messages", "/v1/messages", "/v1/embeddings")):
        made = Made(
            reference=f"{wallet.id}-{number}",
            wallet_id=wallet.id,
            key_id=None,
            endpoint=route,
            began=site.services.clock.now() - timedelta(minutes=3),
        )
        make(site.store, made)

    page = member.get("/dashboard/analytics?group=endpoint")

    table = re.search(r'<h2 id="by-endpoint">.*?</table>', page.text, re.DOTALL)
    assert table
    rows = re.findall(r'break">(/v1/\w+)</span>.*?data-label="Calls">(\d+)<', table[0], re.DOTALL)
    assert sorted(rows) == [("/v1/embeddings", "1"), ("/v1/messages", "2")]
    assert "group_by=endpoint" in page.text

    narrowed = member.get("/dashboard/analytics?group=endpoint&model=demo")
    assert narrowed.status_code == 400
    assert "all keys and models together" in narrowed.text
    assert "by-endpoint" not in narrowed.text
