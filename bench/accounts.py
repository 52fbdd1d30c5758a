"""Funded accounts, made by the same use cases as a customer's."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from adapters.pony_store import open_store
from creditcore import Credits, IssueKey, SystemClock, SystemIds
from creditcore.domain.identities import Identity
from creditcore.domain.limits import KeyLimits
from creditcore.usecases.keys.limit_account import LimitAccount
from creditcore.usecases.people.welcome_person import WelcomePerson

CREDITS = Credits.of(1_000_000_000)
"""No account runs out of this in a benchmark."""


def make_accounts(
    store_url: str, *, pepper: bytes, count: int, limits: KeyLimits | None = None
) -> list[str]:
    """Make people with credits and a key each; return the keys.

    With limits, each key has all of them, and each account those that accounts have.
    """
    clock, ids = SystemClock(), SystemIds()
    with closing(open_store(store_url)) as store:
        welcome = WelcomePerson(
            transactions=store,
            clock=clock,
            ids=ids,
            signup_credits=CREDITS,
            # All of them come on one day.
            credits_per_day=Credits(CREDITS.microcredits * count),
        )
        issue = IssueKey(transactions=store, clock=clock, ids=ids, pepper=pepper)
        limiting = LimitAccount(transactions=store, clock=clock)
        keys = []
        for number in range(count):
            identity = Identity(
                subject=ids.new(), email=f"bench-{number}@example.com", email_verified=True
            )
            person = welcome.welcome(identity)
            if limits is not None:
                with store.begin() as tx:
                    wallet = tx.ledger.find_wallet_of(person.id)
                limiting.limit(wallet.id, replace(limits, models=(), addresses=()))
            keys.append(issue.issue(person.id, name="bench", limits=limits)[1].text)
    return keys
