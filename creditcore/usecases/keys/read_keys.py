"""Show an owner their keys, with what each has used and may still use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import KeyCounter, account_counter_id
from creditcore.domain.money import ZERO, Credits
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasKeys, HasLedger, HasUsageHours
from creditcore.ports.transactions import Begins
from creditcore.usecases.keys.issue_key import held


class ReadKeysTransaction(HasKeys, HasLedger, HasUsageHours, Protocol):
    """What a list of keys is read from."""


class Limited(StrEnum):
    """Whose calls a spend limit counts together."""

    KEY = "key"
    ACCOUNT = "account"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class ReachedLimit:
    """A spend limit that leaves nothing for another call.

    Attributes:
        until: When its period ends; None where it counts for all time.
    """

    of: Limited
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """A key as its owner sees it.

    Attributes:
        counter: What it has used in this period; None where nothing is counted.
        account_counter: What all keys of its account have, the same way.
        member_counter: What its holder has used of the team's wallet; None for a person's own key.
        available: What its wallet can still reserve.
        last_used_at: The hour in which it last made a call; None if it never did.
    """

    key: ApiKey
    counter: KeyCounter | None
    account_counter: KeyCounter | None
    member_counter: KeyCounter | None
    available: Credits
    last_used_at: datetime | None

    @property
    def spent(self) -> Credits | None:
        """Spent in this period of its limit; None without one."""
        return self.counter.spent if self.counter and self.key.limits.spend else None

    @property
    def credit_balance(self) -> Credits:
        """What its next call may reserve at most."""
        counters = (self.counter, self.account_counter, self.member_counter)
        rooms = (counter.room for counter in counters if counter is not None)
        return min([self.available, *(room for room in rooms if room is not None)])

    def reached(self, now: datetime) -> ReachedLimit | None:
        """Return the first spend limit that leaves nothing, the key's own before the others."""
        member = self.member_counter
        limits = (
            (Limited.KEY, self.counter, self.key.limits.spend),
            (Limited.ACCOUNT, self.account_counter, self.key.account_limits.spend),
            (Limited.MEMBER, member, member.calendar if member else None),
        )
        for of, counter, limit in limits:
            if counter is not None and counter.room == ZERO:
                return ReachedLimit(of, limit.ends_at(now) if limit else None)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadKeys:
    """Read keys of an owner."""

    transactions: Begins[ReadKeysTransaction]
    clock: Clock

    def page(
        self,
        owner_id: str,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        holder_id: str = "",
    ) -> Sequence[KeyView]:
        """Return keys, newest first, revoked ones included.

        Args:
            owner_id: Whose keys.
            limit: How many at most.
            before: When the last key of the page before was made, and its id.
            holder_id: The one member of a team whose keys are meant; empty for all.
        """
        with self.transactions.begin() as tx:
            found = tx.keys.page_of(owner_id, limit=limit, before=before, holder_id=holder_id)
            return self._views(tx, found)

    def one(self, key_id: str, *, owner_id: str, holder_id: str = "") -> KeyView:
        """Return one key.

        Raises:
            ApiKeyNotFoundError: The owner, or the member, has no such key.
        """
        with self.transactions.begin() as tx:
            key = held(tx.keys.find(key_id, owner_id=owner_id), holder_id)
            (view,) = self._views(tx, [key])
        return view

    def _views(self, tx: ReadKeysTransaction, keys: Sequence[ApiKey]) -> list[KeyView]:
        now = self.clock.now()
        counters = tx.keys.counters({count.id for key in keys for count in key.counts})
        used = {key_id: at for w in _wallets(keys) for key_id, at in _last_uses(tx, w)}
        wallets = {wallet_id: tx.ledger.find_wallet(wallet_id) for wallet_id in _wallets(keys)}
        return [
            KeyView(
                key=key,
                counter=own and own.at(key.limits.spend, now),
                account_counter=shared and shared.at(key.account_limits.spend, now),
                member_counter=member and member.at(member.calendar, now),
                available=_spendable(wallets[key.wallet_id]),
                last_used_at=used.get(key.id),
            )
            for key in keys
            for own in [counters.get(key.counter_id)]
            for shared in [counters.get(account_counter_id(key.wallet_id))]
            for member in [counters.get(key.member_counter_id)]
        ]


def _last_uses(tx: ReadKeysTransaction, wallet_id: str) -> Iterable[tuple[str, datetime]]:
    return [(key_id, use.hour) for key_id, use in tx.usage_hours.last_uses(wallet_id).items()]


def _wallets(keys: Sequence[ApiKey]) -> set[str]:
    return {key.wallet_id for key in keys}


def _spendable(wallet: Wallet) -> Credits:
    return max(ZERO, wallet.available)
