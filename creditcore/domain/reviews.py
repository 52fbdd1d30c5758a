"""Payments that a person has to decide about: the money is there, and nothing was credited."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.ledger import PlatformAccount, Transfer, TransferKind, grant
from creditcore.domain.money import ZERO, Credits, Money, div_floor
from creditcore.domain.purchases import Offer, Payment, Purchase, PurchaseState
from creditcore.domain.refunds import grant_references

MAX_REASON_LENGTH = 150


class ReviewKind(StrEnum):
    """Why a payment was not credited."""

    UNDERPAID = "underpaid"
    WRONG_CURRENCY = "wrong_currency"
    REVERSED = "reversed"
    PERSON_GONE = "person_gone"
    DUPLICATE = "duplicate"
    """A second payment of a purchase that was paid; named by the provider's number of it."""
    UNKNOWN_REFERENCE = "unknown_reference"


class ReviewState(StrEnum):
    """What was decided."""

    OPEN = "open"
    REFUNDING = "refunding"
    """A refund was asked for, and it is not known yet whether the provider took it."""
    CREDITED = "credited"
    REFUNDED = "refunded"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One payment to decide about; there is one for each reference.

    Attributes:
        amount: What was paid.
        provider_id: The provider's number of the payment.
        reason: Why it was not credited.
        resolution: Why it was decided like this, in the operator's words.
    """

    reference: str
    kind: ReviewKind
    amount: Money
    provider_id: str
    reason: str
    opened_at: datetime
    state: ReviewState = ReviewState.OPEN
    resolution: str = ""
    closed_at: datetime | None = None

    @classmethod
    def of(cls, purchase: Purchase, *, is_reversed: bool, at: datetime) -> Self:
        """Return the review of a purchase that is held back."""
        price = purchase.offer.price
        paid = purchase.paid or Money(0, price.currency)
        if paid.currency != price.currency:
            kind = ReviewKind.WRONG_CURRENCY
        elif paid < price:
            kind = ReviewKind.UNDERPAID
        elif is_reversed:
            kind = ReviewKind.REVERSED
        else:
            kind = ReviewKind.PERSON_GONE
        return cls(
            reference=purchase.reference,
            kind=kind,
            amount=paid,
            provider_id=purchase.provider_id,
            reason=purchase.review_reason,
            opened_at=at,
        )

    @classmethod
    def of_unknown(cls, payment: Payment, *, at: datetime) -> Self:
        """Return the review of a payment whose reference is none of ours."""
        return cls(
            reference=payment.reference,
            kind=ReviewKind.UNKNOWN_REFERENCE,
            amount=payment.amount,
            provider_id=payment.provider_id,
            reason="its reference is none of ours",
            opened_at=at,
        )

    @classmethod
    def of_duplicate(cls, payment: Payment, *, at: datetime) -> Self:
        """Return the review of a second payment of a purchase that was paid before."""
        return cls(
            reference=payment.provider_id,
            kind=ReviewKind.DUPLICATE,
            amount=payment.amount,
            provider_id=payment.provider_id,
            reason=f"{payment.reference} was paid before, by another payment",
            opened_at=at,
        )

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to decide."""
        return self.state not in (ReviewState.OPEN, ReviewState.REFUNDING)

    def resolve(self, state: ReviewState, resolution: str, *, at: datetime) -> Self:
        """Return the review as decided.

        Raises:
            InvalidRequestError: It was decided before, or there is no reason.
        """
        if self.is_closed:
            raise InvalidRequestError(
                f"Payment {self.reference} was {self.state} before: {self.resolution}"
            )
        text = " ".join(resolution.split())
        if not text or len(text) > MAX_REASON_LENGTH:
            raise InvalidRequestError(
                f"A decision has a reason of 1 to {MAX_REASON_LENGTH} characters.", param="reason"
            )
        closed_at = None if state is ReviewState.REFUNDING else at
        return replace(self, state=state, resolution=text, closed_at=closed_at)


def reduced_offer(offer: Offer, paid: Money) -> Offer:
    """Return what a smaller payment buys: the offer in proportion, rounded down.

    Raises:
        InvalidRequestError: The payment is in another currency, so that nothing says what
            it buys.
    """
    if paid.currency != offer.price.currency:
        raise InvalidRequestError(
            f"{paid} was paid where {offer.price} was asked: say how many credits it buys.",
            param="credits",
        )
    part, whole = min(paid.minor_units, offer.price.minor_units), offer.price.minor_units

    def share(amount: int) -> int:
        return div_floor(amount * part, whole)

    return Offer(
        value=Money(max(1, share(offer.value.minor_units)), offer.value.currency),
        price=paid,
        rate=offer.rate,
        sold=Credits(share(offer.sold.microcredits)),
        bonus=Credits(share(offer.bonus.microcredits)),
    )


def agreed_offer(paid: Money, credits_: Credits) -> Offer:
    """Return what an operator says that a payment buys; one credit is worth a US cent."""
    whole_cents = max(1, div_floor(credits_.microcredits, 1_000_000))
    return Offer(value=Money(whole_cents, "USD"), price=paid, rate=None, sold=credits_, bonus=ZERO)


def accept(purchase: Purchase, offer: Offer, *, at: datetime) -> tuple[Purchase, list[Transfer]]:
    """Return a purchase as paid on other terms, and the transfers that grant them."""
    paid = replace(purchase, offer=offer, state=PurchaseState.PAID, review_reason="", closed_at=at)
    parts = zip(
        grant_references(purchase.reference),
        (PlatformAccount.SALES, PlatformAccount.BONUS),
        (TransferKind.PURCHASE, TransferKind.BONUS),
        (offer.sold, offer.bonus),
        strict=True,
    )
    transfers = [
        grant(purchase.wallet_id, amount, source=source, kind=kind, reference=name, at=at)
        for name, source, kind, amount in parts
        if amount > ZERO
    ]
    return paid, transfers
