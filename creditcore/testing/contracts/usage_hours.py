"""What was used, by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from creditcore.domain.books import Footprint
from creditcore.domain.callers import WithoutKey
from creditcore.domain.endings import (
    CLIENT_LEFT,
    CONTRADICTORY_USAGE,
    CREDITS_EXHAUSTED,
    INCREDIBLE_USAGE,
)
from creditcore.domain.holds import Basis, Call, Hold, HoldState, Outcome
from creditcore.domain.limits import KeyCounter
from creditcore.domain.money import Credits
from creditcore.domain.periods import Span
from creditcore.domain.pricing import Ceiling, Usage
from creditcore.domain.usage_hours import (
    HOUR,
    NOTHING_MEASURED,
    NOTHING_USED,
    Tally,
    Timing,
    hour_of,
    tally_of,
    timing_of,
)
from creditcore.ports.transactions import Transactions
from creditcore.ports.usage_hours import LastUse, RefusalCount, UsageOf
from creditcore.testing.contracts.samples import MINUTE, NOON, a_wallet

WHOLE_DAY = Span(hour_of(NOON) - 12 * HOUR, hour_of(NOON) + 12 * HOUR)
WALLET = UsageOf("wallet-1")

_USAGE = Usage(
    prompt_tokens=1000,
    completion_tokens=90,
    cached_tokens=300,
    cache_write_tokens=20,
    cache_write_1h_tokens=5,
    reasoning_tokens=40,
)

ENDS = [
    Outcome(status=200, usage=_USAGE, latency_ms=1500, first_byte_ms=300),
    Outcome(status=200, usage=_USAGE, latency_ms=300, first_byte_ms=300),
    Outcome(status=200, usage=Usage(completion_tokens=15), latency_ms=900, first_byte_ms=0),
    Outcome(status=200, latency_ms=700_000, basis=Basis.NONE),
    Outcome(status=200, error=CREDITS_EXHAUSTED, latency_ms=10, first_byte_ms=9),
    Outcome(status=200, error=INCREDIBLE_USAGE, usage=_USAGE, latency_ms=11),
    Outcome(status=200, error=CONTRADICTORY_USAGE, usage=_USAGE, latency_ms=13),
    Outcome(status=200, error="upstream_error", usage=_USAGE, latency_ms=20, first_byte_ms=3),
    Outcome(status=CLIENT_LEFT, error="client_left", latency_ms=20, first_byte_ms=3),
    Outcome(status=502, error="upstream_unavailable", latency_ms=20),
    Outcome(status=429, error="rate_limit"),
    Outcome(error="interrupted"),
    Outcome(),
]
"""Every kind of end that figures tell apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a call of a test is.

    Attributes:
        began, took: When it was admitted, and how much later it ended.
        cost: Microcredits; what is beyond the hold of 100 is written off.
        member_id: The member of a team who makes it; empty where the wallet is a person's own.
    """

    reference: str = "call-1"
    wallet_id: str = "wallet-1"
    began: datetime = NOON
    took: timedelta = MINUTE
    key_id: str | None = "key-1"
    member_id: str = ""
    model: str = "demo"
    endpoint: str = "/v1/chat/completions"
    stream: bool = True
    cost: int = 25
    outcome: Outcome = ENDS[0]
    closing: HoldState = HoldState.SETTLED


def make(transactions: Transactions, made: Made) -> Hold:
    """Make a call, from its hold to its end."""
    caller = WithoutKey(wallet_id=made.wallet_id, member_id=made.member_id)
    names = {caller.member_counter_id} - {""}
    with transactions.begin() as tx:
        for name in names - tx.keys.counters(names).keys():
            tx.keys.set_counter(KeyCounter(id=name, wallet_id=made.wallet_id, since=NOON - HOUR))
        books = tx.ledger.lock(Footprint(wallet_ids={made.wallet_id}, counter_ids=names))
        books.admit(
            made.wallet_id,
            Ceiling.of(Credits(100)),
            reference=made.reference,
            call=Call(
                model=made.model, endpoint=made.endpoint, stream=made.stream, key_id=made.key_id
            ),
            now=made.began,
            lifetime=HOUR,
            caller=caller,
        )
        hold = books.settle(
            made.reference,
            Credits(made.cost),
            at=made.began + made.took,
            outcome=made.outcome,
            closing=made.closing,
        )
        tx.ledger.write(books)
        tx.commit()
    return hold


def roll_up(transactions: Transactions, *, until: datetime) -> int:
    """Roll up as far as told, and return how many calls were counted."""
    calls = 0
    while True:
        with transactions.begin() as tx:
            step = tx.usage_hours.roll_up(until=until)
            tx.commit()
        calls += step.calls
        if step.until >= until:
            return calls


def used(
    transactions: Transactions, whose: UsageOf = WALLET, spans: Sequence[Span] = (WHOLE_DAY,)
) -> list[Tally]:
    """Return what was used in each span."""
    tallies = [NOTHING_USED for _ in spans]
    with transactions.begin() as tx:
        for share in tx.usage_hours.shares(whose, spans):
            tallies[share.span] += share.tally
    return tallies


def took(
    transactions: Transactions, whose: UsageOf = WALLET, spans: Sequence[Span] = (WHOLE_DAY,)
) -> list[Timing]:
    """Return how long calls took in each span."""
    with transactions.begin() as tx:
        return list(tx.usage_hours.timings(whose, spans))


class UsageHoursContract:
    """What was used, by the hour."""

    @pytest.mark.parametrize("rolled", [False, True], ids=["live", "rolled up"])
    @pytest.mark.parametrize("stream", [False, True], ids=["document", "stream"])
    def test_every_kind_of_end_counts_for_what_the_domain_says(
        self, transactions: Transactions, *, stream: bool, rolled: bool
    ) -> None:
        a_wallet(transactions, posted=10_000)
        calls = [
            make(
                transactions,
                Made(reference=f"call-{number}", outcome=outcome, cost=120, stream=stream),
            )
            for number, outcome in enumerate(ENDS)
        ]
        calls += [
            make(transactions, Made(reference=f"unpaid-{state}", cost=0, closing=state))
            for state in (HoldState.RELEASED, HoldState.EXPIRED)
        ]
        if rolled:
            assert roll_up(transactions, until=NOON + HOUR) == len(calls)

        assert used(transactions) == [sum(map(tally_of, calls), NOTHING_USED)]
        assert took(transactions) == [sum(map(timing_of, calls), NOTHING_MEASURED)]

    def test_nothing_is_counted_twice_or_left_out_wherever_the_roll_up_stands(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=10_000)
        calls = [
            make(
                transactions,
                Made(
                    reference=f"call-{number}",
                    began=NOON + 20 * number * MINUTE,
                    took=number * MINUTE,
                ),
            )
            for number in range(9)
        ]
        whole = sum(map(tally_of, calls), NOTHING_USED)

        for minutes in (0, 1, 45, 45, 61, 120, 400):
            roll_up(transactions, until=NOON + minutes * MINUTE)
            assert used(transactions) == [whole]
            with transactions.begin() as tx:
                assert tx.usage_hours.rolled_until() == NOON + minutes * MINUTE

    def test_an_earlier_instant_changes_nothing(self, transactions: Transactions) -> None:
        a_wallet(transactions, posted=100)
        make(transactions, Made())
        assert roll_up(transactions, until=NOON + HOUR) == 1

        with transactions.begin() as tx:
            step = tx.usage_hours.roll_up(until=NOON)
            tx.commit()

        assert (step.until, step.calls) == (NOON + HOUR, 0)
        assert used(transactions)[0].calls == 1

    def test_a_roll_up_that_was_not_committed_is_forgotten(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=100)
        make(transactions, Made())

        with transactions.begin() as tx:
            assert tx.usage_hours.roll_up(until=NOON + HOUR).calls == 1

        assert used(transactions)[0].calls == 1
        assert roll_up(transactions, until=NOON + HOUR) == 1

    def test_a_call_counts_when_it_ended_and_is_found_from_when_it_began(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        make(transactions, Made(took=3 * HOUR))
        spans = [
            Span(hour_of(NOON), hour_of(NOON) + HOUR),
            Span(hour_of(NOON) + 3 * HOUR, hour_of(NOON) + 4 * HOUR),
        ]

        for until in (NOON, NOON + 6 * HOUR):
            roll_up(transactions, until=until)
            assert [tally.calls for tally in used(transactions, WALLET, spans)] == [0, 1]
            with transactions.begin() as tx:
                [share] = tx.usage_hours.shares(WALLET, spans)
            assert share.oldest_call == NOON

    def test_a_call_that_was_open_long_is_counted_in_the_end(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        with transactions.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}))
            books.admit(
                "wallet-1",
                Ceiling.of(Credits(9)),
                reference="long",
                call=None,
                now=NOON,
                lifetime=HOUR,
            )
            tx.ledger.write(books)
            tx.commit()
        roll_up(transactions, until=NOON + 9 * HOUR)
        assert used(transactions) == [NOTHING_USED]

        with transactions.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}, hold_references={"long"}))
            books.settle("long", Credits(7), at=NOON + 10 * HOUR)
            tx.ledger.write(books)
            tx.commit()

        assert used(transactions)[0].charge == 7
        roll_up(transactions, until=NOON + 11 * HOUR)
        assert used(transactions)[0].charge == 7

    def test_an_hour_is_counted_again_from_its_calls(self, transactions: Transactions) -> None:
        a_wallet(transactions, posted=1000)
        make(transactions, Made(reference="in time"))
        refused = [
            RefusalCount("wallet-1", hour_of(NOON), "key-1", model, status, "no", calls)
            for model, status, calls in (("demo", 402, 1), ("demo", 429, 2), ("none", 404, 5))
        ]
        with transactions.begin() as tx:
            tx.usage_hours.add_refusals([*refused, *refused])
            tx.commit()
        roll_up(transactions, until=NOON + 2 * HOUR)
        make(transactions, Made(reference="late", cost=30))
        with transactions.begin() as tx:
            assert tx.usage_hours.differing_hours(WHOLE_DAY, limit=9) == [hour_of(NOON)]
            assert tx.usage_hours.recount(NOON + MINUTE) == 2
            tx.commit()

        with transactions.begin() as tx:
            assert tx.usage_hours.differing_hours(WHOLE_DAY, limit=9) == []
            assert tx.usage_hours.recount(NOON) == 2
            assert tx.usage_hours.recount(NOON + 2 * HOUR) == 0
            tx.commit()
        [tally] = used(transactions)
        assert (tally.calls, tally.charge) == (2, 55)
        assert (tally.refused_402, tally.refused_429, tally.refused_other) == (2, 4, 10)
        assert took(transactions)[0].latency.total == 2

    def test_a_cost_that_is_written_off_late_is_seen(self, transactions: Transactions) -> None:
        a_wallet(transactions, posted=1000)
        make(transactions, Made(cost=0, closing=HoldState.EXPIRED))
        roll_up(transactions, until=NOON + 2 * HOUR)
        with transactions.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={"wallet-1"}, hold_references={"call-1"}))
            books.settle("call-1", Credits(40), at=NOON + HOUR)
            tx.ledger.write(books)
            tx.commit()

        with transactions.begin() as tx:
            [hour] = tx.usage_hours.differing_hours(WHOLE_DAY, limit=9)
            tx.usage_hours.recount(hour)
            tx.commit()

        assert used(transactions)[0].written_off == 40

    def test_the_last_use_of_each_key_is_known_to_the_hour(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        a_wallet(transactions, posted=1000, wallet_id="wallet-2")
        make(transactions, Made(reference="1", model="old"))
        make(transactions, Made(reference="2", model="new", began=NOON + HOUR))
        roll_up(transactions, until=NOON + 2 * HOUR)
        make(transactions, Made(reference="3", key_id="key-2", began=NOON + 3 * HOUR))
        make(transactions, Made(reference="4", key_id="key-3", wallet_id="wallet-2"))
        refused = RefusalCount("wallet-1", hour_of(NOON) + 5 * HOUR, "key-1", "demo", 402, "no")

        with transactions.begin() as tx:
            tx.usage_hours.add_refusals([refused])
            assert tx.usage_hours.last_uses("wallet-1") == {
                "key-1": LastUse(hour_of(NOON) + HOUR, "new"),
                "key-2": LastUse(hour_of(NOON) + 3 * HOUR, "demo"),
            }
