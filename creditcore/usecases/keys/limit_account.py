"""Limit what all keys of an account may use together, so that ten keys multiply no limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.books import Footprint
from creditcore.domain.callers import WithoutKey
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.limits import NO_LIMITS, KeyCounter, KeyLimits, account_counter_id
from creditcore.domain.limits_text import limits_text
from creditcore.domain.money import ZERO, Credits
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasKeys
from creditcore.ports.transactions import Begins, GrantTransaction
from creditcore.usecases.keys.key_counting import follow

_BATCH = 500


class LimitAccountTransaction(GrantTransaction, HasKeys, Protocol):
    """What limiting an account reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStanding:
    """How limits stand for who calls without a key.

    Attributes:
        limits: What all callers of the wallet may use together.
        account_counter: What they have used in this period; None where nothing is counted.
        member_counter: What the member of a team has; None in an account of one's own.
        available: What the wallet can still reserve.
    """

    limits: KeyLimits
    account_counter: KeyCounter | None
    member_counter: KeyCounter | None
    available: Credits

    @property
    def credit_balance(self) -> Credits:
        """What the next call may reserve at most."""
        counters = (self.account_counter, self.member_counter)
        rooms = (counter.room for counter in counters if counter is not None)
        return min([self.available, *(room for room in rooms if room is not None)])


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitAccount:
    """Set the limits of accounts, as an operator does. They count with the very next call."""

    transactions: Begins[LimitAccountTransaction]
    clock: Clock

    def of(self, wallet_id: str) -> KeyLimits:
        """Return what the keys of a wallet may use together."""
        with self.transactions.begin() as tx:
            return tx.keys.account_limits(wallet_id) or NO_LIMITS

    def without_key(self, wallet_id: str, *, member_id: str = "") -> WithoutKey:
        """Return a person who calls without a key, with the limits that hold now.

        Args:
            wallet_id: Whose credits the calls spend.
            member_id: Who calls, where the wallet is a team's.
        """
        return WithoutKey(
            wallet_id=wallet_id, account_limits=self.of(wallet_id), member_id=member_id
        )

    def standing(self, caller: WithoutKey) -> AccountStanding:
        """Return how the limits of who calls without a key stand."""
        now = self.clock.now()
        shared, own = account_counter_id(caller.wallet_id), caller.member_counter_id
        with self.transactions.begin() as tx:
            available = tx.ledger.find_wallet(caller.wallet_id).available
            counters = tx.keys.counters([name for name in (shared, own) if name])
        counter, member = counters.get(shared), counters.get(own)
        return AccountStanding(
            limits=caller.account_limits,
            account_counter=counter and counter.at(caller.account_limits.spend, now),
            member_counter=member and member.at(member.calendar, now),
            available=max(ZERO, available),
        )

    def limit(self, wallet_id: str, limits: KeyLimits, *, actor: Actor = SYSTEM) -> int:
        """Let the keys of a wallet use so much together; return how many keys it has.

        Spend is counted from now on, as with the limit of a key; calls that run already are
        not counted. A repeat changes nothing.

        Raises:
            InvalidRequestError: It limits models or addresses, which accounts do not.
            WalletNotFoundError: There is no such wallet.
        """
        with self.transactions.begin() as tx:
            wallet = tx.ledger.find_wallet(wallet_id)
            count = self.apply(tx, wallet.id, wallet.owner_id, limits, actor=actor)
            tx.commit()
        return count

    def limit_the_rest(self, limits: KeyLimits, *, actor: Actor = SYSTEM) -> int:
        """Do so for every wallet of which it was never said; return how many there were."""
        done = 0
        while True:
            with self.transactions.begin() as tx:
                some = tx.keys.wallets_without_limits(limit=_BATCH)
            for wallet_id in some:
                self.limit(wallet_id, limits, actor=actor)
            done += len(some)
            if len(some) < _BATCH:
                return done

    def apply(
        self,
        tx: LimitAccountTransaction,
        wallet_id: str,
        owner_id: str,
        limits: KeyLimits,
        *,
        actor: Actor,
    ) -> int:
        """Do so in a transaction of the caller's."""
        if limits.models or limits.addresses:
            raise InvalidRequestError("An account is not limited to models or addresses.")
        now = self.clock.now()
        # Keys are made under this lock too: each finds these limits, or is found here.
        tx.ledger.lock(Footprint(wallet_ids={wallet_id}))
        before = tx.keys.account_limits(wallet_id)
        keys = tx.keys.of_wallet(wallet_id)
        if before == limits:
            return len(keys)
        before = before or NO_LIMITS
        tx.keys.set_account_limits(wallet_id, limits)
        for key in keys:
            locked = tx.keys.lock(key.id, owner_id=key.owner_id)
            tx.keys.save(locked.changed(account_limits=limits))
        follow(tx, account_counter_id(wallet_id), wallet_id, limits, before=before, now=now)
        tx.activity.add(
            Activity(
                actor=actor,
                act=Act.ACCOUNT_LIMITED,
                target=f"wallet:{wallet_id}",
                person_id=owner_id,
                before={"limits": limits_text(before)},
                after={"limits": limits_text(limits)},
                at=now,
            )
        )
        return len(keys)
