"""Months of calls, for demonstrations, screenshots and measurements."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.demo_history import Customer, History, customers_with, of_tokens
from adapters.flask_web.cli.demo_payments import Then, Till
from adapters.flask_web.cli.person_by_email import person_with
from adapters.flask_web.context import services, settings
from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Wallet
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import hour_of

_DAYS_OF_MONTH = 30
_KEY_NAMES = ("production", "staging", "notebook")
_COMPANIES = (
    BuyerDetails(
        company="Kijani Labs Ltd", address="Moi Avenue 1, Nairobi", tax_number="P000000001A"
    ),
    BuyerDetails(),
    BuyerDetails(company="Mwangaza Solar", address="Nkrumah Road 7, Mombasa"),
)
"""What receipts of the made-up people name, one after the other: not everybody is a company."""
_TOLD_EVERY_S = 5.0


@click.command("demo-data")
@click.option("--months", type=click.IntRange(1, 24), default=6, show_default=True)
@click.option("--calls", type=click.IntRange(1, 50_000_000), default=20_000, show_default=True)
@click.option("--people", type=click.IntRange(1, 10_000), default=3, show_default=True)
@click.option("--email", help="Whose account calls most; made-up people do without it.")
@with_appcontext
def demo_data(months: int, calls: int, people: int, email: str | None) -> None:
    """Write months of believable calls, of people who are made up. Never in production."""
    if settings().is_production:
        raise click.ClickException("Made-up calls have no place in production.")
    prices = services().calls.prices.all()
    if not prices:
        raise click.ClickException("There is no price list yet: start the model server.")
    now = services().clock.now()
    since = hour_of(now - timedelta(days=months * _DAYS_OF_MONTH))
    customers = _customers(people, email, since)
    history = History(
        services().transactions,
        customers=customers,
        prices=of_tokens(prices),
        tariff=settings().tariff,
        seed=secrets.randbits(32),
        sell=Till(services()).sell,
    )
    started = told_at = time.monotonic()
    for written in history.write(calls, since=since, until=hour_of(now)):
        if time.monotonic() - told_at > _TOLD_EVERY_S:
            told_at = time.monotonic()
            pace = written / (told_at - started)
            click.echo(f"{written:,} of {calls:,} calls, {pace:,.0f} a second", err=True)
    services().books.usage.roll_up()
    for _ in services().books.usage.rebuild(Span(since, now)):
        pass
    click.echo(f"{calls:,} calls of {len(customers):,} people in {months} months.")


def _customers(people: int, email: str | None, since: datetime) -> Sequence[Customer]:
    found: list[tuple[Wallet, Sequence[ApiKey]]] = []
    if email is not None:
        found.append(_account(person_with(email).id, since))
    while len(found) < people:
        address = f"demo-{secrets.token_hex(5)}@creditcore.example"
        password = secrets.token_urlsafe(15)
        identity = services().operators.create(address, password, confirmed=True)
        person = services().people.welcome.welcome(identity)
        buyer = asdict(_COMPANIES[len(found) % len(_COMPANIES)])
        services().people.profiles.put_on_receipts(person.id, **buyer)
        found.append(_account(person.id, since))
    return customers_with(found)


def _account(person_id: str, since: datetime) -> tuple[Wallet, Sequence[ApiKey]]:
    issue = replace(services().keys.issuing, clock=Then(since))
    keys = [issue.issue(person_id, name=name)[0] for name in _KEY_NAMES]
    with services().transactions.begin() as tx:
        return tx.ledger.find_wallet_of(person_id), keys
