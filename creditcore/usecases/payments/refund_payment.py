"""Give a payment back, all of it or a part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Actor
from creditcore.domain.errors import (
    InvalidRequestError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
)
from creditcore.domain.money import Credits, Money
from creditcore.domain.refunds import Refund, RefundKind, RefundState
from creditcore.ports.ids import Ids
from creditcore.ports.refund_gateway import RefundGateway
from creditcore.ports.store_ports import HasLedger, HasRefunds
from creditcore.ports.transactions import Begins
from creditcore.usecases.payments.follow_refunds import FollowRefunds

MAX_REASON_LENGTH = 150
"""What fits into the provider's note beside our name of the refund."""


class RefundPaymentTransaction(HasLedger, HasRefunds, Protocol):
    """What refunding a payment reads."""


@dataclass(frozen=True, slots=True)
class RefundResult:
    """What a refund has done so far.

    Attributes:
        refund: ``REQUESTED`` while it is unknown whether the provider took it.
        owed: What the wallet owes now.
    """

    refund: Refund
    owed: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Refund through the provider: the credits first, then the money, asked for once.

    The provider has no key against repeats. So a request whose answer was lost is looked up
    and never sent again; while one is unknown, no other of the payment is begun.
    """

    transactions: Begins[RefundPaymentTransaction]
    gateway: RefundGateway
    refunds: FollowRefunds
    ids: Ids

    def refund(
        self, reference: str, amount: Money | None, *, reason: str, actor: Actor = SYSTEM
    ) -> RefundResult:
        """Give an amount of a payment back; all that is left of it, if None.

        The activity log keeps who asked for it, and why.

        Raises:
            InvalidRequestError: The reason is missing, nothing was paid, the amount is more than
                is left, or an earlier refund is still unknown.
            PaymentGatewayUnavailableError: Earlier refunds could not be looked up; nothing was
                asked for.
            PaymentRejectedError: The provider refused; the credits were given back.
            PurchaseNotFoundError: No purchase has this reference.
        """
        reason = " ".join(reason.split())
        if not reason or len(reason) > MAX_REASON_LENGTH:
            raise InvalidRequestError(
                f"A refund has a reason of 1 to {MAX_REASON_LENGTH} characters.", param="reason"
            )
        refund = self._begin(reference, amount, reason=reason, actor=actor)
        try:
            report = self.gateway.create_refund(refund)
        except PaymentRejectedError as error:
            self._fail(refund, str(error))
            raise
        except PaymentGatewayUnavailableError:
            self._look_up(refund)
        else:
            self.refunds.apply(reference, [report])
        return self._result(refund)

    def _begin(self, reference: str, amount: Money | None, *, reason: str, actor: Actor) -> Refund:
        # Also what was begun on the provider's dashboard is no longer left to give back.
        self.refunds.follow(reference)
        with self.refunds.open_book(reference) as book:
            if book is None:
                raise InvalidRequestError(f"Nothing was paid for {reference}.")
            if any(_is_unknown(refund) for refund in book.refunds.values()):
                raise InvalidRequestError(
                    f"Whether an earlier refund of {reference} was made is not known yet. "
                    "Nothing was asked for; try again in some minutes."
                )
            return book.request(self.ids.new_reference("rf"), amount, reason=reason, actor=actor)

    def _fail(self, refund: Refund, why: str) -> None:
        with self.refunds.open_book(refund.purchase) as book:
            if book is not None:
                book.fail(book.refunds[refund.id], why)

    def _look_up(self, refund: Refund) -> None:
        try:
            self.refunds.follow(refund.purchase)
        except PaymentGatewayUnavailableError:
            # It stays requested; the worker asks until it is known.
            return

    def _result(self, refund: Refund) -> RefundResult:
        with self.transactions.begin() as tx:
            stored = next(row for row in tx.refunds.of(refund.purchase) if row.id == refund.id)
            return RefundResult(stored, tx.ledger.find_wallet(refund.wallet_id).owed)


def _is_unknown(refund: Refund) -> bool:
    return refund.kind is RefundKind.REFUND and refund.state is RefundState.REQUESTED
