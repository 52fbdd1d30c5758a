"""How far the model server's copies of keys are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.lease import Lease
from creditcore.domain.mirrors import KeyMirror, SyncStatus
from creditcore.domain.pricing import Tariff
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, a_key, a_wallet
from creditcore.testing.memory import FixedClock
from creditcore.testing.memory_mirrors import MemoryUpstreamKeys
from creditcore.usecases.keys.mirror_keys import (
    LOOKED_AT_EVERY,
    MIN_HEADROOM_MICROUSD,
    MirrorKeys,
)


class KeyMirrorsContract:
    """Mirrors, and the use case that brings them in line."""

    @pytest.fixture
    def clock(self) -> FixedClock:
        return FixedClock(NOON)

    @pytest.fixture
    def upstream(self) -> MemoryUpstreamKeys:
        return MemoryUpstreamKeys()

    @pytest.fixture
    def mirrors(
        self, transactions: Transactions, clock: FixedClock, upstream: MemoryUpstreamKeys
    ) -> MirrorKeys:
        return MirrorKeys(
            transactions=transactions,
            clock=clock,
            upstream=upstream,
            tariff=Tariff.parse(),
            jitter=lambda: 0.0,
        )

    def test_a_new_key_is_due_and_copied_once(
        self, transactions: Transactions, mirrors: MirrorKeys, upstream: MemoryUpstreamKeys
    ) -> None:
        # A thousand credits, of which two are a cent of provider cost.
        an_added_key(transactions, posted=1_000_000_000)

        assert mirrors.sync_due() == 1
        assert mirrors.sync_due() == 0

        mirror = mirror_of(transactions, "key-1")
        assert (mirror.status, mirror.litellm_key_id) == (SyncStatus.SYNCED, "hash-of-key-1")
        assert (mirror.last_synced_at, mirror.lease) == (NOON, Lease())
        assert upstream.copies["key-1"].headroom_microusd == 5_500_000 + MIN_HEADROOM_MICROUSD

    def test_a_revoked_key_loses_its_copy(
        self, transactions: Transactions, mirrors: MirrorKeys, upstream: MemoryUpstreamKeys
    ) -> None:
        an_added_key(transactions)
        mirrors.sync_due()
        with transactions.begin() as tx:
            tx.keys.save(tx.keys.lock("key-1", owner_id="owner-of-wallet-1").revoke(at=NOON))
            tx.commit()
        assert mirror_of(transactions, "key-1").status is SyncStatus.PENDING

        assert mirrors.sync_due() == 1

        assert upstream.copies == {}
        assert mirror_of(transactions, "key-1").status is SyncStatus.SYNCED

    def test_a_failure_is_kept_and_tried_again_later(
        self,
        transactions: Transactions,
        mirrors: MirrorKeys,
        upstream: MemoryUpstreamKeys,
        clock: FixedClock,
    ) -> None:
        an_added_key(transactions)
        upstream.fails = True

        assert mirrors.sync_due() == 0

        mirror = mirror_of(transactions, "key-1")
        assert (mirror.status, mirror.lease.attempts) == (SyncStatus.FAILED, 1)
        assert "answered 500" in mirror.last_error
        upstream.fails = False
        assert mirrors.sync_due() == 0
        clock.advance(MINUTE)
        assert mirrors.sync_due() == 1
        assert mirror_of(transactions, "key-1").last_error == ""

    def test_a_key_that_changes_while_it_is_copied_is_due_again(
        self, transactions: Transactions
    ) -> None:
        key = an_added_key(transactions)
        before = mirror_of(transactions, "key-1")
        with transactions.begin() as tx:
            tx.keys.save(tx.keys.lock("key-1", owner_id=key).revoke(at=NOON))
            tx.commit()

        with transactions.begin() as tx:
            assert not tx.mirrors.save(before.synced("hash", at=NOON))
            tx.commit()

        assert mirror_of(transactions, "key-1").status is SyncStatus.PENDING

    def test_a_worker_that_dies_leaves_a_lease_that_runs_out(
        self, transactions: Transactions, mirrors: MirrorKeys, clock: FixedClock
    ) -> None:
        an_added_key(transactions)
        with transactions.begin() as tx:
            found = tx.mirrors.lock_due(now=NOON)
            assert found is not None
            taken = found[0].lease.take(until=NOON + 2 * MINUTE)
            tx.mirrors.save(replace(found[0], lease=taken))
            tx.commit()

        assert mirrors.sync_due() == 0
        clock.advance(3 * MINUTE)
        assert mirrors.sync_due() == 1

    def test_funds_make_the_copies_of_a_wallet_due(
        self, transactions: Transactions, mirrors: MirrorKeys, clock: FixedClock
    ) -> None:
        an_added_key(transactions)
        an_added_key(transactions, wallet_id="wallet-2", key_id="key-2", posted=5)
        mirrors.sync_due()
        clock.advance(MINUTE / 2)

        assert mirrors.look_again() == 1
        assert mirror_of(transactions, "key-2").status is SyncStatus.PENDING
        assert mirror_of(transactions, "key-1").status is SyncStatus.SYNCED
        # Long after, nothing new.
        clock.advance(10 * MINUTE)
        mirrors.look_again()
        mirrors.sync_due()
        clock.advance(10 * MINUTE)
        assert mirrors.look_again() == 0

    def test_a_copy_is_looked_at_again_after_a_day(
        self,
        transactions: Transactions,
        mirrors: MirrorKeys,
        upstream: MemoryUpstreamKeys,
        clock: FixedClock,
    ) -> None:
        an_added_key(transactions)
        mirrors.sync_due()
        # It restarts from a backup in which the key is not.
        upstream.copies.clear()
        clock.advance(LOOKED_AT_EVERY + MINUTE)

        assert mirrors.look_again() == 1
        assert mirrors.sync_due() == 1
        assert set(upstream.copies) == {"key-1"}

    def test_a_server_without_a_database_gets_nothing(
        self, transactions: Transactions, mirrors: MirrorKeys, upstream: MemoryUpstreamKeys
    ) -> None:
        an_added_key(transactions)
        upstream.keeps = False

        assert mirrors.sync_due() == 0
        assert upstream.copies == {}
        assert mirror_of(transactions, "key-1").lease.attempts == 0

    def test_mirrors_are_listed_in_pages_and_counted(self, transactions: Transactions) -> None:
        an_added_key(transactions)
        an_added_key(transactions, wallet_id="wallet-2", key_id="key-2")

        with transactions.begin() as tx:
            assert [one.key_id for one in tx.mirrors.after("", limit=1)] == ["key-1"]
            assert [one.key_id for one in tx.mirrors.after("key-1", limit=9)] == ["key-2"]
            assert tx.mirrors.counts() == {SyncStatus.PENDING: 2}
            assert set(tx.mirrors.find(["key-2", "nobody"])) == {"key-2"}
            assert tx.mirrors.renew(["key-2", "nobody"], at=NOON) == 1
            tx.commit()

    def test_the_longest_wait_is_told(
        self, transactions: Transactions, mirrors: MirrorKeys, clock: FixedClock
    ) -> None:
        with transactions.begin() as tx:
            assert tx.mirrors.behind_since() is None
        owner_id = an_added_key(transactions)
        with transactions.begin() as tx:
            made_at = tx.keys.find("key-1", owner_id=owner_id).created_at
            assert tx.mirrors.behind_since() == made_at

        mirrors.sync_due()
        with transactions.begin() as tx:
            assert tx.mirrors.behind_since() is None
            tx.mirrors.renew(["key-1"], at=clock.now())
            assert tx.mirrors.behind_since() == clock.now()


def an_added_key(
    transactions: Transactions,
    *,
    wallet_id: str = "wallet-1",
    key_id: str = "key-1",
    posted: int = 0,
) -> str:
    """Store a key of a wallet; return its owner."""
    wallet = a_wallet(transactions, wallet_id=wallet_id, posted=posted)
    with transactions.begin() as tx:
        tx.keys.add(a_key(wallet, key_id=key_id, key_hash=key_id.encode().ljust(32, b"h")))
        tx.commit()
    return wallet.owner_id


def mirror_of(transactions: Transactions, key_id: str) -> KeyMirror:
    """Return the mirror of a key."""
    with transactions.begin() as tx:
        return tx.mirrors.find([key_id])[key_id]
