"""Funded accounts, made by the same use cases as anybody's."""

from __future__ import annotations

from contextlib import closing

from adapters.pony_store import open_store
from creditcore import Credits, IssueKey, SystemClock, SystemIds
from creditcore.domain.identities import Identity
from creditcore.usecases.people.welcome_person import WelcomePerson

CREDITS = Credits.of(1_000_000_000)
"""Nobody runs out of this in a benchmark."""


def make_accounts(store_url: str, *, pepper: bytes, count: int) -> list[str]:
    """Make people with credits and a key each; return the keys."""
    clock, ids = SystemClock(), SystemIds()
    with closing(open_store(store_url)) as store:
        welcome = WelcomePerson(transactions=store, clock=clock, ids=ids, signup_credits=CREDITS)
        issue = IssueKey(transactions=store, clock=clock, ids=ids, pepper=pepper)
        keys = []
        for number in range(count):
            identity = Identity(
                subject=ids.new(), email=f"bench-{number}@example.com", email_verified=True
            )
            person = welcome.welcome(identity)
            keys.append(issue.issue(person.id, name="bench")[1].text)
    return keys
