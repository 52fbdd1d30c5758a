"""The pure decisions over a wallet: admit a call, extend its hold, settle it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.errors import InsufficientCreditsError
from creditcore.domain.holds import Call, Hold, HoldState, Outcome, make_hold
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import (
    PlatformAccount,
    Transfer,
    TransferKind,
    Wallet,
    make_transfer,
)
from creditcore.domain.limits import Counted, SpendLimit
from creditcore.domain.makers import maker_of
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling


class Admission(NamedTuple):
    """The answer to a call that may run.

    Attributes:
        hold: The credits reserved for it.
        output_bound: The output limit (of one choice) that upstream must keep.
        paid_output: How much of it the hold pays for already: all, unless it can grow.
        available: What the wallet can still reserve after this hold.
        key: The API key that asked, where one did.
        repeated: Whether the hold was there already: another request makes, or made, its call.
    """

    hold: Hold
    output_bound: int
    paid_output: int
    available: Credits
    key: ApiKey | None = None
    repeated: bool = False


make_admission = maker_of(Admission)


class Extension(NamedTuple):
    """The answer to a call that wants to go on.

    Attributes:
        hold: The hold, grown as far as the wallet affords.
        paid_output: The output (of one choice) that it pays for now.
        available: What the wallet can still reserve after that.
    """

    hold: Hold
    paid_output: int
    available: Credits


class Limit(NamedTuple):
    """The spend limit that leaves a caller the least.

    Attributes:
        room: What holds may still take of it.
        whose: Whose limit it is: a key's, an account's or a member's.
        spend: The limit with its calendar.
    """

    room: Credits
    whose: str
    spend: SpendLimit | None = None

    def resets_at(self, now: datetime) -> datetime | None:
        """Return when it begins anew; None for a limit for all time."""
        return self.spend.ends_at(now) if self.spend else None


def admit(
    wallet: Wallet,
    ceiling: Ceiling,
    *,
    reference: str,
    call: Call | None,
    now: datetime,
    lifetime: timedelta,
    limit: Limit | None = None,
    counted: tuple[Counted, ...] = (),
    key: ApiKey | None = None,
) -> tuple[Wallet, Admission]:
    """Reserve the most a call may cost.

    Where the caller left the output limit open, it is lowered to what the wallet
    affords; the lowered limit is returned and must be sent upstream. A call whose hold
    can grow reserves no more than its opening at first. Where its limit is the caller's own, it
    reserves all of that if the wallet affords it, and opens with less if not.

    Args:
        wallet: Whose credits they are.
        ceiling: What the call may cost.
        reference: Names the hold.
        call: What it is for.
        now: When it begins.
        lifetime: How long it may last.
        limit: Leaves a caller the least, which may be less than the wallet has.
        counted: The counts that the hold goes into.
        key: The API key that asks, where one does.

    Raises:
        InsufficientCreditsError: Not even the least output that is worth a beginning is covered.
    """
    available = wallet.available
    bounding = limit if limit is not None and limit.room < available else None
    if bounding is not None:
        available = bounding.room
    output_bound = ceiling.affordable(available)
    is_whole = ceiling.fixed_output and output_bound == ceiling.output_bound
    lowered_too_far = output_bound < ceiling.least_output
    paid_output = output_bound if is_whole else min(output_bound, ceiling.opening or output_bound)
    needed = ceiling.amount(paid_output)
    if needed > available or (lowered_too_far and ceiling.output_bound > 0):
        raise InsufficientCreditsError(
            needed=ceiling.amount(),
            available=available,
            affordable_output_tokens=output_bound if ceiling.per_output_token else None,
            limit=bounding.whose if bounding else "wallet",
            resets_at=bounding.resets_at(now) if bounding else None,
            wallet_id=wallet.id,
        )
    if call is not None and output_bound < ceiling.output_bound:
        lowered = call.output_bound * output_bound // ceiling.output_bound
        call = call._replace(output_bound=lowered)
    hold = make_hold(
        reference=reference,
        wallet_id=wallet.id,
        amount=needed,
        created_at=now,
        expires_at=now + lifetime,
        call=call,
        counted=counted,
    )
    wallet = wallet.with_balance(posted=wallet.posted, held=wallet.held + needed)
    return wallet, make_admission(hold, output_bound, paid_output, wallet.available, key)


def extend(
    wallet: Wallet,
    hold: Hold,
    ceiling: Ceiling,
    *,
    output_bound: int,
    room: Credits | None = None,
) -> tuple[Wallet, Extension]:
    """Grow an open hold to pay for an output, as far as the wallet and a limit afford.

    A hold never shrinks here, so a repeat changes nothing. One that is closed stays as
    it is and pays for nothing more.
    """
    if not hold.is_open:
        return wallet, Extension(hold, 0, wallet.available)
    available = wallet.available if room is None else min(wallet.available, room)
    affordable = hold.amount + available
    paid_output = min(output_bound, ceiling.affordable(affordable))
    amount = min(max(hold.amount, ceiling.amount(paid_output)), affordable)
    if amount > hold.amount:
        held = wallet.held + amount - hold.amount
        wallet = wallet.with_balance(posted=wallet.posted, held=held)
        hold = replace(hold, amount=amount)
    return wallet, Extension(hold, paid_output, wallet.available)


class Settlement(NamedTuple):
    """What closing a hold changes."""

    wallet: Wallet
    hold: Hold
    transfers: tuple[Transfer, ...] = ()
    alerts: tuple[Alert, ...] = ()


_make_settlement = maker_of(Settlement)


def settle(
    wallet: Wallet,
    hold: Hold,
    cost: Credits,
    *,
    at: datetime,
    outcome: Outcome | None = None,
    closing: HoldState = HoldState.SETTLED,
) -> Settlement:
    """Charge the true cost of a call and free the rest of its hold.

    Cost beyond the hold is written off with an alert: the wallet never owes. A hold
    that was closed already changes nothing, unless it ended unpaid and a cost turns
    up late: that cost is written off, once.
    """
    # Numbers where credits are only asked for their sign: every call comes by here.
    if cost.microcredits < 0:
        raise ValueError(f"a cost is not negative: {cost}")
    if not hold.is_open:
        return _settle_late(wallet, hold, cost, at=at, outcome=outcome)
    charged = min(cost, hold.amount)
    beyond = ZERO if charged is cost else cost - charged
    closed = hold.close(closing, at=at, charged=charged, written_off=beyond, outcome=outcome)
    before = wallet
    wallet = wallet.with_balance(posted=wallet.posted - charged, held=wallet.held - hold.amount)
    transfers: tuple[Transfer, ...] = ()
    alerts: tuple[Alert, ...] = ()
    if charged.microcredits:
        charge = make_transfer(
            wallet_id=wallet.id,
            from_account=wallet.id,
            to_account=PlatformAccount.USAGE,
            amount=charged,
            kind=TransferKind.CHARGE,
            reference=f"charge:{hold.reference}",
            at=at,
        )
        transfers = (charge,)
    if beyond.microcredits:
        written_off, alert = _write_off(hold, beyond, at=at, why="cost more than its hold")
        transfers, alerts = (*transfers, written_off), (alert,)
    if before.owed.microcredits and (
        paid := wallet.repayment_after(before, reference=hold.reference, at=at)
    ):
        transfers = (*transfers, paid)
    return _make_settlement(wallet, closed, transfers, alerts)


def _settle_late(
    wallet: Wallet, hold: Hold, cost: Credits, *, at: datetime, outcome: Outcome | None
) -> Settlement:
    if hold.state is HoldState.SETTLED or hold.written_off or not cost:
        return Settlement(wallet, hold)
    why = f"was priced after its hold had {hold.state}"
    written_off, alert = _write_off(hold, cost, at=at, why=why)
    late = replace(hold, written_off=cost, outcome=outcome or hold.outcome)
    return Settlement(wallet, late, (written_off,), (alert,))


def _write_off(hold: Hold, amount: Credits, *, at: datetime, why: str) -> tuple[Transfer, Alert]:
    transfer = Transfer(
        wallet_id=hold.wallet_id,
        from_account=PlatformAccount.WRITE_OFF,
        to_account=PlatformAccount.USAGE,
        amount=amount,
        kind=TransferKind.WRITE_OFF,
        reference=f"write_off:{hold.reference}",
        at=at,
    )
    alert = Alert(
        key=f"write_off:{hold.reference}",
        severity=Severity.WARNING,
        subject="A call cost more than could be charged",
        message=f"Call {hold.reference} {why}; {amount} credits were written off.",
        at=at,
    )
    return transfer, alert
