"""Compare one payment as the provider lists it with our own row of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from creditcore.domain.money import Money
from creditcore.domain.purchases import Payment, PaymentStatus, Purchase, PurchaseState


class FindingKind(StrEnum):
    """What does not agree."""

    CREDITED = "credited"
    """It was paid and not credited, and is now. Nothing is left to do."""
    NOT_CREDITED = "not_credited"
    UNDER_REVIEW = "under_review"
    UNKNOWN_REFERENCE = "unknown_reference"
    PAID_TWICE = "paid_twice"
    AMOUNT_DIFFERS = "amount_differs"
    REFUND_FOLLOWED = "refund_followed"
    """Money that went back elsewhere, and its credits with it now. Nothing is left to do."""
    DISPUTE_FOLLOWED = "dispute_followed"
    """A dispute that no webhook told of, and whose credits are reversed now."""
    REVERSED_THERE = "reversed_there"
    UNPAID_THERE = "unpaid_there"
    MISSING_THERE = "missing_there"
    UNREADABLE = "unreadable"
    DISPUTES_UNREAD = "disputes_unread"
    """The provider did not let us read its disputes: some may be unknown here."""
    PAYOUTS_UNREAD = "payouts_unread"
    """The provider did not let us read its payouts: whether all was paid out is not known."""
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_SUM_DIFFERS = "payout_sum_differs"
    """A payout is not the sum of the payments that it names."""
    PAYOUT_BOOKS_DIFFER = "payout_books_differ"
    """Our payments in a payout are not what they are in our books."""
    NOT_PAID_OUT = "not_paid_out"
    """Credited long ago, and in no payout since."""

    @property
    def is_open(self) -> bool:
        """Whether a person has to look."""
        return self not in (
            FindingKind.CREDITED,
            FindingKind.REFUND_FOLLOWED,
            FindingKind.DISPUTE_FOLLOWED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One payment, payout or day that does not agree, or did not until now.

    Attributes:
        reference: Of the payment; ``payout`` and its number; the day; ``disputes``;
            or ``payouts``.
        amount: What is at stake; None where that is not said.
    """

    kind: FindingKind
    reference: str
    amount: Money | None
    detail: str


def compare(purchase: Purchase | None, payment: Payment) -> Finding | None:
    """Return how a payment and its purchase contradict each other; None if they agree.

    ``NOT_CREDITED`` and ``REVERSED_THERE`` may be mended by confirming the payment and by
    following its refunds; the others are for a person.
    """
    kind, detail = _difference(purchase, payment)
    if kind is None:
        return None
    return Finding(kind=kind, reference=payment.reference, amount=payment.amount, detail=detail)


def _difference(purchase: Purchase | None, payment: Payment) -> tuple[FindingKind | None, str]:
    is_settled = payment.status in (PaymentStatus.SUCCEEDED, PaymentStatus.REVERSED)
    if purchase is None:
        told = "The provider collected money under a reference that is none of ours."
        return (FindingKind.UNKNOWN_REFERENCE, told) if is_settled else (None, "")
    if purchase.awaits_payment:
        told = f"Paid there; here it is {purchase.state}."
        return (FindingKind.NOT_CREDITED, told) if is_settled else (None, "")
    if purchase.state is PurchaseState.UNDER_REVIEW:
        return FindingKind.UNDER_REVIEW, f"Here it waits for a decision: {purchase.review_reason}."
    return _difference_of_credited(purchase, payment)


def _difference_of_credited(purchase: Purchase, payment: Payment) -> tuple[FindingKind | None, str]:
    if payment.status not in (PaymentStatus.SUCCEEDED, PaymentStatus.REVERSED):
        return FindingKind.UNPAID_THERE, f"Credited here; there it is {payment.status}."
    is_another = bool(purchase.provider_id) and payment.provider_id != purchase.provider_id
    if is_another and payment.provider_id and payment.status is PaymentStatus.SUCCEEDED:
        told = f"Here it was paid by {purchase.provider_id}; this is {payment.provider_id}."
        return FindingKind.PAID_TWICE, told
    if purchase.paid != payment.amount:
        return FindingKind.AMOUNT_DIFFERS, f"Here {purchase.paid} was paid."
    if payment.status is PaymentStatus.REVERSED:
        return FindingKind.REVERSED_THERE, "It went back there, all of it or a part."
    return None, ""
