"""API keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.errors import ApiKeyNotFoundError, ReferenceConflictError
from creditcore.domain.keys import Scope
from creditcore.domain.limits import KeyLimits, Period, SpendLimit
from creditcore.domain.money import Credits
from creditcore.domain.runaway import RunawayStop
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, a_key, a_wallet


class ApiKeysContract:
    """API keys."""

    def test_a_key_comes_back_as_it_was_stored(self, transactions: Transactions) -> None:
        key = replace(
            a_key(a_wallet(transactions)),
            expires_at=NOON + MINUTE,
            paused_at=NOON,
            paused_by="stop",
            stop=RunawayStop(Credits(10), NOON, "https://example.com/hook"),
            scopes=tuple(Scope),
            limits=KeyLimits(
                spend=SpendLimit(credits=Credits(7), period=Period.WEEK, zone="Africa/Nairobi"),
                max_parallel=3,
                rpm=20,
                tpm=1000,
                models=("gpt-*", "demo"),
                addresses=("203.0.113.0/24", "2001:db8::/32"),
            ),
            account_limits=KeyLimits(
                spend=SpendLimit(credits=Credits(70), period=Period.DAY, zone="Africa/Lagos"),
                max_parallel=30,
                rpm=200,
                tpm=10_000,
            ),
            family="key-0",
            revision=4,
        )

        with transactions.begin() as tx:
            tx.keys.add(key)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.keys.find_by_hash(key.key_hash) == key
            assert tx.keys.list_of(key.owner_id) == [key]
            assert tx.keys.list_of("another owner") == []

    def test_the_keys_of_a_wallet_are_found_for_any_owner(self, transactions: Transactions) -> None:
        wallet, other = a_wallet(transactions), a_wallet(transactions, wallet_id="wallet-2")
        key = a_key(wallet)
        colleagues = replace(a_key(wallet, key_id="key-2", key_hash=b"i" * 32), owner_id="other")
        revoked = a_key(wallet, key_id="key-3", key_hash=b"j" * 32).revoke(at=NOON)
        with transactions.begin() as tx:
            for each in (colleagues, key, revoked, a_key(other, key_id="key-4", key_hash=b"k")):
                tx.keys.add(each)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.keys.of_wallet(wallet.id) == [key, colleagues]

    def test_limits_of_accounts_are_kept(self, transactions: Transactions) -> None:
        for name in ("wallet-1", "wallet-2"):
            a_wallet(transactions, wallet_id=name)
        spend = SpendLimit(credits=Credits(7), period=Period.WEEK, zone="Africa/Nairobi")
        kept = (KeyLimits(spend=spend, max_parallel=3), KeyLimits(rpm=20, tpm=1000), KeyLimits())

        for limits in kept:
            with transactions.begin() as tx:
                tx.keys.set_account_limits("wallet-1", limits)
                tx.commit()
            with transactions.begin() as tx:
                assert tx.keys.account_limits("wallet-1") == limits
                assert tx.keys.account_limits("wallet-2") is None
                assert tx.keys.wallets_without_limits(limit=9) == ["wallet-2"]

    def test_running_keys_with_a_stop_are_found_in_turn(self, transactions: Transactions) -> None:
        wallet, stop = a_wallet(transactions), RunawayStop(Credits(10), NOON)
        keys = [
            replace(a_key(wallet, key_id=f"key-{n}", key_hash=bytes([n]) * 32), stop=stop)
            for n in range(3)
        ]
        others = [
            a_key(wallet, key_id="key-7", key_hash=b"7" * 32),
            replace(keys[0], id="key-8", key_hash=b"8" * 32, paused_at=NOON),
            replace(keys[0], id="key-9", key_hash=b"9" * 32).revoke(at=NOON),
        ]
        with transactions.begin() as tx:
            for key in (*keys, *others):
                tx.keys.add(key)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.keys.with_stops(after="", limit=2) == keys[:2]
            assert tx.keys.with_stops(after="key-1", limit=9) == keys[2:]

    def test_a_hash_is_unique(self, transactions: Transactions) -> None:
        wallet = a_wallet(transactions)
        with transactions.begin() as tx:
            tx.keys.add(a_key(wallet))
            tx.commit()

        with pytest.raises(ReferenceConflictError), transactions.begin() as tx:
            tx.keys.add(a_key(wallet, key_id="key-2"))
            tx.commit()

    def test_only_its_owner_may_change_a_key(self, transactions: Transactions) -> None:
        key = a_key(a_wallet(transactions))
        with transactions.begin() as tx:
            tx.keys.add(key)
            tx.commit()

        with transactions.begin() as tx, pytest.raises(ApiKeyNotFoundError):
            tx.keys.lock(key.id, owner_id="another owner")
        with transactions.begin() as tx:
            tx.keys.save(tx.keys.lock(key.id, owner_id=key.owner_id).revoke(at=NOON))
            tx.commit()
        with transactions.begin() as tx:
            assert tx.keys.list_of(key.owner_id)[0].revoked_at == NOON
