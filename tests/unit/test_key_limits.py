"""What a key may do, and how its use is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore import ApiKey, Call, Ceiling, Credits, InsufficientCreditsError, KeyRefusedError
from creditcore.domain.books import Books
from creditcore.domain.errors import InvalidRequestError, LimitReachedError, NotPermittedError
from creditcore.domain.keys import Scope
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import KeyCounter, KeyLimits, Period, SpendLimit
from creditcore.domain.money import ZERO
from creditcore.testing.contracts import MINUTE, NOON, a_key

NAIROBI = "Africa/Nairobi"


def a_limited_key(**limits: object) -> ApiKey:
    return replace(
        a_key(Wallet(id="wallet-1", owner_id="owner-1")),
        limits=KeyLimits(**limits),  # type: ignore[arg-type]
    )


def books_of(key: ApiKey, *, posted: int = 1000, spent: int = 0) -> Books:
    limit = key.limits.spend
    counter = KeyCounter(
        id=key.id,
        wallet_id=key.wallet_id,
        since=NOON - timedelta(days=40),
        limit=limit.credits if limit else None,
        spent=Credits(spent),
    )
    wallet = Wallet(id=key.wallet_id, owner_id=key.owner_id, posted=Credits(posted))
    return Books(wallets={wallet.id: wallet}, counters={counter.id: counter})


def admit(books: Books, key: ApiKey, amount: int, *, reference: str, now: datetime = NOON) -> None:
    books.admit(
        key.wallet_id,
        Ceiling.of(Credits(amount)),
        reference=reference,
        call=Call(model="demo", key_id=key.id),
        now=now,
        lifetime=MINUTE,
        caller=key,
    )


def test_a_month_begins_at_midnight_of_its_zone() -> None:
    limit = SpendLimit(credits=Credits(1), period=Period.MONTH, zone=NAIROBI)
    late = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)  # 1 December, 01:30 in Nairobi

    assert limit.starts_at(late) == datetime(2026, 11, 30, 21, 0, tzinfo=UTC)
    assert limit.ends_at(late) == datetime(2026, 12, 31, 21, 0, tzinfo=UTC)


def test_a_week_begins_on_monday() -> None:
    limit = SpendLimit(credits=Credits(1), period=Period.WEEK)
    sunday = datetime(2026, 11, 29, 23, 59, tzinfo=UTC)

    assert limit.starts_at(sunday) == datetime(2026, 11, 23, tzinfo=UTC)
    assert limit.ends_at(sunday) == datetime(2026, 11, 30, tzinfo=UTC)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH]),
    st.sampled_from(["UTC", NAIROBI, "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_periods_follow_each_other_without_a_gap(now: datetime, period: Period, zone: str) -> None:
    limit = SpendLimit(credits=Credits(1), period=period, zone=zone)
    start, end = limit.starts_at(now), limit.ends_at(now)

    assert end is not None
    assert start <= now < end
    assert limit.starts_at(end) == end


def test_periods_are_told_apart_in_whatever_order_they_are_asked_for() -> None:
    limit = SpendLimit(credits=Credits(1), period=Period.DAY)

    for day in (2, 1, 3):
        noon = datetime(2026, 6, day, 12, tzinfo=UTC)
        assert limit.starts_at(noon) == datetime(2026, 6, day, tzinfo=UTC)
        assert limit.ends_at(noon) == datetime(2026, 6, day + 1, tzinfo=UTC)
        midnight = datetime(2026, 6, day + 1, tzinfo=UTC)
        assert limit.starts_at(midnight) == midnight


def test_spent_and_held_never_exceed_the_limit() -> None:
    key = a_limited_key(spend=SpendLimit(credits=Credits(70)))
    books = books_of(key)

    for number in range(7):
        admit(books, key, 10, reference=f"call-{number}")
    with pytest.raises(InsufficientCreditsError) as refusal:
        admit(books, key, 1, reference="one-above")

    assert (refusal.value.limit, refusal.value.available) == ("key", ZERO)
    assert books.counters[key.id].held == Credits(70)


def test_what_a_call_did_not_use_may_be_spent_again() -> None:
    key = a_limited_key(spend=SpendLimit(credits=Credits(70)))
    books = books_of(key)
    admit(books, key, 70, reference="call-1")

    books.settle("call-1", Credits(30), at=NOON)

    counter = books.counters[key.id]
    assert (counter.spent, counter.held, counter.open_calls) == (Credits(30), ZERO, 0)
    admit(books, key, 40, reference="call-2")


def test_a_smaller_wallet_is_named_before_the_limit_of_the_key() -> None:
    key = a_limited_key(spend=SpendLimit(credits=Credits(70)))

    with pytest.raises(InsufficientCreditsError) as refusal:
        admit(books_of(key, posted=5), key, 10, reference="call-1")

    assert refusal.value.limit == "wallet"


def test_a_hold_grows_no_further_than_the_limit_of_its_key() -> None:
    key = a_limited_key(spend=SpendLimit(credits=Credits(70)))
    books = books_of(key)
    admit(books, key, 10, reference="call-1")
    per_token = replace(Ceiling.of(ZERO), per_output_token=10, output_bound=20)

    extension = books.extend("call-1", per_token, output_bound=20)

    assert (extension.hold.amount, extension.paid_output) == (Credits(70), 7)
    assert books.counters[key.id].held == Credits(70)


@pytest.mark.parametrize(
    "used",
    [
        {"held": Credits(9), "open_calls": 1},
        {"held": Credits(10), "open_calls": 0},
        {"held": Credits(10), "open_calls": 1, "spent": Credits(-3)},
    ],
    ids=["held", "open_calls", "spent"],
)
def test_a_counter_is_never_negative(used: dict[str, Any]) -> None:
    counter = KeyCounter(id="key-1", wallet_id="wallet-1", since=NOON, **used)

    with pytest.raises(ValueError, match="never negative"):
        counter.closed(Credits(10), charged=Credits(2), since=NOON)


def test_a_new_period_begins_at_nothing_but_what_still_runs() -> None:
    key = a_limited_key(spend=SpendLimit(credits=Credits(70), period=Period.DAY))
    books = books_of(key)
    admit(books, key, 30, reference="finished")
    books.settle("finished", Credits(30), at=NOON)
    admit(books, key, 40, reference="running")
    tomorrow = NOON + timedelta(days=1)

    with pytest.raises(InsufficientCreditsError) as refusal:
        admit(books, key, 31, reference="too-much", now=tomorrow)
    admit(books, key, 30, reference="fits", now=tomorrow)

    assert refusal.value.resets_at is not None
    assert books.counters[key.id].held == Credits(70)


def test_a_charge_belongs_to_the_period_its_call_began_in() -> None:
    key = a_limited_key(spend=SpendLimit(credits=Credits(70), period=Period.DAY))
    books = books_of(key)
    admit(books, key, 30, reference="yesterday")
    admit(books, key, 10, reference="today", now=NOON + timedelta(days=1))

    books.settle("yesterday", Credits(30), at=NOON + timedelta(days=1))
    books.settle("today", Credits(10), at=NOON + timedelta(days=1))

    assert books.counters[key.id].spent == Credits(10)


def test_a_clock_that_is_set_back_frees_nothing() -> None:
    key = a_limited_key(spend=SpendLimit(credits=Credits(70), period=Period.DAY))
    books = books_of(key)
    admit(books, key, 70, reference="call-1")
    books.settle("call-1", Credits(70), at=NOON)

    with pytest.raises(InsufficientCreditsError):
        admit(books, key, 1, reference="call-2", now=NOON - timedelta(days=3))


def test_a_call_admitted_by_a_clock_behind_is_counted_all_the_same() -> None:
    key = a_limited_key(spend=SpendLimit(credits=Credits(70), period=Period.DAY))
    books = books_of(key)
    admit(books, key, 10, reference="first")
    admit(books, key, 20, reference="behind", now=NOON - timedelta(days=3))

    books.settle("behind", Credits(20), at=NOON - timedelta(days=3))

    assert books.counters[key.id].spent == Credits(20)


def test_as_many_calls_run_as_the_key_allows() -> None:
    key = a_limited_key(max_parallel=2)
    books = books_of(key)
    admit(books, key, 1, reference="call-1")
    admit(books, key, 1, reference="call-2")

    with pytest.raises(LimitReachedError) as refusal:
        admit(books, key, 1, reference="call-3")
    books.settle("call-1", ZERO, at=NOON)
    admit(books, key, 1, reference="call-3")

    assert (refusal.value.limit, refusal.value.most) == ("parallel", 2)
    assert books.counters[key.id].open_calls == 2


def test_closing_a_hold_twice_counts_it_out_once() -> None:
    key = a_limited_key(max_parallel=2)
    books = books_of(key)
    admit(books, key, 5, reference="call-1")
    admit(books, key, 5, reference="call-2")

    for _ in range(2):
        books.settle("call-1", Credits(5), at=NOON)

    assert books.counters[key.id].open_calls == 1


@pytest.mark.parametrize(
    ("allowed", "model", "permitted"),
    [
        ((), "anything", True),
        (("gpt-4o",), "gpt-4o", True),
        (("gpt-4o",), "gpt-4o-mini", False),
        (("gpt-4o*",), "gpt-4o-mini", True),
        (("claude-*", "gpt-4o"), "claude-x", True),
        (("*",), "anything", True),
    ],
)
def test_a_key_calls_the_models_it_names(
    allowed: tuple[str, ...], model: str, *, permitted: bool
) -> None:
    assert KeyLimits(models=allowed).permits_model(model) is permitted


@pytest.mark.parametrize(
    ("allowed", "address", "permitted"),
    [
        ((), None, True),
        (("203.0.113.0/24",), "203.0.113.9", True),
        (("203.0.113.0/24",), "203.0.114.9", False),
        (("203.0.113.7",), "::ffff:203.0.113.7", True),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("2001:db8::/32",), "203.0.113.7", False),
        (("203.0.113.0/24",), None, False),
        (("203.0.113.0/24",), "unix:", False),
        (("203.0.113.0/24",), "", False),
    ],
)
def test_a_key_is_used_from_the_addresses_it_names(
    allowed: tuple[str, ...], address: str | None, *, permitted: bool
) -> None:
    assert KeyLimits(addresses=allowed).permits_address(address) is permitted


def test_an_address_that_was_let_in_lets_no_other_in() -> None:
    limits = KeyLimits(addresses=("203.0.113.7",))

    assert limits.permits_address("203.0.113.7")
    assert not limits.permits_address("203.0.113.8")
    assert not limits.permits_address(None)
    assert limits.permits_address("203.0.113.7")


@pytest.mark.parametrize(
    ("limits", "param"),
    [
        ({"rpm": 0}, "rpm"),
        ({"rpm": True}, "rpm"),
        ({"rpm": 1.5}, "rpm"),
        ({"tpm": 10**12}, "tpm"),
        ({"max_parallel": -1}, "max_parallel"),
        ({"models": ("",)}, "allowed_models"),
        ({"models": ("a*b",)}, "allowed_models"),
        ({"models": ("a",) * 101}, "allowed_models"),
        ({"addresses": ("example.org",)}, "allowed_ips"),
        ({"addresses": ("10.0.0.0/99",)}, "allowed_ips"),
    ],
)
def test_a_limit_that_means_nothing_is_refused(limits: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        KeyLimits(**limits)  # type: ignore[arg-type]

    assert refusal.value.param == param


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "\0", "/etc/localtime"])
def test_a_zone_must_exist(zone: str) -> None:
    with pytest.raises(InvalidRequestError):
        SpendLimit(credits=Credits(1), zone=zone)


def test_a_paused_key_opens_nothing() -> None:
    with pytest.raises(KeyRefusedError, match="paused"):
        replace(a_limited_key(), paused_at=NOON).usable(now=NOON)


def test_a_key_without_the_scope_makes_no_call() -> None:
    key = replace(a_limited_key(), scopes=(Scope.ACCOUNT_READ,))

    with pytest.raises(NotPermittedError) as refusal:
        key.check_call("demo", None)

    assert refusal.value.code == "insufficient_scope"
