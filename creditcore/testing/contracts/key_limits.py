"""Limits of keys that are counted with the hold: spend, and calls at the same time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore.domain.books import Footprint
from creditcore.domain.callers import WithoutKey
from creditcore.domain.errors import (
    InsufficientCreditsError,
    KeyRefusedError,
    LimitReachedError,
    NotPermittedError,
)
from creditcore.domain.holds import Call, Hold
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import (
    KeyCounter,
    KeyLimits,
    Period,
    SpendLimit,
    account_counter_id,
)
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.system import SystemClock
from creditcore.testing.contracts.samples import MINUTE, NOON, a_key, a_wallet, at_once
from creditcore.testing.memory import FixedClock
from creditcore.usecases.books.group_commit import GroupCommit
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.keys.limit_account import LimitAccount

_CALLERS = 40


def a_stored_key(transactions: Transactions, wallet: Wallet, limits: KeyLimits) -> ApiKey:
    """Store a key with limits, and its counter."""
    key = replace(a_key(wallet), limits=limits)
    with transactions.begin() as tx:
        tx.keys.add(key)
        tx.keys.set_counter(_counter(key))
        tx.commit()
    return key


def change(transactions: Transactions, key: ApiKey, limits: KeyLimits) -> ApiKey:
    """Change the limits of a stored key."""
    with transactions.begin() as tx:
        changed = tx.keys.lock(key.id, owner_id=key.owner_id).changed(limits=limits)
        tx.keys.save(changed)
        counter = tx.keys.counters([key.counter_id])[key.counter_id]
        tx.keys.set_counter(counter._replace(limit=_counter(changed).limit))
        tx.commit()
    return changed


def counter_of(transactions: Transactions, key: ApiKey) -> KeyCounter:
    """Return what a key has used."""
    with transactions.begin() as tx:
        return tx.keys.counters([key.counter_id])[key.counter_id]


def _counter(key: ApiKey) -> KeyCounter:
    spend = key.limits.spend
    limit = spend.credits if spend else None
    return KeyCounter(id=key.counter_id, wallet_id=key.wallet_id, since=NOON, limit=limit)


class KeyLimitsContract:
    """Limits that no number of callers exceeds, through a group commit on this store."""

    @pytest.fixture
    def books(self, transactions: Transactions) -> BooksTransactions:
        """Where money steps find their transactions, if elsewhere than everything else."""
        return transactions

    def test_forty_callers_and_a_spend_limit_for_seven(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        wallet = a_wallet(transactions, posted=1000)
        key = a_stored_key(transactions, wallet, KeyLimits(spend=SpendLimit(credits=Credits(79))))

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            outcomes = at_once(_CALLERS, lambda index: _call(charge, key, f"call-{index}"))
            with pytest.raises(InsufficientCreditsError) as refusal:
                _call(charge, key, "late")

        refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert (len(outcomes) - len(refused), len(refused)) == (7, _CALLERS - 7)
        assert (refusal.value.limit, refusal.value.available) == ("key", Credits(9))
        counter = counter_of(transactions, key)
        assert (counter.held, counter.open_calls) == (Credits(70), 7)

    def test_forty_callers_and_five_at_a_time(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        wallet = a_wallet(transactions, posted=1000)
        key = a_stored_key(transactions, wallet, KeyLimits(max_parallel=5))

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            outcomes = at_once(_CALLERS, lambda index: _call(charge, key, f"call-{index}"))

        refused = [outcome for outcome in outcomes if isinstance(outcome, LimitReachedError)]
        assert (len(outcomes) - len(refused), len(refused)) == (5, _CALLERS - 5)
        assert counter_of(transactions, key).open_calls == 5

    def test_what_calls_leave_may_be_used_again(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        wallet = a_wallet(transactions, posted=1000)
        limits = KeyLimits(spend=SpendLimit(credits=Credits(20)), max_parallel=1)
        key = a_stored_key(transactions, wallet, limits)

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            for number, cost in enumerate((3, 4, 0, 13)):
                hold = charge.authorize_key(
                    key.key_hash,
                    ceiling=Ceiling.of(Credits(13)),
                    reference=f"call-{number}",
                    call=Call(model="demo"),
                ).hold
                for _ in range(2):
                    charge.settle(hold, Credits(cost))
            with pytest.raises(InsufficientCreditsError):
                _call(charge, key, "one-above", 1)

        counter = counter_of(transactions, key)
        assert (counter.spent, counter.held, counter.open_calls) == (Credits(20), ZERO, 0)

    def test_a_hold_grows_within_the_limit_and_expires_out_of_it(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        wallet = a_wallet(transactions, posted=1000)
        key = a_stored_key(
            transactions, wallet, KeyLimits(spend=SpendLimit(credits=Credits(30)), max_parallel=9)
        )

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(
                commits=commits,
                transactions=transactions,
                clock=SystemClock(),
                lifetime=timedelta(seconds=-1),
            )
            hold = _call(charge, key, "call-1")
            grown = charge.extend(hold, ceiling=Ceiling.of(Credits(500)), output_bound=0).hold
            assert counter_of(transactions, key).held == grown.amount == Credits(30)
            assert charge.expire() == 1

        counter = counter_of(transactions, key)
        assert (counter.spent, counter.held, counter.open_calls) == (ZERO, ZERO, 0)

    def test_a_changed_limit_counts_with_the_next_call(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        wallet = a_wallet(transactions, posted=1000)
        key = a_stored_key(transactions, wallet, KeyLimits(spend=SpendLimit(credits=Credits(100))))

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            for number in range(5):
                charge.settle(_call(charge, key, f"call-{number}", 4), Credits(4))
            for limit in (19, 21):
                change(transactions, key, KeyLimits(spend=SpendLimit(credits=Credits(limit))))
                with pytest.raises(InsufficientCreditsError) as refusal:
                    _call(charge, key, "too-much", 2)
                assert refusal.value.available == max(ZERO, Credits(limit - 20))
            change(transactions, key, KeyLimits(max_parallel=1))
            charge.settle(_call(charge, key, "unlimited", 100), Credits(1))

        assert counter_of(transactions, key).open_calls == 0

    @pytest.mark.parametrize("raised", [0, 9])
    @pytest.mark.parametrize("later", [timedelta(0), timedelta(days=1)], ids=["same", "later"])
    def test_a_count_is_stored_as_a_step_leaves_it(
        self,
        transactions: Transactions,
        books: BooksTransactions,
        later: timedelta,
        raised: int,
    ) -> None:
        wallet = a_wallet(transactions, posted=1000)
        spend = SpendLimit(credits=Credits(100), period=Period.DAY)
        key = a_stored_key(transactions, wallet, KeyLimits(spend=spend))
        counter = _counter(key)._replace(
            since=spend.starts_at(NOON), spent=Credits(7), raised=Credits(raised)
        )
        with transactions.begin() as tx:
            tx.keys.set_counter(counter)
            tx.commit()

        with books.begin() as tx:
            locked = tx.ledger.lock(Footprint(key_hashes={key.key_hash}, new_references={"call-1"}))
            locked.admit(
                wallet.id,
                Ceiling.of(Credits(10)),
                reference="call-1",
                call=None,
                now=NOON + later,
                lifetime=MINUTE,
                caller=key,
            )
            tx.ledger.write(locked)
            tx.commit()

        left = counter._replace(held=Credits(10), open_calls=1)
        if later:
            left = left._replace(since=spend.starts_at(NOON + later), spent=ZERO, raised=ZERO)
        assert counter_of(transactions, key) == left

    def test_keys_and_pages_of_an_account_do_not_multiply_its_limits(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        wallet = a_wallet(transactions, posted=1000)
        shared = KeyLimits(spend=SpendLimit(credits=Credits(99)), max_parallel=5)
        keys = _of_an_account(transactions, wallet, shared)
        page = WithoutKey(wallet_id=wallet.id, account_limits=shared)

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            callers = (*keys, page)
            outcomes = at_once(
                _CALLERS, lambda index: _call(charge, callers[index % 3], f"call-{index}")
            )
            holds = [outcome for outcome in outcomes if isinstance(outcome, Hold)]
            refused = [each for each in outcomes if isinstance(each, LimitReachedError)]
            assert (len(holds), len(refused)) == (5, _CALLERS - 5)
            assert {refusal.whose for refusal in refused} == {"account"}
            for hold in holds:
                charge.settle(hold, Credits(9))
            grown = charge.extend(
                _call(charge, keys[0], "grows"), ceiling=Ceiling.of(Credits(500)), output_bound=0
            )
            for caller in (keys[1], page):
                with pytest.raises(InsufficientCreditsError) as refusal:
                    _call(charge, caller, "one-above", 1)

        assert grown.hold.amount == Credits(99 - 5 * 9)
        assert (refusal.value.limit, refusal.value.available) == ("account", ZERO)
        with transactions.begin() as tx:
            [counter] = tx.keys.counters([account_counter_id(wallet.id)]).values()
        assert (counter.spent, counter.held, counter.open_calls) == (Credits(45), Credits(54), 1)
        own = counter_of(transactions, keys[0])
        assert (own.held, own.open_calls) == (Credits(54), 1)

    def test_an_account_that_is_limited_later_counts_from_then_on(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        wallet = a_wallet(transactions, posted=1000)
        key = a_stored_key(transactions, wallet, KeyLimits())
        limit = LimitAccount(transactions=transactions, clock=SystemClock())

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            before = _call(charge, key, "before")
            assert limit.limit(wallet.id, KeyLimits(max_parallel=1)) == 1
            during = _call(charge, key, "during")
            with pytest.raises(LimitReachedError):
                _call(charge, key, "one-above")
            for hold in (before, during):
                charge.settle(hold, Credits(1))
            limit.limit(wallet.id, KeyLimits())
            for number in range(2):
                _call(charge, key, f"after-{number}")

    def test_pausing_and_resuming_count_with_the_next_call(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        key = a_stored_key(transactions, a_wallet(transactions, posted=1000), KeyLimits())

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            for number in range(5):
                charge.settle(_call(charge, key, f"call-{number}"), ZERO)
            for number in range(2):
                key = _save(transactions, key.changed(paused_at=NOON))
                with pytest.raises(KeyRefusedError, match="paused"):
                    _call(charge, key, "paused")
                key = _save(transactions, key.changed(paused_at=None))
                charge.settle(_call(charge, key, f"resumed-{number}"), ZERO)

    def test_a_key_calls_from_where_and_what_it_names(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        limits = KeyLimits(models=("demo*",), addresses=("203.0.113.0/24",))
        key = a_stored_key(transactions, a_wallet(transactions, posted=1000), limits)

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            for model, address in (
                ("demo", "198.51.100.1"),
                ("demo", None),
                ("other", "203.0.113.7"),
            ):
                with pytest.raises(NotPermittedError):
                    _call(charge, key, "refused", model=model, address=address)
            hold = _call(charge, key, "call-1", model="demo-2", address="203.0.113.7")

        assert hold.is_open


def _of_an_account(
    transactions: Transactions, wallet: Wallet, shared: KeyLimits
) -> tuple[ApiKey, ApiKey]:
    """Return two keys of a limited account, the first of which has a limit of its own too."""
    LimitAccount(transactions=transactions, clock=FixedClock(NOON)).limit(wallet.id, shared)
    first = replace(a_key(wallet), limits=KeyLimits(max_parallel=50), account_limits=shared)
    second = replace(a_key(wallet, key_id="key-2", key_hash=b"i" * 32), account_limits=shared)
    with transactions.begin() as tx:
        for key in (first, second):
            tx.keys.add(key)
        tx.keys.set_counter(_counter(first))
        tx.commit()
    return first, second


def _save(transactions: Transactions, key: ApiKey) -> ApiKey:
    with transactions.begin() as tx:
        tx.keys.save(key)
        tx.commit()
    return key


def _call(
    charge: ChargeUsage,
    caller: ApiKey | WithoutKey,
    reference: str,
    amount: int = 10,
    *,
    model: str = "demo",
    address: str | None = None,
) -> Hold:
    if isinstance(caller, WithoutKey):
        return charge.authorize(
            caller.wallet_id, ceiling=Credits(amount), reference=reference, caller=caller
        ).hold
    return charge.authorize_key(
        caller.key_hash,
        ceiling=Ceiling.of(Credits(amount)),
        reference=reference,
        call=Call(model=model),
        address=address,
    ).hold
