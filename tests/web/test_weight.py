"""What pages weigh over the wire, with all that they load, after a month of many calls."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from adapters.flask_web.cli.demo_history import Customer, History
from adapters.flask_web.cli.demo_payments import Till
from creditcore.domain.people import Role
from creditcore.domain.pricing import ModelPrice, Rates
from creditcore.domain.purchases import PurchaseState
from creditcore.domain.usage_hours import hour_of
from creditcore.testing.memory import MemoryTransactions
from tests.visitors import Visitor
from tests.web.site import Site

MAX_BYTES = 120 * 1024
DAYS = 30
MOST_SINGLE_DAYS = 92
FIRST_DAY = datetime.now(UTC).date() - timedelta(days=MOST_SINGLE_DAYS - 1)
LISTS = {
    "/dashboard/analytics": ("?range=30d", f"?range=custom&from={FIRST_DAY}"),
    "/dashboard/calls": ("?range=30d",),
}
"""Pages that are heavier than what their address alone leads to."""

MILLIONTH = 10**24
RATES = Rates(
    input=MILLIONTH,
    output=4 * MILLIONTH,
    cache_read=MILLIONTH,
    cache_write=MILLIONTH,
    cache_write_1h=MILLIONTH,
    reasoning=MILLIONTH,
)

DOWNLOADS = {"calls.download", "data.download", "statements.download"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(MemoryTransactions(), tmp_path_factory.mktemp("site"))


def test_every_page_of_the_dashboard_and_of_operators_is_light(site: Site) -> None:
    with Visitor(site) as visitor:
        a_busy_customer(site, visitor)
        visitor.http.headers["accept-encoding"] = "gzip"
        files: dict[str, int] = {}
        weights = {page: weight(visitor, page, files) for page in pages(site)}

    assert len(weights) > 25
    assert {page: size for page, size in weights.items() if size >= MAX_BYTES} == {}


def pages(site: Site) -> list[str]:
    return sorted(
        rule.rule + question
        for rule in site.app.url_map.iter_rules()
        for question in LISTS.get(rule.rule, ("",))
        if "GET" in rule.methods
        and not rule.arguments
        and rule.endpoint not in DOWNLOADS
        and rule.rule.startswith(("/dashboard", "/admin"))
    )


def weight(visitor: Visitor, page: str, files: dict[str, int]) -> int:
    answer = visitor.get(page)
    assert answer.status_code == 200, page
    text = answer.text
    loaded = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
    for path in loaded - files.keys():
        files[path] = wire_bytes(visitor, path)
    return int(answer.headers["content-length"]) + sum(files[path] for path in loaded)


def wire_bytes(visitor: Visitor, path: str) -> int:
    answer = visitor.get(path, stream=True)
    return len(answer.raw.read(decode_content=False))


def a_busy_customer(site: Site, visitor: Visitor) -> None:
    person = visitor.sign_up().person
    site.services.people.roles.grant(person.id, Role.ADMIN)
    # A new role ends the sessions of before.
    visitor.sign_in()
    issue = site.services.keys.issuing.issue
    keys = [issue(person.id, name=f"key number {number}")[0] for number in range(6)]
    prices = [
        ModelPrice(model=f"provider/a-model-of-size-{number}", rates=RATES) for number in range(9)
    ]
    now = hour_of(site.services.clock.now())
    history = History(
        site.store,
        customers=[Customer(site.wallet_of(person.id), keys, 1000)],
        prices=prices,
        tariff=site.app.extensions["creditcore.settings"].tariff,
        seed=1,
        sell=Till(site.services).sell,
    )
    assert list(history.write(900, since=now - timedelta(days=DAYS), until=now)) == [900]
    with site.store.begin() as tx:
        bought = tx.purchases.list_of(person.id, limit=50)
    assert bought
    assert all(each.state is PurchaseState.PAID for each in bought)
    assert site.audit().clean
