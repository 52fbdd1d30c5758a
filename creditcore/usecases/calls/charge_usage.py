"""Hold credits before a call, settle or release the hold after it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from creditcore.domain.books import Books, Footprint, make_footprint
from creditcore.domain.call_alerts import call_left_behind, unusable_usage
from creditcore.domain.callers import Limited, WithoutKey
from creditcore.domain.decisions import Admission, Extension
from creditcore.domain.endings import CREDITS_EXHAUSTED
from creditcore.domain.holds import Basis, Call, Hold, HoldState, Outcome
from creditcore.domain.makers import maker_of
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling
from creditcore.domain.reported_cost import difference_alert, differs
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import Begins, LedgerTransaction
from creditcore.usecases.books.group_commit import GroupCommit

HOLD_LIFETIME = timedelta(minutes=15)
"""Longer than any call may take; then no process can be working on the hold any more."""

_COMPLETE = 200
_EXPIRY_BATCH = 200


class _Authorize(NamedTuple):
    """Reserve credits of a wallet, named directly or by the key that is calling."""

    ceiling: Ceiling
    reference: str
    lifetime: timedelta
    call: Call | None = None
    wallet_id: str | None = None
    key_hash: bytes | None = None
    address: str | None = None
    caller: WithoutKey | None = None

    @property
    def footprint(self) -> Footprint:
        return make_footprint(
            key_hashes=() if self.key_hash is None else (self.key_hash,),
            wallet_ids=() if self.wallet_id is None else (self.wallet_id,),
            new_references=(self.reference,),
            counter_ids=[count.id for count in self.caller.counts] if self.caller else (),
        )

    @property
    def known_holds(self) -> Collection[Hold]:
        return ()

    def decide(self, books: Books, *, now: datetime) -> Admission:
        wallet_id, call = self.wallet_id or "", self.call
        caller: Limited | None = self.caller
        if self.key_hash is not None:
            caller = key = books.key(self.key_hash, now=now)
            key.check_call(call.model if call else "", self.address)
            wallet_id, call = key.wallet_id, call and call.with_key(key.id)
        return books.admit(
            wallet_id,
            self.ceiling,
            reference=self.reference,
            call=call,
            now=now,
            lifetime=self.lifetime,
            caller=caller,
        )


_make_authorize = maker_of(_Authorize)


@dataclass(frozen=True, slots=True)
class _Void:
    """Void an authorization whose outcome is unknown: it may have committed, or may yet."""

    key_hash: bytes
    reference: str
    call: Call

    @property
    def footprint(self) -> Footprint:
        return Footprint(key_hashes=(self.key_hash,), hold_references=(self.reference,))

    known_holds: ClassVar[Collection[Hold]] = ()

    def decide(self, books: Books, *, now: datetime) -> None:
        # A key that is no more has locked no wallet. One that only opens nothing any more has.
        key = books.keys.get(self.key_hash)
        if key is not None:
            call = self.call.with_key(key.id)
            books.void(self.reference, key.wallet_id, call=call, at=now)


@dataclass(frozen=True, slots=True)
class _Extend:
    """Grow a hold, so that its call may go on.

    The hold is read: where the wallet is empty nothing is written, which would find out that
    what the caller knows of it is wrong.
    """

    hold: Hold
    ceiling: Ceiling
    output_bound: int

    @property
    def footprint(self) -> Footprint:
        return _footprint_of(self.hold)

    known_holds: ClassVar[Collection[Hold]] = ()

    def decide(self, books: Books, *, now: datetime) -> Extension:  # noqa: ARG002
        return books.extend(self.hold.reference, self.ceiling, output_bound=self.output_bound)


class _Close(NamedTuple):
    """Close a hold, charging what the call cost; first grow it, where it may cost more."""

    hold: Hold
    cost: Credits
    outcome: Outcome | None
    closing: HoldState
    most: Credits | None = None

    @property
    def footprint(self) -> Footprint:
        return _footprint_of(self.hold)

    @property
    def known_holds(self) -> Collection[Hold]:
        # Closing an open hold always writes it.
        return (self.hold,) if self.hold.is_open else ()

    def decide(self, books: Books, *, now: datetime) -> Hold:
        if self.most is not None and self.cost > self.hold.amount:
            within = Ceiling.of(min(self.cost, self.most))
            books.extend(self.hold.reference, within, output_bound=0)
        before = books.holds.get(self.hold.reference)
        closed = books.settle(
            self.hold.reference, self.cost, at=now, outcome=self.outcome, closing=self.closing
        )
        if closed is before:
            return closed
        if self.closing is HoldState.EXPIRED:
            books.new_alerts.append(call_left_behind(closed, at=now))
        if closed.call is not None and _lacks_usage(closed):
            books.new_alerts.append(unusable_usage(closed, closed.call, at=now))
        if closed.call is not None and differs(closed):
            books.new_alerts.append(difference_alert(closed, closed.call, at=now))
        return closed


def _footprint_of(hold: Hold) -> Footprint:
    return make_footprint(
        wallet_ids=(hold.wallet_id,),
        hold_references=(hold.reference,),
        counter_ids=[counted.counter_id for counted in hold.counted],
    )


def _lacks_usage(hold: Hold) -> bool:
    """Whether a complete answer had to be charged by our own count."""
    outcome = hold.outcome
    complete = outcome.status == _COMPLETE and outcome.error != CREDITS_EXHAUSTED
    return complete and outcome.basis is Basis.COUNTED_OUTPUT


class ChargeUsage:
    """Reserve the most a call may cost, then charge what it did cost.

    Every method may be repeated: the reference decides, and the first time counts.

    Args:
        commits: Where steps of many callers share a transaction.
        transactions: Where holds are looked for whose time is over.
        lifetime: After which a hold belongs to no call and is swept up.
    """

    def __init__(
        self,
        *,
        commits: GroupCommit,
        transactions: Begins[LedgerTransaction],
        clock: Clock,
        lifetime: timedelta = HOLD_LIFETIME,
    ) -> None:
        self._commits = commits
        self._transactions = transactions
        self._clock = clock
        self._lifetime = lifetime

    def authorize(
        self,
        wallet_id: str,
        *,
        ceiling: Credits | Ceiling,
        reference: str,
        call: Call | None = None,
        caller: WithoutKey | None = None,
    ) -> Admission:
        """Hold credits of a wallet, so that a call cannot overspend.

        Asking again with the same reference returns the first hold.

        Args:
            wallet_id: Whose credits.
            ceiling: The most the call may cost.
            reference: Names the hold.
            call: What it is for.
            caller: Who calls without a key, where that is held to limits.

        Raises:
            InsufficientCreditsError: The ceiling is not available, or beyond a limit.
            LimitReachedError: As many calls of the account run as may.
            ReferenceConflictError: The reference belongs to another call.
            StoreError: Nothing is known to be held; do not call upstream.
            WalletNotFoundError: No wallet has this id.
        """
        return self._commits.run(
            _Authorize(
                wallet_id=wallet_id,
                ceiling=Ceiling.of(ceiling) if isinstance(ceiling, Credits) else ceiling,
                reference=reference,
                call=call,
                lifetime=self._lifetime,
                caller=caller,
            )
        )

    def authorize_key(
        self,
        key_hash: bytes,
        *,
        ceiling: Ceiling,
        reference: str,
        call: Call,
        address: str | None = None,
    ) -> Admission:
        """Hold credits for the bearer of a key, which is looked up in the same transaction.

        Raises:
            KeyRefusedError: The key opens nothing as of this transaction.
            NotPermittedError: It is not for this call, or not from this address.
            LimitReachedError: As many calls of the key run as may.
            InsufficientCreditsError: The ceiling is not available, or beyond the key's limit.
            ReferenceConflictError: The reference belongs to another call.
            StoreError: Nothing is known to be held; do not call upstream.
        """
        return self._commits.run(
            _make_authorize(
                key_hash=key_hash,
                address=address,
                ceiling=ceiling,
                reference=reference,
                call=call,
                lifetime=self._lifetime,
            )
        )

    def void_later(self, key_hash: bytes, *, reference: str, call: Call) -> None:
        """See to it soon that nothing is held under a reference, whose call will not be made.

        For an authorization of unknown outcome, of which a repeat would find out more: the
        database may have committed it, or may do so yet. What is held under the same reference by
        another request, by its ``repeat_id``, stays.

        Args:
            key_hash: The key that called.
            reference: Of the authorization.
            call: The call that will not be made.
        """
        self._commits.run_later(_Void(key_hash, reference, call))

    def settle(
        self,
        hold: Hold,
        cost: Credits,
        *,
        outcome: Outcome | None = None,
        most: Credits | None = None,
    ) -> Hold:
        """Charge ``cost`` and free the rest; return the closed hold once it is durable.

        With ``most``, a hold that is too small first grows as far as that to cover the cost.

        Cost beyond the hold is written off with an alert. A repeat returns the hold
        as it was closed first.

        Raises:
            StoreError: Unknown whether it was settled; ask again.
        """
        return self._commits.run(_Close(hold, cost, outcome, HoldState.SETTLED, most))

    def extend(self, hold: Hold, *, ceiling: Ceiling, output_bound: int) -> Extension:
        """Grow a hold to pay for more output, as far as the wallet affords.

        Asking again for the same output changes nothing.

        Raises:
            StoreError: Unknown whether it grew; deliver nothing more that is not paid for.
        """
        return self._commits.run(_Extend(hold, ceiling, output_bound))

    def settle_later(
        self,
        hold: Hold,
        cost: Credits,
        *,
        outcome: Outcome | None = None,
        most: Credits | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Charge ``cost`` soon, off the caller's path; tried until the database takes it.

        Args:
            hold: What to close.
            cost: What the call cost.
            outcome: What came of it.
            most: Where a hold could grow: how far it may still grow to cover the cost.
            then: What to do once it is durable; it must be quick.
        """
        self._commits.run_later(_Close(hold, cost, outcome, HoldState.SETTLED, most), then=then)

    def release(self, hold: Hold, *, outcome: Outcome | None = None) -> Hold:
        """Free a hold, charging nothing.

        Raises:
            StoreError: Unknown whether it was released; ask again.
        """
        return self._commits.run(_Close(hold, ZERO, outcome, HoldState.RELEASED))

    def release_later(self, hold: Hold, *, outcome: Outcome | None = None) -> None:
        """Free a hold soon, off the caller's path; tried until the database takes it."""
        self._commits.run_later(_Close(hold, ZERO, outcome, HoldState.RELEASED))

    def expire_hold(self, hold: Hold) -> Hold:
        """End a hold whose time is over, charging nothing, with an alert; a repeat changes nothing.

        Raises:
            StoreError: Unknown whether it was ended; ask again.
        """
        return self._commits.run(_Close(hold, ZERO, None, HoldState.EXPIRED))

    def expire(self) -> int:
        """Close the holds that a dead process left behind; return how many.

        Without evidence of a cost they charge nothing, and each raises an alert. Any
        number of workers may do this at once: a hold leaves the open state once.
        """
        expired = 0
        while True:
            with self._transactions.begin() as tx:
                overdue = tx.ledger.expired_holds(now=self._clock.now(), limit=_EXPIRY_BATCH)
            for hold in overdue:
                self.expire_hold(hold)
            expired += len(overdue)
            if len(overdue) < _EXPIRY_BATCH:
                return expired
