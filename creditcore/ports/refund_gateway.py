"""What the payment provider does about money that goes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from creditcore.domain.refunds import Refund, ReportedRefund


class RefundGateway(Protocol):
    """Gives payments back. Never called while a database transaction is open."""

    def create_refund(self, refund: Refund) -> ReportedRefund:
        """Ask the provider to give a part of a payment back. It cannot know repeats.

        Raises:
            PaymentRejectedError: The provider refused; nothing goes back.
            PaymentGatewayUnavailableError: Unknown whether anything does: ask ``refunds_of``.
        """

    def refunds_of(self, payment_id: str) -> Sequence[ReportedRefund]:
        """Return every refund of a payment, by the provider's number of the payment.

        Raises:
            PaymentGatewayUnavailableError: No usable answer; ask again later.
        """

    def disputes_of(self, payment_id: str) -> Sequence[ReportedRefund]:
        """Return the disputes of a payment, by the provider's number of the payment.

        Raises:
            PaymentGatewayUnavailableError: No usable answer; ask again later.
        """

    def read_dispute(self, body: str) -> ReportedRefund | None:
        """Return the dispute that an authenticated webhook describes; None if unreadable."""
