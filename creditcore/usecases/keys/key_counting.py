"""Begin, or go on, to count what a limited key uses."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from creditcore.domain.books import Footprint
from creditcore.domain.keys import ApiKey
from creditcore.domain.limits import KeyCounter, KeyLimits
from creditcore.domain.money import ZERO
from creditcore.ports.transactions import Transaction


def count(tx: Transaction, key: ApiKey, *, before: KeyLimits, now: datetime) -> None:
    """Let the counter of a key follow its limits, in the transaction that changes them.

    A spend limit that is new, or of another period or zone, counts from now on. One that is
    only higher or lower goes on with what was spent.

    Args:
        tx: The transaction, which locks the wallet from here on.
        key: The key as it is now.
        before: Its limits until now.
        now: When it is changed.
    """
    if not (key.limits.is_counted or before.is_counted):
        return
    tx.ledger.lock(Footprint(wallet_ids={key.wallet_id}))
    counter = tx.keys.counters([key.counter_id]).get(key.counter_id)
    counter = counter or KeyCounter(id=key.counter_id, wallet_id=key.wallet_id, since=now)
    spend, spend_before = key.limits.spend, before.spend
    is_same_period = (
        spend is not None
        and spend_before is not None
        and (spend.period, spend.zone) == (spend_before.period, spend_before.zone)
    )
    if spend is not None and not is_same_period:
        counter = replace(counter, since=max(now, counter.since), spent=ZERO)
    tx.keys.set_counter(replace(counter, limit=spend.credits if spend else None))
