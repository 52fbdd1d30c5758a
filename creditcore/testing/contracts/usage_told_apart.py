"""What was used, told apart by span, key and model."""

from __future__ import annotations

import pytest

from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import HOUR, hour_of
from creditcore.ports.transactions import Transactions
from creditcore.ports.usage_hours import UsageOf
from creditcore.testing.contracts.samples import NOON, a_wallet
from creditcore.testing.contracts.usage_hours import (
    WALLET,
    WHOLE_DAY,
    Made,
    make,
    roll_up,
    took,
    used,
)


class UsageToldApartContract:
    """Shares of what was used."""

    @pytest.mark.parametrize("rolled", [False, True], ids=["live", "rolled up"])
    def test_usage_is_told_apart_by_span_key_and_model_and_wallet(
        self, transactions: Transactions, *, rolled: bool
    ) -> None:
        a_wallet(transactions, posted=1000)
        a_wallet(transactions, posted=1000, wallet_id="wallet-2")
        make(transactions, Made(reference="1"))
        make(transactions, Made(reference="2", key_id="key-2", cost=30))
        make(transactions, Made(reference="3", model="other", began=NOON + HOUR, cost=35))
        make(transactions, Made(reference="4", key_id=None, began=NOON + HOUR, cost=40))
        make(transactions, Made(reference="5", wallet_id="wallet-2"))
        if rolled:
            roll_up(transactions, until=NOON + 5 * HOUR)
        first = Span(hour_of(NOON), hour_of(NOON) + HOUR)
        second = Span(first.until, first.until + HOUR)

        with transactions.begin() as tx:
            shares = tx.usage_hours.shares(WALLET, [first, second])

        assert {
            (share.span, share.key_id, share.model, share.tally.charge) for share in shares
        } == {
            (0, "key-1", "demo", 25),
            (0, "key-2", "demo", 30),
            (1, "key-1", "other", 35),
            (1, "", "demo", 40),
        }
        assert {share.oldest_call for share in shares} == {NOON, NOON + HOUR}
        spans = [first, second]
        charges = {
            "key": [t.charge for t in used(transactions, UsageOf("wallet-1", "key-1"), spans)],
            "no key": [t.charge for t in used(transactions, UsageOf("wallet-1", ""), spans)],
            "model": [
                t.charge for t in used(transactions, UsageOf("wallet-1", None, "demo"), spans)
            ],
            "both": [
                t.charge for t in used(transactions, UsageOf("wallet-1", "key-2", "demo"), spans)
            ],
        }
        assert charges == {"key": [25, 35], "no key": [0, 40], "model": [55, 40], "both": [30, 0]}
        assert [timing.latency.total for timing in took(transactions, WALLET, spans)] == [2, 2]
        assert used(transactions, WALLET, []) == []

    @pytest.mark.parametrize("rolled", [False, True])
    def test_usage_is_told_apart_by_what_is_asked_for(
        self, transactions: Transactions, *, rolled: bool
    ) -> None:
        a_wallet(transactions, posted=1000)
        for number, (key_id, model) in enumerate([("k", "one"), ("k", "two"), ("l", "two")]):
            make(transactions, Made(reference=f"call-{number}", key_id=key_id, model=model))
        if rolled:
            roll_up(transactions, until=NOON + 3 * HOUR)

        def told(*, by_key: bool = True, by_model: bool = True) -> set[tuple[str, str, int]]:
            with transactions.begin() as tx:
                shares = tx.usage_hours.shares(
                    WALLET, [WHOLE_DAY], by_key=by_key, by_model=by_model
                )
            return {(share.key_id, share.model, share.tally.calls) for share in shares}

        assert told(by_model=False) == {("k", "", 2), ("l", "", 1)}
        assert told(by_key=False) == {("", "one", 1), ("", "two", 2)}
        assert told(by_key=False, by_model=False) == {("", "", 3)}

    @pytest.mark.parametrize("by_key", [False, True])
    @pytest.mark.parametrize("by_model", [False, True])
    @pytest.mark.parametrize("rolled", [False, True])
    def test_a_whole_is_told_apart_also_where_its_spans_are_not(
        self, transactions: Transactions, *, rolled: bool, by_model: bool, by_key: bool
    ) -> None:
        a_wallet(transactions, posted=1000)
        for hours, (key_id, model) in enumerate([("k", "one"), ("k", "two"), ("l", "two")]):
            make(
                transactions,
                Made(
                    reference=f"call-{hours}",
                    key_id=key_id,
                    model=model,
                    began=NOON + hours * HOUR,
                    cost=10 + hours,
                ),
            )
        if rolled:
            roll_up(transactions, until=NOON + 8 * HOUR)
        noon = hour_of(NOON)
        spans = [Span(noon, noon + HOUR), Span(noon + HOUR, noon + 3 * HOUR)]

        with transactions.begin() as tx:
            shares = tx.usage_hours.shares(
                WALLET, spans, by_key=by_key, by_model=by_model, whole=WHOLE_DAY
            )

        told = {(share.span, share.key_id, share.model): share.tally.charge for share in shares}
        k, one, two = ("k" * by_key, "one" * by_model, "two" * by_model)
        apart = {(1, "k", two): 11, (1, "l", two): 12} if by_key else {(1, "", two): 23}
        assert told == {
            (0, k, one): 10,
            **apart,
            (2, "k", "one"): 10,
            (2, "k", "two"): 11,
            (2, "l", "two"): 12,
        }
        assert {share.oldest_call for share in shares if share.span == 0} == {NOON}
