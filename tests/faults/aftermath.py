"""What is left of an account's calls after something went wrong."""

from __future__ import annotations

from collections.abc import Iterable

from creditcore import Hold
from tests.stack import Account, Stack, wait_until

MAX_CALLS = 100_000


def calls_of(stack: Stack, account: Account) -> list[Hold]:
    """Return all of them, the newest first."""
    with stack.store.begin() as tx:
        return list(tx.calls.recent(account.wallet_id, limit=MAX_CALLS))


def open_holds(stack: Stack, account: Account) -> list[Hold]:
    return [hold for hold in calls_of(stack, account) if hold.is_open]


def let_time_pass(stack: Stack, holds: Iterable[Hold]) -> None:
    """Make holds as old as they would get, had we the time."""
    with stack.store.begin() as tx:
        for hold in holds:
            tx._session.change(
                "UPDATE usage_logs SET expires_at = created_at + 1 WHERE id = ?", (hold.reference,)
            )
        tx.commit()


def sweep(stack: Stack, account: Account) -> None:
    """See the holds closed that are too old. On SQLite the gateway does it by itself."""
    if stack.database_url.startswith("postgres"):
        stack.flask("worker", "--once")
    wait_until(lambda: not open_holds(stack, account))


def wait_until_closed(stack: Stack, account: Account, references: set[str]) -> None:
    """Wait until some calls have been settled or released by who served them."""
    wait_until(lambda: references.isdisjoint(hold.reference for hold in open_holds(stack, account)))
