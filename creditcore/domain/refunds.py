"""Money that goes back to a payer, and the credits that it takes along.

A refund reverses credits in proportion to the money. What was spent already cannot be taken
from the wallet, which owes it instead: every reversal is complete on the day it is made. A
refund that fails, and a dispute that is won, give back exactly what they took.

A dispute is a refund that the payer's bank began: the money may leave before it is decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from creditcore.domain.ledger import PlatformAccount, Transfer, TransferKind, Wallet
from creditcore.domain.money import ZERO, Credits, Money, div_floor


class RefundKind(StrEnum):
    """Who took the first step."""

    REFUND = "refund"
    DISPUTE = "dispute"


class RefundState(StrEnum):
    """Where the money is.

    ``FAILED`` is the end of a refund that did not reach the payer, and of a dispute that we
    won; ``PROCESSED`` of one that did, and of a dispute that we lost.
    """

    REQUESTED = "requested"
    """We asked for it, and do not know yet whether the provider heard."""
    PENDING = "pending"
    NEEDS_ATTENTION = "needs_attention"
    PROCESSED = "processed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money of one payment that goes back.

    Attributes:
        id: Ours, unique for ever; the provider keeps it in its note.
        purchase: The reference of the payment.
        credits: What it has taken from the wallet, or made it owe, while it is in force.
        provider_id: The provider's number of it; empty until we know it.
        reason: Why, in the operator's or the provider's words.
        by_provider: Whether it began there, on the provider's dashboard or at a bank.
        turns: How often it came into force, which names its transfers.
    """

    id: str
    purchase: str
    wallet_id: str
    amount: Money
    kind: RefundKind = RefundKind.REFUND
    state: RefundState = RefundState.REQUESTED
    credits: Credits = ZERO
    provider_id: str = ""
    reason: str = ""
    by_provider: bool = False
    turns: int = 0
    created_at: datetime
    updated_at: datetime

    @property
    def in_force(self) -> bool:
        """Whether its credits are reversed."""
        return self.state is not RefundState.FAILED

    @property
    def is_under_way(self) -> bool:
        """Whether the provider may still have something to say about it."""
        return self.state not in (RefundState.PROCESSED, RefundState.FAILED)

    @property
    def reference(self) -> str:
        """What the names of its transfers begin with."""
        return f"refund:{self.id}:{self.turns}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRefund:
    """A refund or dispute as the provider describes it.

    Attributes:
        note: What was written beside it when it was requested.
        message: What a person has to know of it, such as until when a dispute is answered.
    """

    provider_id: str
    amount: Money
    state: RefundState
    kind: RefundKind = RefundKind.REFUND
    note: str = ""
    message: str = ""


def credits_due(granted: Credits, paid: Money, refunded: Money) -> Credits:
    """Return what has to be reversed in all, once so much of a payment went back.

    Rounded down to the microcredit, in favour of the person; all of it when all went back.
    """
    part = min(refunded.minor_units, paid.minor_units)
    return Credits(div_floor(granted.microcredits * part, paid.minor_units))


def reverse(
    wallet: Wallet, amount: Credits, *, reference: str, at: datetime, note: str
) -> tuple[Transfer, ...]:
    """Take credits out of a wallet; what is not there any more is owed."""
    taken = min(amount, wallet.available)
    parts = ((wallet.id, taken, "taken"), (PlatformAccount.RECEIVABLE, amount - taken, "owed"))
    return tuple(
        Transfer(
            wallet_id=wallet.id,
            from_account=source,
            to_account=PlatformAccount.REFUNDS,
            amount=part,
            kind=TransferKind.REVERSAL,
            reference=f"{reference}:{name}",
            at=at,
            note=note,
        )
        for source, part, name in parts
        if part > ZERO
    )


def restore(
    wallet: Wallet, amount: Credits, *, reference: str, at: datetime, note: str
) -> tuple[Transfer, ...]:
    """Undo a reversal: first what is owed is owed no more, then credits come back."""
    forgotten = min(amount, wallet.owed)
    parts = (
        (PlatformAccount.RECEIVABLE, forgotten, "not-owed"),
        (wallet.id, amount - forgotten, "returned"),
    )
    return tuple(
        Transfer(
            wallet_id=wallet.id,
            from_account=PlatformAccount.REFUNDS,
            to_account=target,
            amount=part,
            kind=TransferKind.RESTORATION,
            reference=f"{reference}:{name}",
            at=at,
            note=note,
        )
        for target, part, name in parts
        if part > ZERO
    )


def forgive(wallet: Wallet, *, reference: str, at: datetime, note: str) -> Transfer | None:
    """Return the transfer that clears a wallet's debt at the operator's expense."""
    if not wallet.owed:
        return None
    return Transfer(
        wallet_id=wallet.id,
        from_account=PlatformAccount.WRITE_OFF,
        to_account=PlatformAccount.RECEIVABLE,
        amount=wallet.owed,
        kind=TransferKind.FORGIVENESS,
        reference=reference,
        at=at,
        note=note,
    )


def grant_references(purchase_reference: str) -> tuple[str, str]:
    """Return the names of the transfers by which a purchase grants credits."""
    accounts = (PlatformAccount.SALES, PlatformAccount.BONUS)
    sales, bonus = (f"purchase:{purchase_reference}:{account}" for account in accounts)
    return sales, bonus
