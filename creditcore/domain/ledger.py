"""Wallets, and the transfers between them and the platform's accounts.

Every credit movement is one transfer from an account to another: balanced by
construction, appended, never edited. A wallet keeps its balance beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from creditcore.domain.makers import maker_of
from creditcore.domain.money import ZERO, Credits, credits_of


class PlatformAccount(StrEnum):
    """The accounts that are not wallets. Their balances are summed when asked.

    ``receivable`` is what wallets owe: credits that were reversed after they had been spent.
    """

    SALES = "sales"
    BONUS = "bonus"
    USAGE = "usage"
    WRITE_OFF = "write_off"
    ADJUSTMENT = "adjustment"
    REFUNDS = "refunds"
    RECEIVABLE = "receivable"


_PLATFORM_ACCOUNTS = frozenset(account.value for account in PlatformAccount)


class TransferKind(StrEnum):
    """Why credits moved."""

    PURCHASE = "purchase"
    BONUS = "bonus"
    SIGNUP = "signup"
    GRANT = "grant"
    CHARGE = "charge"
    WRITE_OFF = "write_off"
    REVERSAL = "reversal"
    RESTORATION = "restoration"
    REPAYMENT = "repayment"
    FORGIVENESS = "forgiveness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """The credits of one owner.

    Attributes:
        id: Not empty, and not the name of a platform account: transfers name both alike.
        owner_id: The person or team whose credits these are.
        posted: What all settled transfers add up to.
        held: The part of it that open holds reserve.
        owed: Credits that were reversed after they had been spent. Credits that become free in
            the wallet pay them first, so a wallet that owes has nothing available.
    """

    id: str
    owner_id: str
    posted: Credits = ZERO
    held: Credits = ZERO
    owed: Credits = ZERO

    def __post_init__(self) -> None:
        if not self.id or self.id in _PLATFORM_ACCOUNTS:
            raise ValueError(f"a wallet cannot be called {self.id!r}")
        # Numbers, not credits: every call comes by here twice.
        if not 0 <= self.held.microcredits <= self.posted.microcredits:
            raise ValueError(f"held is between zero and posted: {self.held}, {self.posted}")
        if self.owed.microcredits and (self.owed < ZERO or self.held != self.posted):
            raise ValueError(f"a wallet that owes has nothing available: {self!r}")

    def require_empty(self) -> None:
        """Refuse credits that were not granted: credits come by transfers alone.

        Raises:
            ValueError: There are credits in the wallet, or it owes some.
        """
        if self.posted or self.owed:
            raise ValueError(f"a new wallet is empty; grant its credits instead: {self!r}")

    @property
    def available(self) -> Credits:
        """What a new call may still reserve."""
        return credits_of(self.posted.microcredits - self.held.microcredits)

    def with_balance(self, *, posted: Credits, held: Credits) -> Wallet:
        """Return the same wallet with other credits in it; what is free pays its debt first."""
        owed = self.owed
        if owed.microcredits:
            paid = min(owed, posted - held)
            posted, owed = posted - paid, owed - paid
        return make_wallet(id=self.id, owner_id=self.owner_id, posted=posted, held=held, owed=owed)

    def with_debt(self, owed: Credits) -> Wallet:
        """Return the same wallet, owing this much."""
        return replace(self, owed=owed)

    def repayment_after(self, before: Wallet, *, reference: str, at: datetime) -> Transfer | None:
        """Return the transfer that paid off debt between an earlier state and this one."""
        if self.owed >= before.owed:
            return None
        return Transfer(
            wallet_id=self.id,
            from_account=self.id,
            to_account=PlatformAccount.RECEIVABLE,
            amount=before.owed - self.owed,
            kind=TransferKind.REPAYMENT,
            reference=f"repayment:{reference}",
            at=at,
        )


make_wallet = maker_of(Wallet)


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


make_transfer = maker_of(Transfer)


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
