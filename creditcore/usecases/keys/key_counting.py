"""Begin, or go on, to count what a limited key or account uses."""

from __future__ import annotations

from datetime import datetime

from creditcore.domain.books import Footprint
from creditcore.domain.keys import ApiKey
from creditcore.domain.limits import KeyCounter, KeyLimits
from creditcore.domain.money import ZERO
from creditcore.ports.transactions import CountersTransaction


def count(tx: CountersTransaction, key: ApiKey, *, before: KeyLimits, now: datetime) -> None:
    """Let the counter of a key follow its limits, in the transaction that changes them.

    A spend limit that is new, or of another period or zone, counts from now on. One that is
    only higher or lower goes on with what was spent.

    Args:
        tx: The transaction, which locks the wallet from here on.
        key: The key as it is now.
        before: Its limits until now.
        now: When it is changed.
    """
    follow(tx, key.counter_id, key.wallet_id, key.limits, before=before, now=now)


def follow(
    tx: CountersTransaction,
    counter_id: str,
    wallet_id: str,
    limits: KeyLimits,
    *,
    before: KeyLimits,
    now: datetime,
) -> None:
    """Let a counter follow its limits, as ``count`` does."""
    if not (limits.is_counted or before.is_counted):
        return
    tx.ledger.lock(Footprint(wallet_ids={wallet_id}))
    counter = tx.keys.counters([counter_id]).get(counter_id)
    counter = counter or KeyCounter(id=counter_id, wallet_id=wallet_id, since=now)
    spend, spend_before = limits.spend, before.spend
    is_same_period = (
        spend is not None
        and spend_before is not None
        and (spend.period, spend.zone) == (spend_before.period, spend_before.zone)
    )
    if spend is not None and not is_same_period:
        counter = counter._replace(since=max(now, counter.since), spent=ZERO)
    tx.keys.set_counter(counter._replace(limit=spend.credits if spend else None))
