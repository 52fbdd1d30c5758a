"""Wallets, transfers, and the pure decisions over them.

Every credit movement is one transfer from an account to another: balanced by
construction, appended, never edited. A wallet keeps its balance beside them.
``Books`` is what one database transaction has locked; decisions change it in
turn, and the store writes what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.errors import (
    HoldNotFoundError,
    InsufficientCreditsError,
    KeyRefusedError,
    ReferenceConflictError,
    WalletNotFoundError,
)
from creditcore.domain.holds import Call, Hold, HoldState, Outcome
from creditcore.domain.keys import ApiKey
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling


class PlatformAccount(StrEnum):
    """The accounts that are not wallets. Their balances are summed when asked."""

    SALES = "sales"
    BONUS = "bonus"
    USAGE = "usage"
    WRITE_OFF = "write_off"
    ADJUSTMENT = "adjustment"
    REFUNDS = "refunds"


class TransferKind(StrEnum):
    """Why credits moved."""

    PURCHASE = "purchase"
    BONUS = "bonus"
    SIGNUP = "signup"
    GRANT = "grant"
    CHARGE = "charge"
    WRITE_OFF = "write_off"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """The credits of one owner.

    Attributes:
        owner_id: The person or team whose credits these are.
        posted: What all settled transfers add up to.
        held: The part of it that open holds reserve.
    """

    id: str
    owner_id: str
    posted: Credits = ZERO
    held: Credits = ZERO

    def __post_init__(self) -> None:
        if not ZERO <= self.held <= self.posted:
            raise ValueError(f"held is between zero and posted: {self.held}, {self.posted}")

    @property
    def available(self) -> Credits:
        """What a new call may still reserve."""
        return self.posted - self.held

    def with_balance(self, *, posted: Credits, held: Credits) -> Wallet:
        """Return the same wallet with other credits in it."""
        return Wallet(id=self.id, owner_id=self.owner_id, posted=posted, held=held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One movement of credits, for ever.

    Attributes:
        wallet_id: The wallet it concerns, also where neither side is one (a write-off).
        from_account, to_account: A wallet id or a platform account.
        amount: Above zero.
        reference: Unique among all transfers: it moves credits at most once.
        note: What a person should read beside it, such as an operator's reason.
    """

    wallet_id: str
    from_account: str
    to_account: str
    amount: Credits
    kind: TransferKind
    reference: str
    at: datetime
    note: str = ""

    def __post_init__(self) -> None:
        if self.amount <= ZERO:
            raise ValueError(f"a transfer moves more than zero, got {self.amount}")
        if self.from_account == self.to_account:
            raise ValueError("a transfer has two different accounts")

    def same_movement_as(self, other: Transfer) -> bool:
        """Whether a repeat under the same reference means the same thing."""
        return (self.from_account, self.to_account, self.amount, self.kind) == (
            other.from_account,
            other.to_account,
            other.amount,
            other.kind,
        )


