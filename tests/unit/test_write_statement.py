"""A statement adds up again: opening, what came and went, calls by day, closing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from creditcore.domain.books import Footprint
from creditcore.domain.errors import InvalidRequestError, WalletNotFoundError
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Ceiling
from creditcore.domain.refunds import reverse
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.usage_hours import roll_up
from creditcore.usecases.payments.write_statement import WriteStatement

NAIROBI = ZoneInfo("Africa/Nairobi")
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def give(store: Transactions, amount: int, at: datetime) -> None:
    gift = grant(
        "wallet-1",
        Credits(amount),
        source=PlatformAccount.SALES,
        kind=TransferKind.GRANT,
        reference=f"gift:{at.isoformat()}",
        at=at,
    )
    with store.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        books.post([gift])
        tx.ledger.write(books)
        tx.commit()


def spend(store: Transactions, amount: int, at: datetime) -> None:
    reference = f"call:{at.isoformat()}"
    with store.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}, hold_references={reference}))
        books.admit(
            "wallet-1",
            Ceiling.of(Credits(amount)),
            reference=reference,
            call=None,
            now=at - timedelta(minutes=5),
            lifetime=DAY,
        )
        books.settle(reference, Credits(amount), at=at)
        tx.ledger.write(books)
        tx.commit()


def take_back(store: Transactions, amount: int, at: datetime) -> None:
    with store.begin() as tx:
        books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
        wallet = books.wallet("wallet-1")
        books.post(reverse(wallet, Credits(amount), reference="refund:x:1", at=at, note=""))
        tx.ledger.write(books)
        tx.commit()


@pytest.fixture
def store(any_store: Transactions) -> Transactions:
    with any_store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="amina"))
        tx.commit()
    give(any_store, 1000, NOON)
    spend(any_store, 100, NOON + timedelta(hours=1))
    # Half past midnight in Nairobi, and still the day before in UTC.
    spend(any_store, 30, datetime(2026, 6, 10, 21, 30, tzinfo=UTC))
    spend(any_store, 7, NOON + DAY)
    give(any_store, 500, NOON + 2 * DAY)
    take_back(any_store, 5000, NOON + 3 * DAY)
    give(any_store, 4000, NOON + 4 * DAY)
    return any_store


@pytest.mark.parametrize(
    ("first", "last", "sums"),
    [
        (date(2026, 6, 1), date(2026, 6, 30), (0, 500, 137, 363)),
        (date(2026, 6, 10), date(2026, 6, 10), (0, 1000, 100, 900)),
        (date(2026, 6, 11), date(2026, 6, 11), (900, 0, 37, 863)),
        (date(2026, 6, 12), date(2026, 6, 13), (863, -863, 0, 0)),
        (date(2026, 6, 14), date(2026, 6, 14), (0, 363, 0, 363)),
        (date(2026, 7, 1), date(2026, 7, 2), (363, 0, 0, 363)),
        (date(2026, 5, 1), date(2026, 5, 2), (0, 0, 0, 0)),
    ],
)
def test_every_period_adds_up(
    store: Transactions,
    first: date,
    last: date,
    sums: tuple[int, int, int, int],
) -> None:
    """The sums are opening, added, spent, closing."""
    written = WriteStatement(transactions=store).write(
        "wallet-1", first=first, last=last, zone=NAIROBI
    )

    found = (written.opening, written.added, written.spent, written.closing)
    assert tuple(amount.microcredits for amount in found) == sums
    assert written.opening + written.added - written.spent == written.closing


def test_days_are_cut_in_the_persons_zone(store: Transactions) -> None:
    work = WriteStatement(transactions=store)
    period = {"first": date(2026, 6, 10), "last": date(2026, 6, 11)}

    there = work.write("wallet-1", zone=NAIROBI, **period).days
    utc = work.write("wallet-1", zone=UTC, **period).days

    assert [(day.day.day, day.calls, day.charged.microcredits) for day in there] == [
        (10, 1, 100),
        (11, 2, 37),
    ]
    assert [(day.day.day, day.calls, day.charged.microcredits) for day in utc] == [
        (10, 2, 130),
        (11, 1, 7),
    ]


@pytest.mark.parametrize("counted_until", [None, NOON + DAY, NOON + 9 * DAY])
@pytest.mark.parametrize(
    "zone", ["UTC", "Africa/Nairobi", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York"]
)
def test_calls_add_up_in_any_zone_however_many_are_counted_by_the_hour(
    any_store: Transactions, zone: str, counted_until: datetime | None
) -> None:
    """Where midnight falls within an hour, its first and last day still end exactly."""
    with any_store.begin() as tx:
        tx.ledger.add_wallet(Wallet(id="wallet-1", owner_id="amina"))
        tx.commit()
    give(any_store, 1_000_000, NOON - DAY)
    spent = {NOON + timedelta(minutes=97 * number): 1000 + number for number in range(60)}
    for at, amount in spent.items():
        spend(any_store, amount, at)
    if counted_until is not None:
        roll_up(any_store, until=counted_until)

    first, last = date(2026, 6, 11), date(2026, 6, 12)
    written = WriteStatement(transactions=any_store).write(
        "wallet-1", first=first, last=last, zone=ZoneInfo(zone)
    )

    since, until = (
        datetime.combine(day, time(), tzinfo=ZoneInfo(zone)) for day in (first, last + DAY)
    )
    before = sum(amount for at, amount in spent.items() if at < since)
    within = {at: amount for at, amount in spent.items() if since <= at < until}
    assert within
    assert written.opening.microcredits == 1_000_000 - before
    assert written.spent.microcredits == sum(within.values())
    assert sum(day.calls for day in written.days) == len(within)
    assert written.closing == written.opening - written.spent
    assert [day.day for day in written.days] == [first, last]


def test_a_day_is_that_of_the_pages_between_the_first_and_the_last(store: Transactions) -> None:
    """In Nepal midnight is a quarter past an hour of UTC, which pages count as the day's."""
    for minute in (10, 20):
        spend(store, minute, datetime(2026, 6, 11, 18, minute, tzinfo=UTC))

    days = (
        WriteStatement(transactions=store)
        .write(
            "wallet-1",
            first=date(2026, 6, 11),
            last=date(2026, 6, 12),
            zone=ZoneInfo("Asia/Kathmandu"),
        )
        .days
    )

    assert [(day.day.day, day.calls, day.charged.microcredits) for day in days] == [
        (11, 2, 37),
        (12, 2, 30),
    ]


@pytest.mark.parametrize("days", [-1, 366, 400])
def test_a_period_that_makes_no_sense_is_refused(store: Transactions, days: int) -> None:
    first = date(2026, 1, 1)

    with pytest.raises(InvalidRequestError, match="one day to a year"):
        WriteStatement(transactions=store).write(
            "wallet-1", first=first, last=first + timedelta(days=days), zone=UTC
        )


def test_an_unknown_wallet_is_named(store: Transactions) -> None:
    with pytest.raises(WalletNotFoundError):
        WriteStatement(transactions=store).write(
            "nobody", first=date(2026, 1, 1), last=date(2026, 1, 1), zone=UTC
        )
