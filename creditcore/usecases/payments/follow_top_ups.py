"""What an automatic top-up comes to, decided where its payment is decided."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.activity import SYSTEM, Act, Activity
from creditcore.domain.purchases import NEVER_RECEIVED, Payment, Purchase, PurchaseState
from creditcore.domain.refunds import Refund, RefundKind, RefundState
from creditcore.domain.top_ups import TopUpOrder, TopUpState
from creditcore.ports.clock import Clock
from creditcore.ports.payment_followers import FollowedTransaction
from creditcore.usecases.payments.tell_payers import TellPayers


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowTopUps:
    """End attempts when their payment is decided, and stop orders that should not go on."""

    notices: TellPayers
    clock: Clock

    def decided(self, tx: FollowedTransaction, purchase: Purchase, payment: Payment) -> None:
        """End the attempt of a purchase; what failed or is held back stops the order.

        A request that never reached the provider is no fault of the card: it is tried again.
        """
        top_up = tx.top_ups.attempt(purchase.reference)
        order = tx.top_ups.lock(top_up.wallet_id) if top_up else None
        if order is None:
            return
        order = order.end(purchase.reference, at=self.clock.now())
        tx.top_ups.save(order)
        is_paid = purchase.state is PurchaseState.PAID
        # Also money that comes after a failure counts for the month's cap.
        tx.top_ups.mark(purchase.reference, failed=not is_paid)
        if is_paid:
            return
        if payment.message != NEVER_RECEIVED:
            said = purchase.review_reason.rstrip(".") or "the payment did not go through"
            self.stop(tx, order, f"The card was not charged: {said}.", event=purchase.reference)

    def refunded(self, tx: FollowedTransaction, purchase: Purchase, refund: Refund) -> None:
        """Stop topping up a wallet when a payment into it is disputed."""
        if refund.kind is not RefundKind.DISPUTE or refund.state is RefundState.FAILED:
            return
        order = tx.top_ups.lock(purchase.wallet_id)
        if order is not None:
            self.stop(tx, order, "A payment is disputed at your bank.", event=refund.id)

    def stop(self, tx: FollowedTransaction, order: TopUpOrder, reason: str, *, event: str) -> None:
        """Stop an order that is locked, and say so by mail with a link; a repeat does nothing.

        Args:
            tx: The transaction of the cause.
            order: As it is now.
            reason: Why, in a sentence for its person.
            event: Names the cause; the reference of the payment, where it was one.
        """
        if order.state is not TopUpState.ON:
            return
        now = self.clock.now()
        tx.top_ups.save(order.stop(reason, at=now))
        tx.activity.add(
            Activity(
                actor=SYSTEM,
                act=Act.TOP_UP_STOPPED,
                target=f"wallet:{order.wallet_id}",
                person_id=order.person_id,
                after={"reason": reason},
                at=now,
            )
        )
        self.notices.top_up_stopped(tx, order, reason, event=event)