def grant(
    wallet_id: str,
    amount: Credits,
    *,
    source: PlatformAccount,
    kind: TransferKind,
    reference: str,
    at: datetime,
    note: str = "",
) -> Transfer:
    """Return the transfer that gives a wallet credits."""
    return Transfer(
        wallet_id=wallet_id,
        from_account=source,
        to_account=wallet_id,
        amount=amount,
        kind=kind,
        reference=reference,
        at=at,
        note=note,
    )


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to a call that may run.

    Attributes:
        hold: The credits reserved for it.
        output_bound: The output limit (of one choice) that upstream must keep.
        paid_output: How much of it the hold pays for already: all, unless it can grow.
        available: What the wallet can still reserve after this hold.
        key: The API key that asked, where one did.
    """

    hold: Hold
    output_bound: int
    paid_output: int
    available: Credits
    key: ApiKey | None = None

    def to(self, key: ApiKey) -> Admission:
        """Return the same answer to the bearer of a key."""
        return Admission(self.hold, self.output_bound, self.paid_output, self.available, key)


@dataclass(frozen=True, slots=True)
class Extension:
    """The answer to a call that wants to go on.

    Attributes:
        hold: The hold, grown as far as the wallet affords.
        paid_output: The output (of one choice) that it pays for now.
        available: What the wallet can still reserve after that.
    """

    hold: Hold
    paid_output: int
    available: Credits


def admit(
    wallet: Wallet,
    ceiling: Ceiling,
    *,
    reference: str,
    call: Call | None,
    now: datetime,
    lifetime: timedelta,
) -> tuple[Wallet, Admission]:
    """Reserve the most a call may cost.

    Where the caller left the output limit open, it is lowered to what the wallet
    affords; the lowered limit is returned and must be sent upstream. A call whose hold
    can grow reserves no more than its opening at first.

    Raises:
        InsufficientCreditsError: Not even one output token, or not the limit that
            the caller asked for, is covered.
    """
    available = wallet.available
    output_bound = ceiling.affordable(available)
    lowered_too_far = output_bound < (ceiling.output_bound if ceiling.fixed_output else 1)
    paid_output = min(output_bound, ceiling.opening or output_bound)
    needed = ceiling.amount(paid_output)
    if needed > available or (lowered_too_far and ceiling.output_bound > 0):
        raise InsufficientCreditsError(
            needed=ceiling.amount(),
            available=available,
            affordable_output_tokens=output_bound if ceiling.per_output_token else None,
        )
    if call is not None and output_bound < ceiling.output_bound:
        call = replace(call, output_bound=call.output_bound * output_bound // ceiling.output_bound)
    hold = Hold(
        reference=reference,
        wallet_id=wallet.id,
        amount=needed,
        created_at=now,
        expires_at=now + lifetime,
        call=call,
    )
    wallet = wallet.with_balance(posted=wallet.posted, held=wallet.held + needed)
    return wallet, Admission(hold, output_bound, paid_output, wallet.available)


def extend(
    wallet: Wallet, hold: Hold, ceiling: Ceiling, *, output_bound: int
) -> tuple[Wallet, Extension]:
    """Grow an open hold to pay for an output, as far as the wallet affords.

    A hold never shrinks here, so a repeat changes nothing. One that is closed stays as
    it is and pays for nothing more.
    """
    if not hold.is_open:
        return wallet, Extension(hold, 0, wallet.available)
    affordable = hold.amount + wallet.available
    paid_output = min(output_bound, ceiling.affordable(affordable))
    amount = min(max(hold.amount, ceiling.amount(paid_output)), affordable)
    if amount > hold.amount:
        held = wallet.held + amount - hold.amount
        wallet = wallet.with_balance(posted=wallet.posted, held=held)
        hold = replace(hold, amount=amount)
    return wallet, Extension(hold, paid_output, wallet.available)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What closing a hold changes."""

    wallet: Wallet
    hold: Hold
    transfers: tuple[Transfer, ...] = ()
    alerts: tuple[Alert, ...] = ()


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
    if cost < ZERO:
        raise ValueError(f"a cost is not negative: {cost}")
    if not hold.is_open:
        return _settle_late(wallet, hold, cost, at=at, outcome=outcome)
    charged = min(cost, hold.amount)
    beyond = cost - charged
    closed = hold.close(closing, at=at, charged=charged, written_off=beyond, outcome=outcome)
    wallet = wallet.with_balance(posted=wallet.posted - charged, held=wallet.held - hold.amount)
    transfers: tuple[Transfer, ...] = ()
    alerts: tuple[Alert, ...] = ()
    if charged:
        charge = Transfer(
            wallet_id=wallet.id,
            from_account=wallet.id,
            to_account=PlatformAccount.USAGE,
            amount=charged,
            kind=TransferKind.CHARGE,
            reference=f"charge:{hold.reference}",
            at=at,
        )
        transfers = (charge,)
    if beyond:
        written_off, alert = _write_off(hold, beyond, at=at, why="cost more than its hold")
        transfers, alerts = (*transfers, written_off), (alert,)
    return Settlement(wallet, closed, transfers, alerts)


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
        new_holds, changed_wallets: What to write, by name.
        changed_holds: Holds as they were read and as they are now, by name.
        new_transfers, new_alerts: What to append.
    """

    keys: Mapping[bytes, ApiKey] = field(default_factory=dict)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    new_holds: dict[str, Hold] = field(default_factory=dict)
    changed_holds: dict[str, tuple[Hold, Hold]] = field(default_factory=dict)
    changed_wallets: dict[str, Wallet] = field(default_factory=dict)
    new_transfers: list[Transfer] = field(default_factory=list)
    new_alerts: list[Alert] = field(default_factory=list)

    def key(self, key_hash: bytes, *, now: datetime) -> ApiKey:
        """Return the key if it opens anything now.

        Raises:
            KeyRefusedError: Unknown, revoked or expired.
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
    ) -> Admission:
        """Reserve credits under a reference; a repeat returns the first hold.

        Raises:
            InsufficientCreditsError: The wallet cannot cover it.
            ReferenceConflictError: The reference stands for another call.
            WalletNotFoundError: No wallet has this id.
        """
        wallet = self.wallet(wallet_id)
        earlier = self.holds.get(reference)
        if earlier is not None:
            same = earlier.same_as(wallet_id=wallet_id, model=call.model if call else None)
            paid_output = ceiling.affordable(same.amount)
            return Admission(same, paid_output, paid_output, wallet.available)
        wallet, admission = admit(
            wallet, ceiling, reference=reference, call=call, now=now, lifetime=lifetime
        )
        self.holds[reference] = self.new_holds[reference] = admission.hold
        self._change(wallet)
        return admission

    def extend(self, reference: str, ceiling: Ceiling, *, output_bound: int) -> Extension:
        """Grow a hold as far as its wallet affords; a repeat changes nothing.

        Raises:
            HoldNotFoundError: No hold has this reference.
        """
        hold = self._hold(reference)
        wallet, extension = extend(
            self.wallet(hold.wallet_id), hold, ceiling, output_bound=output_bound
        )
        if extension.hold is not hold:
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
        for transfer in settlement.transfers:
            self.transfers[transfer.reference] = transfer
        self.new_transfers.extend(settlement.transfers)
        self.new_alerts.extend(settlement.alerts)
        if settlement.wallet is not self.wallets[hold.wallet_id]:
            self._change(settlement.wallet)
        return settlement.hold

    def void(self, reference: str, wallet_id: str, *, call: Call | None, at: datetime) -> None:
        """See to it that nothing is held under a reference, now or later.

        A hold that is there is released. Where there is none, a released one takes its name,
        so that whoever is still about to make it finds that it exists.
        """
        outcome = Outcome(error="interrupted")
        if reference in self.holds:
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
            wallets[wallet.id] = _moved(wallet, transfer)
            fresh.append(transfer)
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

    def _change(self, wallet: Wallet) -> None:
        self.wallets[wallet.id] = self.changed_wallets[wallet.id] = wallet


def _moved(wallet: Wallet, transfer: Transfer) -> Wallet:
    if transfer.to_account == wallet.id:
        return wallet.with_balance(posted=wallet.posted + transfer.amount, held=wallet.held)
    if transfer.from_account == wallet.id:
        if transfer.amount > wallet.available:
            raise InsufficientCreditsError(needed=transfer.amount, available=wallet.available)
        return wallet.with_balance(posted=wallet.posted - transfer.amount, held=wallet.held)
    return wallet
