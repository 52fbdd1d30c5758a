"""Keep a copy of each key at the model server."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.domain.keys import ApiKey
from creditcore.domain.lease import Backoff, RetryPolicy
from creditcore.domain.mirrors import KeyMirror, SyncStatus
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Tariff
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasMirrors
from creditcore.ports.transactions import Begins, LedgerTransaction
from creditcore.ports.upstream_keys import UpstreamKey, UpstreamKeys

POLICY = RetryPolicy(
    lease=timedelta(minutes=2),
    backoff=Backoff(first=timedelta(seconds=5), longest=timedelta(minutes=10)),
)
MIN_HEADROOM_MICROUSD = 1_000_000
"""A dollar: what the model server counts runs ahead of what it has, and reservations are rough."""

LOOKED_AT_EVERY = timedelta(days=1)

_MAX_A_ROUND = 200
_MAX_PAGES = 50
_MAX_RETRIED = 50
_OVERLAP = timedelta(minutes=1)

_log = logging.getLogger(__name__)


class MirrorKeysTransaction(LedgerTransaction, HasMirrors, Protocol):
    """What mirroring keys reads and writes."""


@dataclass(kw_only=True)
class MirrorKeys:
    """Make, change and remove the copies of keys, and find those that the server has lost.

    Any number of workers may, at any time: a mirror is leased, and everything done to it can
    be repeated.

    Attributes:
        wanted: Whether copies are wanted at all: ``LITELLM_KEYS`` is not ``shared``.
    """

    transactions: Begins[MirrorKeysTransaction]
    clock: Clock
    upstream: UpstreamKeys
    tariff: Tariff
    wanted: bool = True
    jitter: Callable[[], float] = random.random
    _looked_at: datetime | None = field(default=None, init=False)

    def sync_due(self) -> int:
        """Bring the copies in line that are due; return how many are.

        Raises:
            StoreError: The rest is left for the next time.
            UpstreamUnavailableError: The model server does not say whether it can keep keys.
        """
        if not self.wanted or not self.upstream.can_keep():
            return 0
        done = 0
        for _ in range(_MAX_A_ROUND):
            claimed = self._claim()
            if claimed is None:
                break
            done += self._sync(*claimed)
        return done

    def look_again(self) -> int:
        """Make copies due whose wallets were funded, and some not looked at for a day.

        Returns how many: the server may have lost them meanwhile, or been restored to what it
        had before.
        """
        if not self.wanted:
            return 0
        now = self.clock.now()
        # What commits late has an earlier instant; copying a key twice does no harm.
        since = (self._looked_at or now) - _OVERLAP
        with self.transactions.begin() as tx:
            renewed = tx.mirrors.renew_funded(since=since, at=now)
            renewed += tx.mirrors.renew_stale(
                synced_before=now - LOOKED_AT_EVERY, at=now, limit=_MAX_A_ROUND
            )
            tx.commit()
        self._looked_at = now
        return renewed

    def retry_failed(self) -> int:
        """Make some copies due that failed, where the server can keep keys again; return how many.

        By themselves they wait longer after each failure, up to an hour.

        Raises:
            UpstreamUnavailableError: The model server does not say whether it can keep keys.
        """
        if not self.wanted or not self.upstream.can_keep():
            return 0
        failed: list[str] = []
        last = ""
        with self.transactions.begin() as tx:
            for _ in range(_MAX_PAGES):
                page = tx.mirrors.after(last, limit=_MAX_A_ROUND)
                failed += [each.key_id for each in page if each.status is SyncStatus.FAILED]
                if len(page) < _MAX_A_ROUND or len(failed) >= _MAX_RETRIED:
                    break
                last = page[-1].key_id
            renewed = tx.mirrors.renew(failed[:_MAX_RETRIED], at=self.clock.now())
            tx.commit()
        return renewed

    def _claim(self) -> tuple[KeyMirror, ApiKey, Credits] | None:
        now = self.clock.now()
        with self.transactions.begin() as tx:
            due = tx.mirrors.lock_due(now=now)
            if due is None:
                return None
            mirror, key = due
            claimed = replace(mirror, lease=mirror.lease.take(until=now + POLICY.lease))
            tx.mirrors.save(claimed)
            posted = tx.ledger.find_wallet(key.wallet_id).posted
            tx.commit()
        return claimed, key, posted

    def _sync(self, mirror: KeyMirror, key: ApiKey, posted: Credits) -> bool:
        try:
            name = self._put_or_remove(key, posted)
        except UpstreamUnavailableError as error:
            _log.warning("key %s is not mirrored: %s", key.id, error)
            after = mirror.failed(str(error), POLICY, at=self.clock.now(), jitter=self.jitter())
        else:
            after = mirror.synced(name, at=self.clock.now())
        with self.transactions.begin() as tx:
            # A key that changed meanwhile is due again, as it is now.
            saved = tx.mirrors.save(after)
            tx.commit()
        return saved and not after.last_error

    def _put_or_remove(self, key: ApiKey, posted: Credits) -> str:
        now = self.clock.now()
        if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
            self.upstream.remove(key.id)
            return ""
        headroom = self.tariff.provider_microusd(posted)
        return self.upstream.put(
            UpstreamKey(
                key_id=key.id,
                owner_id=key.owner_id,
                name=key.name,
                # A tenth more than the wallet holds, and never less than a dollar.
                headroom_microusd=headroom + headroom // 10 + MIN_HEADROOM_MICROUSD,
            )
        )
