"""Decide about payments that were held back: credit them, give them back, or leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.errors import (
    InvalidRequestError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    PurchaseNotFoundError,
)
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.people import Person
from creditcore.domain.purchases import (
    Payment,
    PaymentStatus,
    Purchase,
    PurchaseState,
    receipt_code_of,
)
from creditcore.domain.refunds import Refund, RefundState, ReportedRefund
from creditcore.domain.reviews import (
    Review,
    ReviewKind,
    ReviewState,
    accept,
    agreed_offer,
    reduced_offer,
)
from creditcore.ports.clock import Clock
from creditcore.ports.payment_followers import FollowedTransaction, PaymentFollower
from creditcore.ports.payments import PaymentGateway
from creditcore.ports.refund_gateway import RefundGateway
from creditcore.ports.store_ports import HasRefunds, HasReviews
from creditcore.ports.transactions import Begins, PurchasesTransaction
from creditcore.usecases.payments.post_transfers import post_transfers
from creditcore.usecases.payments.refund_payment import RefundPayment


class ResolveReviewTransaction(
    FollowedTransaction, PurchasesTransaction, HasRefunds, HasReviews, Protocol
):
    """What resolving a review reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveReview:
    """An operator's decision, each with its reason in the activity log.

    Attributes:
        followers: What else happens in the transaction that credits a payment.
    """

    transactions: Begins[ResolveReviewTransaction]
    gateway: PaymentGateway
    refund_gateway: RefundGateway
    refunds: RefundPayment
    clock: Clock
    followers: Sequence[PaymentFollower] = ()

    def waiting(self, *, limit: int) -> Sequence[Review]:
        """Return what is not decided, oldest first."""
        with self.transactions.begin() as tx:
            return tx.reviews.waiting(limit=limit)

    def credit(
        self,
        reference: str,
        *,
        reason: str,
        credits_: Credits | None = None,
        person: Person | None = None,
        actor: Actor = SYSTEM,
    ) -> Credits:
        """Grant credits for the payment; return how many.

        Args:
            reference: The payment.
            reason: Why, for the activity log.
            credits_: What it buys; if None, what was offered, in proportion to what was paid.
            person: Who gets them, where the reference is none of ours.
            actor: Who decides.

        Raises:
            InvalidRequestError: It was decided before, the money is not there, is going back or
                disputed, or nothing says how many credits it buys, or for whom.
            PaymentGatewayUnavailableError: Whether the money is there is unknown.
            ReviewNotFoundError: The payment does not wait for a decision.
        """
        payment = self._payment_of(self._find(reference))
        if payment is None or payment.status is not PaymentStatus.SUCCEEDED:
            raise InvalidRequestError(
                f"The money of payment {reference} is not there: refund or dismiss it."
            )
        if credits_ is not None and credits_ <= ZERO:
            raise InvalidRequestError("A payment buys more than no credits.", param="credits")
        now = self.clock.now()
        with self.transactions.begin() as tx:
            review = tx.reviews.lock(reference)
            decided = review.resolve(ReviewState.CREDITED, reason, at=now)
            if review.state is ReviewState.REFUNDING:
                raise InvalidRequestError("It is being refunded: wait until that is known.")
            purchase = self._purchase(tx, payment, credits_, person)
            if any(row.in_force for row in tx.refunds.of(purchase.reference)):
                # It took no credits, since there were none, and will take none when it ends.
                raise InvalidRequestError(
                    f"Money of payment {reference} is going back, or its payer disputes it: wait "
                    "until that has ended, or dismiss it."
                )
            offer = (
                reduced_offer(purchase.offer, payment.amount)
                if credits_ is None
                else agreed_offer(payment.amount, credits_)
            )
            paid, transfers = accept(
                replace(
                    purchase,
                    paid=payment.amount,
                    provider_id=payment.provider_id,
                    channel=payment.channel,
                    receipt_code=receipt_code_of(payment.receipt_code),
                ),
                offer,
                at=now,
            )
            post_transfers(tx, paid.wallet_id, transfers)
            tx.purchases.save(paid)
            tx.reviews.save(decided)
            for follower in self.followers:
                follower.decided(tx, paid, payment)
            self._note(tx, Act.PAYMENT_CREDITED, decided, actor, {"credits": str(offer.credits)})
            tx.commit()
        return offer.credits

    def dismiss(self, reference: str, *, reason: str, actor: Actor = SYSTEM) -> None:
        """Leave a payment as it is: nothing is credited, nothing goes back.

        Raises:
            InvalidRequestError: It was decided before, or there is no reason.
            ReviewNotFoundError: The payment does not wait for a decision.
        """
        with self.transactions.begin() as tx:
            review = tx.reviews.lock(reference)
            decided = review.resolve(ReviewState.DISMISSED, reason, at=self.clock.now())
            tx.reviews.save(decided)
            self._note(tx, Act.PAYMENT_DISMISSED, decided, actor, {})
            tx.commit()

    def refund(self, reference: str, *, reason: str, actor: Actor = SYSTEM) -> ReviewState:
        """Give all of the payment back; return ``REFUNDING`` while that is not known.

        It is asked for once: a repeat looks it up, and never asks again by itself.

        Raises:
            InvalidRequestError: It was decided before, or there is no reason.
            PaymentGatewayUnavailableError: Nothing is known, and nothing was asked for.
            PaymentRejectedError: The provider refused; it waits for a decision again.
            ReviewNotFoundError: The payment does not wait for a decision.
        """
        with self.transactions.begin() as tx:
            review = tx.reviews.lock(reference)
            asked = review.resolve(ReviewState.REFUNDING, reason, at=self.clock.now())
            is_ours = _is_ours(tx, reference)
            tx.reviews.save(asked)
            tx.commit()
        was_asked = review.state is ReviewState.REFUNDING
        try:
            known = (
                self._refund_purchase(reference, reason, was_asked=was_asked, actor=actor)
                if is_ours
                else self._refund_unknown(asked, was_asked=was_asked)
            )
        except (PaymentRejectedError, InvalidRequestError):
            self._save(replace(asked, state=ReviewState.OPEN, resolution=""))
            raise
        if not known:
            return ReviewState.REFUNDING
        with self.transactions.begin() as tx:
            review = tx.reviews.lock(reference)
            decided = review.resolve(ReviewState.REFUNDED, reason, at=self.clock.now())
            tx.reviews.save(decided)
            self._note(tx, Act.PAYMENT_REFUNDED, decided, actor, {"amount": str(decided.amount)})
            tx.commit()
        return decided.state

    def _refund_purchase(
        self, reference: str, reason: str, *, was_asked: bool, actor: Actor
    ) -> bool:
        if was_asked:
            self.refunds.refunds.follow(reference)
            with self.transactions.begin() as tx:
                known = [row for row in tx.refunds.of(reference) if row.in_force]
            if known:
                return all(row.state is not RefundState.REQUESTED for row in known)
        result = self.refunds.refund(reference, None, reason=reason, actor=actor)
        return result.refund.state is not RefundState.REQUESTED

    def _refund_unknown(self, review: Review, *, was_asked: bool) -> bool:
        """Give back a payment that has no purchase, and so no row of its own for the refund."""
        refund = Refund(
            id=f"review-{review.reference}",
            purchase=review.reference,
            wallet_id="",
            amount=review.amount,
            reason=review.resolution,
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )
        if was_asked:
            return self._is_made(review, refund)
        try:
            self.refund_gateway.create_refund(refund)
        except PaymentGatewayUnavailableError:
            return self._is_made(review, refund)
        return True

    def _is_made(self, review: Review, refund: Refund) -> bool:
        reports: Sequence[ReportedRefund] = self.refund_gateway.refunds_of(review.provider_id)
        return any(
            report.state is not RefundState.FAILED
            and (refund.id in report.note or report.amount == refund.amount)
            for report in reports
        )

    def _purchase(
        self,
        tx: ResolveReviewTransaction,
        payment: Payment,
        credits_: Credits | None,
        person: Person | None,
    ) -> Purchase:
        """Return the purchase that is credited; a new one, where the reference is none of ours."""
        if _is_ours(tx, payment.reference):
            purchase = tx.purchases.lock(payment.reference)
            if purchase.state is not PurchaseState.UNDER_REVIEW:
                raise InvalidRequestError(f"Payment {payment.reference} is {purchase.state}.")
            return purchase
        if person is None or credits_ is None:
            raise InvalidRequestError(
                f"The reference of payment {payment.reference} is none of ours: say who gets how "
                "many credits for it."
            )
        now = self.clock.now()
        purchase = Purchase(
            reference=payment.reference,
            owner_id=person.id,
            wallet_id=tx.ledger.find_wallet_of(person.id).id,
            email=person.email,
            offer=agreed_offer(payment.amount, credits_),
            created_at=now,
            expires_at=now,
            state=PurchaseState.UNDER_REVIEW,
            closed_at=now,
        )
        tx.purchases.add(purchase)
        return tx.purchases.lock(payment.reference)

    def _payment_of(self, review: Review) -> Payment | None:
        """Ask the provider for the payment; a second one of a purchase by its own number."""
        if review.kind is not ReviewKind.DUPLICATE:
            return self.gateway.verify(review.reference)
        payment = self.gateway.find(review.provider_id)
        return None if payment is None else replace(payment, reference=review.reference)

    def _find(self, reference: str) -> Review:
        with self.transactions.begin() as tx:
            return tx.reviews.lock(reference)

    def _save(self, review: Review) -> None:
        with self.transactions.begin() as tx:
            tx.reviews.lock(review.reference)
            tx.reviews.save(review)
            tx.commit()

    def _note(
        self,
        tx: ResolveReviewTransaction,
        act: Act,
        review: Review,
        actor: Actor,
        more: Mapping[str, str],
    ) -> None:
        try:
            person_id = tx.purchases.find(review.reference).owner_id
        except PurchaseNotFoundError:
            person_id = ""
        tx.activity.add(
            Activity(
                actor=actor,
                act=act,
                target=f"payment:{review.reference}",
                person_id=person_id,
                before={"state": ReviewState.OPEN},
                after={"state": review.state, "reason": review.resolution, **more},
                at=self.clock.now(),
            )
        )


def _is_ours(tx: ResolveReviewTransaction, reference: str) -> bool:
    return bool(tx.purchases.among([reference]))
