"""Funded accounts, made by the same use cases as a customer's."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace

from adapters.pony_store import open_store
from creditcore import Credits, IssueKey, SystemClock, SystemIds
from creditcore.domain.identities import Identity
from creditcore.domain.limits import KeyLimits
from creditcore.ports.transactions import Transactions
from creditcore.usecases.keys.limit_account import LimitAccount
from creditcore.usecases.people.welcome_person import WelcomePerson

CREDITS = Credits.of(1_000_000_000)
"""No account runs out of this in a benchmark."""


def make_accounts(
    store_url: str,
    *,
    pepper: bytes,
    count: int,
    limits: KeyLimits | None = None,
    has_copies: bool = False,
) -> list[str]:
    """Make people with credits and a key each; return the keys.

    With limits, each key has all of them, and each account those that accounts have. With
    copies, LiteLLM is taken to have one of each key, as it should be.
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
            key, secret = issue.issue(person.id, name="bench", limits=limits)
            if has_copies:
                _note_copy(store, key.id)
            keys.append(secret.text)
    return keys


def _note_copy(store: Transactions, key_id: str) -> None:
    """Note a key's copy as one that was read back; the stand-in keeps none, and lets all in."""
    with store.begin() as tx:
        mirror = tx.mirrors.find([key_id])[key_id]
        name = hashlib.sha256(key_id.encode()).hexdigest()
        tx.mirrors.save(mirror.synced(name, at=SystemClock().now()))
        tx.commit()
