"""How many calls failed, of which model and by what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.endings import UNREPORTED, error_of
from creditcore.domain.holds import Hold, HoldState, Outcome
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import HOUR, NOTHING_USED, Tally, hour_of, tally_of
from creditcore.ports.calls import Place, WantedCalls
from creditcore.ports.oversight import WantedFailures
from creditcore.ports.transactions import Transactions
from creditcore.ports.usage_hours import FIGURES_OF_FAILED, RefusalCount, UsageOf
from creditcore.testing.contracts.samples import MINUTE, NOON, a_wallet
from creditcore.testing.contracts.usage_hours import (
    ENDS,
    WALLET,
    WHOLE_DAY,
    Made,
    make,
    roll_up,
    used,
)

_DOWN = Outcome(status=502, error="upstream_unavailable")
_SLOW = Outcome(status=504, error="upstream_timeout")
_FIRST = Span(hour_of(NOON), hour_of(NOON) + HOUR)
_SECOND = Span(_FIRST.until, _FIRST.until + HOUR)


def _some_failures(transactions: Transactions) -> list[Hold]:
    """Make five calls that failed, of two keys and models, in two wallets and hours."""
    for wallet_id in ("wallet-1", "wallet-2"):
        a_wallet(transactions, posted=1000, wallet_id=wallet_id)
    made = [
        Made(reference="1", outcome=_DOWN),
        Made(reference="2", outcome=_DOWN, key_id=None),
        Made(reference="3", outcome=_SLOW, model="other"),
        Made(reference="4", outcome=_DOWN, began=NOON + HOUR),
        Made(reference="5", outcome=_SLOW, wallet_id="wallet-2"),
    ]
    make(transactions, Made(reference="done"))
    return [make(transactions, each) for each in made]


class FailuresContract:
    """Calls that failed, counted by the hour as all calls are."""

    @pytest.mark.parametrize("rolled", [False, True], ids=["live", "rolled up"])
    def test_every_call_that_failed_is_counted_by_its_error(
        self, transactions: Transactions, *, rolled: bool
    ) -> None:
        a_wallet(transactions, posted=10_000)
        calls = [
            make(transactions, Made(reference=f"call-{number}", outcome=outcome))
            for number, outcome in enumerate(ENDS)
        ]
        calls.append(make(transactions, Made(reference="late", cost=0, closing=HoldState.EXPIRED)))
        if rolled:
            roll_up(transactions, until=NOON + HOUR)

        with transactions.begin() as tx:
            found = tx.usage_hours.failures(WALLET, [WHOLE_DAY])
            everywhere = tx.oversight.failures([WHOLE_DAY])

        errors = [error for hold in calls if (error := error_of(hold))]
        assert UNREPORTED in errors
        expected: dict[str, Tally] = {}
        for hold in calls:
            if error := error_of(hold):
                expected[error] = expected.get(error, NOTHING_USED) + tally_of(hold)
        for counts in (found, everywhere):
            assert {each.error: each.tally for each in counts} == {
                error: Tally(**{name: getattr(tally, name) for name in FIGURES_OF_FAILED})
                for error, tally in expected.items()
            }
        assert expected["upstream_error"].prompt_tokens > 0
        assert used(transactions)[0].failed == len(errors)
        for error in set(errors):
            wanted = WantedCalls(wallet_id="wallet-1", error=error)
            with transactions.begin() as tx:
                listed = tx.calls.older(wanted, limit=99)
            assert [error_of(hold) for hold in listed] == [error] * errors.count(error)

    @pytest.mark.parametrize("rolled", [False, True], ids=["live", "rolled up"])
    def test_failures_are_told_apart_by_span_and_narrowed_as_usage_is(
        self, transactions: Transactions, *, rolled: bool
    ) -> None:
        _some_failures(transactions)
        if rolled:
            roll_up(transactions, until=NOON + 5 * HOUR)

        def found(whose: UsageOf) -> set[tuple[int, str, str, int]]:
            with transactions.begin() as tx:
                rows = tx.usage_hours.failures(whose, [_FIRST, _SECOND])
            return {(row.span, row.model, row.error, row.tally.failed) for row in rows}

        down, slow = "upstream_unavailable", "upstream_timeout"
        later = (1, "demo", down, 1)
        assert found(WALLET) == {(0, "demo", down, 2), (0, "other", slow, 1), later}
        assert found(UsageOf("wallet-1", "key-1", "demo")) == {(0, "demo", down, 1), later}
        assert found(UsageOf("wallet-1", "")) == {(0, "demo", down, 1)}
        with transactions.begin() as tx:
            everywhere = tx.oversight.failures([_FIRST])
            # What ended between two spans is in neither, however long they are.
            after = Span(_SECOND.until, _SECOND.until + 3 * HOUR)
            apart = tx.usage_hours.failures(WALLET, [_FIRST, after])
            assert {row.span for row in apart} == {0}
            assert list(tx.usage_hours.failures(WALLET, [])) == []
            assert list(tx.oversight.failures([])) == []
        assert (0, "demo", slow) in {(row.span, row.model, row.error) for row in everywhere}
        assert sum(row.tally.failed for row in everywhere) == 4

    def test_an_hour_that_is_counted_again_counts_its_failures_once(
        self, transactions: Transactions
    ) -> None:
        _some_failures(transactions)
        roll_up(transactions, until=NOON + 5 * HOUR)
        make(transactions, Made(reference="late", outcome=_SLOW))
        for _ in range(2):
            with transactions.begin() as tx:
                tx.usage_hours.recount(NOON)
                tx.commit()

        with transactions.begin() as tx:
            counted = tx.usage_hours.failures(WALLET, [_FIRST])
            assert tx.usage_hours.differing_hours(WHOLE_DAY, limit=9) == []
        failed = sum(row.tally.failed for row in counted)
        assert failed == used(transactions, WALLET, [_FIRST])[0].failed

    def test_refusals_are_counted_by_error_and_narrowed_as_usage_is(
        self, transactions: Transactions
    ) -> None:
        for wallet_id in ("wallet-1", "wallet-2"):
            a_wallet(transactions, wallet_id=wallet_id)
        counts = [
            RefusalCount("wallet-1", _FIRST.since, "key-1", "demo", 429, "too_fast", 2),
            RefusalCount("wallet-1", _FIRST.since, "key-1", "demo", 429, "too_fast"),
            RefusalCount("wallet-1", _FIRST.since, "key-2", "", 400, "invalid"),
            RefusalCount("wallet-1", _SECOND.since, "key-1", "demo", 402, "no_credits"),
            RefusalCount("wallet-2", _FIRST.since, "key-9", "demo", 404, "invalid"),
        ]
        with transactions.begin() as tx:
            tx.usage_hours.add_refusals(counts[:1])
            tx.usage_hours.add_refusals(counts[1:])
            tx.commit()
        roll_up(transactions, until=NOON + 5 * HOUR)

        def found(whose: UsageOf) -> set[tuple[int, str, str, Tally]]:
            with transactions.begin() as tx:
                rows = tx.usage_hours.refusals(whose, [_FIRST, _SECOND])
            return {(row.span, row.model, row.error, row.tally) for row in rows}

        too_fast = (0, "demo", "too_fast", Tally(refused_429=3))
        invalid = (0, "", "invalid", Tally(refused_other=1))
        unpaid = (1, "demo", "no_credits", Tally(refused_402=1))
        assert found(WALLET) == {too_fast, invalid, unpaid}
        assert found(UsageOf("wallet-1", "key-1", "demo")) == {too_fast, unpaid}
        assert found(UsageOf("wallet-1", "")) == set()
        assert used(transactions) == [sum((each.tally for each in counts[:4]), NOTHING_USED)]
        with transactions.begin() as tx:
            tx.usage_hours.recount(NOON)
            assert list(tx.usage_hours.refusals(WALLET, [])) == []
            tx.commit()
        assert found(UsageOf("wallet-1", "key-2")) == {invalid}

    def test_failed_calls_of_everybody_are_listed_the_latest_to_end_first(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=1000)
        calls = [
            make(transactions, Made(reference=f"{n}", outcome=_DOWN, began=NOON + n * MINUTE))
            for n in range(4)
        ]
        slow = make(transactions, Made(reference="slow", outcome=_SLOW, model="other"))
        make(transactions, Made(reference="done"))
        wanted = WantedFailures(_FIRST)

        def listed(which: WantedFailures, before: Place | None = None) -> list[str]:
            with transactions.begin() as tx:
                found = tx.oversight.failed_calls(which, limit=3, before=before)
            return [hold.reference for hold in found]

        assert listed(wanted) == ["3", "2", "1"]
        assert calls[1].closed_at is not None
        assert listed(wanted, Place(calls[1].closed_at, "1")) == ["slow", "0"]
        assert listed(replace(wanted, model="other")) == [slow.reference]
        assert listed(replace(wanted, error="upstream_timeout")) == [slow.reference]
        assert listed(replace(wanted, span=_SECOND)) == []
