"""Limits of a team's members, counted with the hold beside those of keys."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from creditcore.domain.books import Footprint
from creditcore.domain.callers import WithoutKey
from creditcore.domain.errors import InsufficientCreditsError, KeyRefusedError
from creditcore.domain.holds import Call, Hold
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.limits import KeyCounter, KeyLimits, Period, SpendLimit, member_counter_id
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling
from creditcore.domain.teams import Membership, TeamRole
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.system import SystemClock, SystemIds
from creditcore.testing.contracts.samples import NOON, at_once
from creditcore.testing.contracts.teams import a_team, some_people
from creditcore.usecases.books.group_commit import GroupCommit
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.keys.issue_key import IssueKey
from creditcore.usecases.teams.change_members import ChangeMembers
from creditcore.usecases.teams.membership_terms import begin_counting

_CALLERS = 40


@dataclass(frozen=True)
class _Office:
    """A team of Amina, its owner, and Baraka, a member; its wallet holds 1000 microcredits."""

    transactions: Transactions
    team_id: str
    wallet: Wallet

    @property
    def members(self) -> ChangeMembers:
        return ChangeMembers(transactions=self.transactions, clock=SystemClock())

    @property
    def baraka(self) -> WithoutKey:
        """Baraka, calling from a page."""
        return WithoutKey(wallet_id=self.wallet.id, member_id="baraka")

    def key_of(self, person_id: str, *, spend: int | None = None) -> ApiKey:
        keys = IssueKey(
            transactions=self.transactions, clock=SystemClock(), ids=SystemIds(), pepper=b"p"
        )
        limits = KeyLimits(spend=SpendLimit(credits=Credits(spend)) if spend else None)
        key, _ = keys.issue(self.team_id, name="laptop", holder_id=person_id, limits=limits)
        return key

    def limit(self, credits_: int | None, period: Period = Period.TOTAL) -> None:
        limit = None if credits_ is None else SpendLimit(credits=Credits(credits_), period=period)
        self.members.limit(self.team_id, "baraka", limit, by="amina")

    def counter(self) -> KeyCounter:
        name = member_counter_id(self.wallet.id, "baraka")
        with self.transactions.begin() as tx:
            return tx.keys.counters([name])[name]


def _office(transactions: Transactions) -> _Office:
    some_people(transactions, "amina", "baraka")
    team = a_team(transactions, "amina")
    with transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(team.id)
        gift = grant(
            wallet.id,
            Credits(1000),
            source=PlatformAccount.BONUS,
            kind=TransferKind.GRANT,
            reference="gift",
            at=NOON,
        )
        books = tx.ledger.lock(Footprint(wallet_ids={wallet.id}))
        books.post((gift,))
        tx.ledger.write(books)
        tx.teams.put(
            Membership(team_id=team.id, person_id="baraka", role=TeamRole.MEMBER, joined_at=NOON)
        )
        person = tx.people.find("baraka")
        assert person is not None
        begin_counting(tx, wallet, person, None, now=SystemClock().now())
        tx.commit()
    return _Office(transactions, team.id, wallet)


class MemberLimitsContract:
    """Limits of members that no number of callers, keys and hosts exceeds."""

    @pytest.fixture
    def books(self, transactions: Transactions) -> BooksTransactions:
        """Where money steps find their transactions, if elsewhere than everything else."""
        return transactions

    def test_forty_callers_with_two_keys_and_a_limit_for_seven(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        office = _office(transactions)
        keys = [office.key_of("baraka"), office.key_of("baraka", spend=500)]
        office.limit(79)

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            outcomes = at_once(_CALLERS, lambda n: _call(charge, keys[n % 2], f"call-{n}"))
            with pytest.raises(InsufficientCreditsError) as refusal:
                _call(charge, keys[0], "late")
            _call(charge, office.key_of("amina"), "of-another-member")

        assert sum(isinstance(outcome, Hold) for outcome in outcomes) == 7
        assert (refusal.value.limit, refusal.value.available) == ("member", Credits(9))
        counter = office.counter()
        assert (counter.held, counter.open_calls) == (Credits(70), 7)

    def test_the_tighter_of_two_limits_counts_and_both_are_settled(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        office = _office(transactions)
        key = office.key_of("baraka", spend=30)
        office.limit(50)

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            hold = _call(charge, key, "call-1")
            grown = charge.extend(hold, ceiling=Ceiling.of(Credits(500)), output_bound=0).hold
            assert grown.amount == Credits(30)
            for _ in range(2):
                charge.settle(grown, Credits(25))
            with pytest.raises(InsufficientCreditsError) as refusal:
                _call(charge, key, "beyond-the-key", 6)
            assert (refusal.value.limit, refusal.value.available) == ("key", Credits(5))
            office.limit(28)
            with pytest.raises(InsufficientCreditsError) as refusal:
                _call(charge, key, "beyond-the-member", 4)
            assert (refusal.value.limit, refusal.value.available) == ("member", Credits(3))
            without_key = charge.authorize(
                office.wallet.id, ceiling=Credits(3), reference="page", caller=office.baraka
            )
            charge.release(without_key.hold)

        counter = office.counter()
        assert (counter.spent, counter.held, counter.open_calls) == (Credits(25), ZERO, 0)
        with transactions.begin() as tx:
            assert not tx.audit.breaches("I12", limit=9)

    def test_a_limit_set_later_counts_from_then_on_and_may_be_raised_once(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        office = _office(transactions)
        key = office.key_of("baraka")

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            charge.settle(_call(charge, key, "before", 500), Credits(500))
            office.limit(100, Period.MONTH)
            charge.settle(_call(charge, key, "within", 100), Credits(100))
            with pytest.raises(InsufficientCreditsError):
                _call(charge, key, "beyond", 1)
            office.members.raise_once(office.team_id, "baraka", Credits(40), by="amina")
            charge.settle(_call(charge, key, "raised", 40), Credits(40))
            with pytest.raises(InsufficientCreditsError) as refusal:
                _call(charge, key, "beyond-again", 1)
            assert refusal.value.resets_at is not None
            office.limit(None)
            charge.settle(_call(charge, key, "unlimited", 200), Credits(200))

        assert office.counter().spent == Credits(200)

    def test_who_leaves_holds_nothing_more_and_what_they_hold_is_settled(
        self, transactions: Transactions, books: BooksTransactions
    ) -> None:
        office = _office(transactions)
        key = office.key_of("baraka")

        with GroupCommit(transactions=books, clock=SystemClock()) as commits:
            charge = ChargeUsage(commits=commits, transactions=transactions, clock=SystemClock())
            running = _call(charge, key, "running")
            assert office.members.leave(office.team_id, "baraka") == 1
            with pytest.raises(KeyRefusedError, match="revoked"):
                _call(charge, key, "with-the-key")
            with pytest.raises(InsufficientCreditsError):
                charge.authorize(
                    office.wallet.id, ceiling=Credits(1), reference="page", caller=office.baraka
                )
            assert charge.settle(running, Credits(9)).charged == Credits(9)

        counter = office.counter()
        assert (counter.held, counter.open_calls, counter.spent) == (ZERO, 0, Credits(9))


def _call(charge: ChargeUsage, key: ApiKey, reference: str, amount: int = 10) -> Hold:
    return charge.authorize_key(
        key.key_hash,
        ceiling=Ceiling.of(Credits(amount)),
        reference=reference,
        call=Call(model="demo"),
    ).hold
