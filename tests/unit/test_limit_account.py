"""Limits that all keys of an account share."""

from __future__ import annotations

import pytest

from creditcore import Credits, IssueKey
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.identities import Identity
from creditcore.domain.keys import Scope
from creditcore.domain.limits import KeyLimits, SpendLimit, account_counter_id
from creditcore.testing.contracts import a_wallet
from creditcore.testing.memory import FixedClock, MemoryTransactions, SequentialIds
from creditcore.usecases.keys.limit_account import LimitAccount
from creditcore.usecases.keys.read_keys import ReadKeys
from creditcore.usecases.people.welcome_person import WelcomePerson

OWNER = "owner-of-wallet-1"
LIMITS = KeyLimits(spend=SpendLimit(credits=Credits(7)), rpm=60)


class Office:
    """Where accounts are limited, and keys made."""

    def __init__(self, *, defaults: KeyLimits | None = None) -> None:
        self.store, self.clock, self.ids = MemoryTransactions(), FixedClock(), SequentialIds()
        a_wallet(self.store, posted=100)
        self.limiting = LimitAccount(transactions=self.store, clock=self.clock)
        self.issuing = IssueKey(
            transactions=self.store,
            clock=self.clock,
            ids=self.ids,
            pepper=b"pepper",
            defaults=defaults or KeyLimits(),
        )


def test_keys_that_are_there_and_keys_to_come_have_the_limits() -> None:
    office = Office()
    old, _ = office.issuing.issue(OWNER, name="old")

    assert office.limiting.limit("wallet-1", LIMITS) == 1

    new, _ = office.issuing.issue(OWNER, name="new")
    keys = office.store.committed.keys
    assert {keys[key.id].account_limits for key in (old, new)} == {LIMITS}
    assert keys[old.id].revision == 1
    assert office.limiting.of("wallet-1") == LIMITS
    view = ReadKeys(transactions=office.store, clock=office.clock).one(new.id, owner_id=OWNER)
    assert view.credit_balance == Credits(7)


def test_a_repeat_changes_nothing_and_each_change_is_in_the_log() -> None:
    office = Office()
    office.issuing.issue(OWNER, name="old")
    for limits in (LIMITS, LIMITS, KeyLimits()):
        office.limiting.limit("wallet-1", limits)

    acts = [act for act in office.store.committed.activity.values() if act.act != "key.issued"]
    assert [(act.before["limits"], act.after["limits"]) for act in acts] == [
        ("", "spend=0.000007 rpm=60"),
        ("spend=0.000007 rpm=60", ""),
    ]
    assert office.store.committed.counters[account_counter_id("wallet-1")].limit is None


def test_an_account_is_not_limited_to_models() -> None:
    with pytest.raises(InvalidRequestError):
        Office().limiting.limit("wallet-1", KeyLimits(models=("demo",)))


def test_those_of_whom_it_was_never_said_are_limited_once() -> None:
    office = Office()
    for number in (2, 3):
        a_wallet(office.store, wallet_id=f"wallet-{number}")
    office.limiting.limit("wallet-2", KeyLimits())

    assert office.limiting.limit_the_rest(LIMITS) == 2
    assert office.limiting.limit_the_rest(LIMITS) == 0
    assert office.limiting.of("wallet-2") == KeyLimits()


def test_newcomers_are_limited() -> None:
    office = Office()
    welcome = WelcomePerson(
        transactions=office.store, clock=office.clock, ids=office.ids, account_limits=LIMITS
    )

    person = welcome.welcome(Identity(subject="p", email="p@x.ke", email_verified=True))

    with office.store.begin() as tx:
        wallet = tx.ledger.find_wallet_of(person.id)
    assert office.limiting.of(wallet.id) == LIMITS


def test_a_key_whose_maker_names_no_limits_has_the_operators() -> None:
    office = Office(defaults=LIMITS)

    plain, _ = office.issuing.issue(OWNER, name="plain")
    named, _ = office.issuing.issue(OWNER, name="named", limits=KeyLimits(rpm=5))
    manager, _ = office.issuing.issue(OWNER, name="manager", scopes=tuple(Scope))

    assert [key.limits for key in (plain, named, manager)] == [
        LIMITS,
        KeyLimits(rpm=5),
        KeyLimits(),
    ]
