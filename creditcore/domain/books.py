"""The working copy of what one database transaction has locked.

Decisions change it in turn, and the store writes what changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from creditcore.domain.alerts import Alert
from creditcore.domain.callers import Limited
from creditcore.domain.decisions import Admission, Extension, Limit, admit, extend, settle
from creditcore.domain.endings import NOT_MADE
from creditcore.domain.errors import (
    HoldNotFoundError,
    InsufficientCreditsError,
    KeyRefusedError,
    LimitReachedError,
    MemberNotFoundError,
    ReferenceConflictError,
    WalletNotFoundError,
)
from creditcore.domain.holds import Call, Hold, HoldState, Outcome
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import PlatformAccount, Transfer, Wallet
from creditcore.domain.limits import Count, Counted, KeyCounter, Whose
from creditcore.domain.makers import maker_of
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling

PARALLEL_RETRY_US = 1_000_000
"""When to ask again for a place among the calls of a key: when one ends is unknown."""


class Footprint(NamedTuple):
    """What a money step touches: rows to lock, and rows to read under these locks.

    Attributes:
        key_hashes: Keys to look up; their wallets are locked too.
        wallet_ids: Wallets to lock.
        hold_references: Holds to read.
        new_references: Names of the holds to make; one that exists already is read.
        transfer_references: Transfers to read.
        counter_ids: Counters of keys to read, beside those of the keys and holds that are read.
    """

    key_hashes: Collection[bytes] = ()
    wallet_ids: Collection[str] = ()
    hold_references: Collection[str] = ()
    new_references: Collection[str] = ()
    transfer_references: Collection[str] = ()
    counter_ids: Collection[str] = ()

    @classmethod
    def union(cls, footprints: Iterable[Footprint]) -> Footprint:
        """Return what several steps touch together, each name once."""
        union: list[set[Any]] = [set() for _ in cls._fields]
        for footprint in footprints:
            for names, more in zip(union, footprint, strict=True):
                if more:
                    names.update(more)
        return cls._make(union)


make_footprint = maker_of(Footprint)


def counters_read(footprint: Footprint, keys: Iterable[ApiKey], holds: Iterable[Hold]) -> set[str]:
    """Return which counters belong into the books, by what else is read."""
    return {
        *footprint.counter_ids,
        *(count.id for key in keys for count in key.counts),
        *(counted.counter_id for hold in holds for counted in hold.counted),
    }


@dataclass(slots=True)
class Books:
    """A working copy of what one database transaction has locked, and what changed in it.

    Each method either changes the books completely or raises and changes nothing, so
    one caller's refusal never touches another caller of the same transaction.

    Attributes:
        keys: API keys by hash. A hash that is missing here is an unknown key.
        wallets: Locked wallets by id.
        holds: Known holds by reference.
        transfers: Known transfers by reference.
        counters: What limited keys have used, by id.
        new_holds, changed_wallets: What to write, by name.
        changed_holds: Holds as they were read and as they are now, by name.
        changed_counters: Counters, the same way.
        new_transfers, new_alerts: What to append.
    """

    keys: Mapping[bytes, ApiKey] = field(default_factory=dict)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    counters: dict[str, KeyCounter] = field(default_factory=dict)
    new_holds: dict[str, Hold] = field(default_factory=dict)
    changed_holds: dict[str, tuple[Hold, Hold]] = field(default_factory=dict)
    changed_counters: dict[str, tuple[KeyCounter, KeyCounter]] = field(default_factory=dict)
    changed_wallets: dict[str, Wallet] = field(default_factory=dict)
    new_transfers: list[Transfer] = field(default_factory=list)
    new_alerts: list[Alert] = field(default_factory=list)

    def key(self, key_hash: bytes, *, now: datetime) -> ApiKey:
        """Return the key if it opens anything now.

        Raises:
            KeyRefusedError: Unknown, revoked, expired or paused.
        """
        key = self.keys.get(key_hash)
        if key is None:
            raise KeyRefusedError("unknown")
        return key.usable(now=now)

    def wallet(self, wallet_id: str) -> Wallet:
        """Return a locked wallet.

        Raises:
            WalletNotFoundError: No wallet has this id.
        """
        try:
            return self.wallets[wallet_id]
        except KeyError:
            raise WalletNotFoundError(wallet_id) from None

    def admit(
        self,
        wallet_id: str,
        ceiling: Ceiling,
        *,
        reference: str,
        call: Call | None,
        now: datetime,
        lifetime: timedelta,
        caller: Limited | None = None,
    ) -> Admission:
        """Reserve credits under a reference; a repeat returns the first hold.

        Args:
            wallet_id: Whose credits.
            ceiling: What the call may cost.
            reference: Names the hold.
            call: What it is for.
            now: When it begins.
            lifetime: How long it may last.
            caller: Whose limits the call is held to, if to any.

        Raises:
            InsufficientCreditsError: The wallet, or what a limit of the caller leaves of it, cannot
                cover it.
            LimitReachedError: As many calls of the caller, or of its account, run as may.
            MemberNotFoundError: The wallet is a team's that the caller was never in.
            ReferenceConflictError: The reference stands for another call.
            WalletNotFoundError: No wallet has this id.
        """
        wallet = self.wallet(wallet_id)
        key = caller if isinstance(caller, ApiKey) else None
        earlier = self.holds.get(reference)
        if earlier is not None:
            same = earlier.same_as(wallet_id=wallet_id, model=call.model if call else None)
            paid_output = ceiling.affordable(same.amount)
            return Admission(same, paid_output, paid_output, wallet.available, key, repeated=True)
        wanted = caller.counts if caller is not None else ()
        counts = self._counts_of(wanted, now=now) if wanted else ()
        wallet, admission = admit(
            wallet,
            ceiling,
            reference=reference,
            call=call,
            now=now,
            lifetime=lifetime,
            limit=_tightest(counts),
            counted=tuple([Counted(counter.id, counter.since) for _, counter in counts]),
            key=key,
        )
        for _, counter in counts:
            self._change_counter(counter.opened(admission.hold.amount))
        self.holds[reference] = self.new_holds[reference] = admission.hold
        self._change(wallet)
        return admission

    def extend(self, reference: str, ceiling: Ceiling, *, output_bound: int) -> Extension:
        """Grow a hold as far as its wallet affords; a repeat changes nothing.

        Raises:
            HoldNotFoundError: No hold has this reference.
        """
        hold = self._hold(reference)
        counters = self._counters_of(hold)
        rooms = [counter.room for counter in counters if counter.room is not None]
        wallet, extension = extend(
            self.wallet(hold.wallet_id),
            hold,
            ceiling,
            output_bound=output_bound,
            room=min(rooms) if rooms else None,
        )
        if extension.hold is not hold:
            for counter in counters:
                self._change_counter(counter.grown(extension.hold.amount - hold.amount))
            self._change_hold(hold, extension.hold)
            self._change(wallet)
        return extension

    def settle(
        self,
        reference: str,
        cost: Credits,
        *,
        at: datetime,
        outcome: Outcome | None = None,
        closing: HoldState = HoldState.SETTLED,
    ) -> Hold:
        """Close a hold, charging ``cost``; a repeat changes nothing.

        Raises:
            HoldNotFoundError: No hold has this reference.
        """
        hold = self._hold(reference)
        settlement = settle(
            self.wallet(hold.wallet_id), hold, cost, at=at, outcome=outcome, closing=closing
        )
        if settlement.hold is not hold:
            self._change_hold(hold, settlement.hold)
            if hold.is_open:
                for counted in hold.counted:
                    self._uncount(hold, counted, charged=settlement.hold.charged)
        for transfer in settlement.transfers:
            self.transfers[transfer.reference] = transfer
        self.new_transfers.extend(settlement.transfers)
        self.new_alerts.extend(settlement.alerts)
        if settlement.wallet is not self.wallets[hold.wallet_id]:
            self._change(settlement.wallet)
        return settlement.hold

    def void(
        self,
        reference: str,
        wallet_id: str,
        *,
        call: Call,
        at: datetime,
    ) -> None:
        """See to it that a request, which was given up, holds nothing for its call, now or later.

        Its hold is released, if it is there. One that a repeat has made, or that it repeats, stays:
        that call may be running. Where there is none, a released one takes its name, so that a
        process that is still about to make it finds that it exists.
        """
        outcome = Outcome(error=NOT_MADE)
        if earlier := self.holds.get(reference):
            if earlier.call is None or earlier.call.repeat_id != call.repeat_id:
                return
            self.settle(reference, ZERO, at=at, outcome=outcome, closing=HoldState.RELEASED)
            return
        self.holds[reference] = self.new_holds[reference] = Hold(
            reference=reference,
            wallet_id=self.wallet(wallet_id).id,
            amount=ZERO,
            created_at=at,
            expires_at=at,
            state=HoldState.RELEASED,
            closed_at=at,
            call=call,
            outcome=outcome,
        )

    def post(self, transfers: Iterable[Transfer]) -> bool:
        """Move credits; whether anything moved that had not moved before.

        Credits that come into a wallet pay what it owes first, in a transfer of their own.

        Raises:
            InsufficientCreditsError: A wallet would go below what it holds.
            ReferenceConflictError: A reference stands for another movement.
            WalletNotFoundError: A transfer concerns a wallet that is not locked here.
        """
        fresh: list[Transfer] = []
        wallets: dict[str, Wallet] = {}
        for transfer in transfers:
            earlier = self.transfers.get(transfer.reference)
            if earlier is not None:
                if not earlier.same_movement_as(transfer):
                    raise ReferenceConflictError(transfer.reference)
                continue
            wallet = wallets.get(transfer.wallet_id) or self.wallet(transfer.wallet_id)
            wallets[wallet.id] = moved = _moved(wallet, transfer)
            fresh.append(transfer)
            if transfer.to_account == wallet.id and (
                paid := moved.repayment_after(wallet, reference=transfer.reference, at=transfer.at)
            ):
                fresh.append(paid)
        for transfer in fresh:
            self.transfers[transfer.reference] = transfer
        self.new_transfers.extend(fresh)
        for wallet in wallets.values():
            self._change(wallet)
        return bool(fresh)

    def _hold(self, reference: str) -> Hold:
        try:
            return self.holds[reference]
        except KeyError:
            raise HoldNotFoundError(reference) from None

    def _change_hold(self, before: Hold, hold: Hold) -> None:
        reference = hold.reference
        self.holds[reference] = hold
        if reference in self.new_holds:
            self.new_holds[reference] = hold
        else:
            read, _ = self.changed_holds.get(reference, (before, before))
            self.changed_holds[reference] = (read, hold)

    def _uncount(self, hold: Hold, counted: Counted, *, charged: Credits) -> None:
        counter = self.counters.get(counted.counter_id)
        if counter is not None:
            self._change_counter(counter.closed(hold.amount, charged=charged, since=counted.since))

    def _counters_of(self, hold: Hold) -> list[KeyCounter]:
        found = (self.counters.get(counted.counter_id) for counted in hold.counted)
        return [counter for counter in found if counter is not None]

    def _counts_of(
        self, counts: Iterable[Count], *, now: datetime
    ) -> list[tuple[Count, KeyCounter]]:
        """Return what was used of a caller's limits, if another call may run."""
        found = []
        for count in counts:
            if count.whose is Whose.MEMBER:
                found.append((count, self._of_member(count, now=now)))
                continue
            counter, most = self.counters[count.id], count.limits.max_parallel
            if most is not None and counter.open_calls >= most:
                raise LimitReachedError(
                    limit="parallel", most=most, retry_after_us=PARALLEL_RETRY_US, whose=count.whose
                )
            found.append((count, counter.at(count.limits.spend, now)))
        return found

    def _of_member(self, count: Count, *, now: datetime) -> KeyCounter:
        try:
            counter = self.counters[count.id]
        except KeyError:
            raise MemberNotFoundError(count.id) from None
        return counter.at(counter.calendar, now)

    def _change_counter(self, counter: KeyCounter) -> None:
        before = self.counters[counter.id]
        read, _ = self.changed_counters.get(counter.id, (before, before))
        self.counters[counter.id] = counter
        self.changed_counters[counter.id] = (read, counter)

    def _change(self, wallet: Wallet) -> None:
        self.wallets[wallet.id] = self.changed_wallets[wallet.id] = wallet


def _tightest(counts: Iterable[tuple[Count, KeyCounter]]) -> Limit | None:
    """Return the spend limit that leaves the least, the first of several that do."""
    found: Limit | None = None
    for count, counter in counts:
        room = counter.room
        if room is not None and (found is None or room < found.room):
            found = Limit(room, count.whose, count.limits.spend or counter.calendar)
    return found


def _moved(wallet: Wallet, transfer: Transfer) -> Wallet:
    amount = transfer.amount
    if transfer.to_account == wallet.id:
        return wallet.with_balance(posted=wallet.posted + amount, held=wallet.held)
    if transfer.from_account == wallet.id:
        if amount > wallet.available:
            raise InsufficientCreditsError(needed=amount, available=wallet.available)
        return wallet.with_balance(posted=wallet.posted - amount, held=wallet.held)
    if transfer.from_account == PlatformAccount.RECEIVABLE:
        return wallet.with_debt(wallet.owed + amount)
    if transfer.to_account == PlatformAccount.RECEIVABLE:
        if amount > wallet.owed:
            raise InsufficientCreditsError(needed=amount, available=wallet.owed, limit="debt")
        return wallet.with_debt(wallet.owed - amount)
    return wallet
