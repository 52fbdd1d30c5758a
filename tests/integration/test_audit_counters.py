"""The audit of what limited keys and accounts have used (I12)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.pony_store import PonyTransactions, open_store
from creditcore.domain.limits import KeyLimits, Period, SpendLimit
from creditcore.domain.money import Credits
from creditcore.testing.contracts import NOON, a_key, a_wallet, admit, settle
from creditcore.testing.memory import FixedClock
from creditcore.usecases.keys.key_counting import count
from creditcore.usecases.keys.limit_account import LimitAccount
from tests.stores import migrated_postgres_database, migrated_sqlite_file

KEY, ACCOUNT = "key_counters key-1", "key_counters account:wallet-1"
DAMAGES = [
    (KEY, "UPDATE key_counters SET held = held + 1 WHERE id = 'key-1'"),
    (ACCOUNT, "UPDATE key_counters SET open_calls = 0 WHERE id <> 'key-1'"),
    (ACCOUNT, "UPDATE key_counters SET spent = spent - 1 WHERE id <> 'key-1'"),
    (KEY, "UPDATE usage_logs SET counter_id = NULL WHERE id = 'open'"),
    (ACCOUNT, "UPDATE usage_logs SET account_counted_since = 1 WHERE id = 'settled'"),
    ("virtual_keys key-1", "UPDATE account_limits SET rpm = 1"),
    ("virtual_keys key-1", "UPDATE virtual_keys SET account_spend_zone = 'Africa/Nairobi'"),
]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PonyTransactions]:
    """A limited key of a limited account, with an open call and one that was charged."""
    if request.param == "sqlite":
        with closing(open_store(migrated_sqlite_file(tmp_path / "credits.db"))) as store:
            yield filled(store)
    else:
        with migrated_postgres_database() as url, closing(open_store(url)) as store:
            yield filled(store)


def filled(store: PonyTransactions) -> PonyTransactions:
    wallet = a_wallet(store, posted=1000)
    limits = KeyLimits(spend=SpendLimit(credits=Credits(500), period=Period.DAY), max_parallel=9)
    LimitAccount(transactions=store, clock=FixedClock(NOON)).limit(wallet.id, limits)
    key = replace(a_key(wallet), limits=limits, account_limits=limits)
    with store.begin() as tx:
        tx.keys.add(key)
        count(tx, key, before=KeyLimits(), now=NOON)
        tx.commit()
    settle(store, admit(store, 7, reference="settled", key=key), 4)
    admit(store, 3, reference="open", key=key)
    return store


def test_each_damage_is_found_and_nothing_else(store: PonyTransactions) -> None:
    with store.begin() as tx:
        assert list(tx.audit.breaches("I12", limit=10)) == []

    for row, statement in DAMAGES:
        with store.begin() as tx:
            assert tx.ledger._session.change(statement, ()) > 0
            # It is not committed: the next damage is done to sound books again.
            assert {breach.row for breach in tx.audit.breaches("I12", limit=10)} == {row}, statement
