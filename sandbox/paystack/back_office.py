"""What people do on Paystack's dashboard and what banks decide, each with its event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.paystack.disputes import Dispute
from sandbox.paystack.refunds import Refund
from sandbox.paystack.transactions import Transaction

if TYPE_CHECKING:
    from sandbox.paystack.api import Paystack


class BackOffice:
    """Begins refunds and disputes, and lets them go on."""

    def __init__(self, paystack: Paystack) -> None:
        """Take the stand-in whose refunds and disputes these are."""
        self._paystack = paystack

    def begin_refund(self, fields: Mapping[str, Any], *, tells: bool = True) -> Refund:
        """Begin a refund as ``POST /refund`` would, though the merchant did not call it.

        Raises:
            PaystackError: More would go back than was paid, or the request is no refund.
        """
        refund = self._paystack.refunds.create(fields)
        self._tell_refund(refund, tells=tells)
        return refund

    def move_refund(self, refund: Refund, status: str, *, tells: bool = True) -> None:
        """Let a refund go on."""
        self._paystack.refunds.move(refund, status)
        self._tell_refund(refund, tells=tells)

    def open_dispute(
        self, transaction: Transaction, amount: int | None, *, tells: bool = True
    ) -> Dispute:
        """Let the payer ask the bank for the money back."""
        dispute = self._paystack.disputes.open(transaction, amount)
        self._tell_dispute("create", dispute, tells=tells)
        return dispute

    def remind(self, dispute: Dispute, *, tells: bool = True) -> None:
        """Remind the merchant of a dispute that it has not answered."""
        self._tell_dispute("remind", dispute, tells=tells)

    def resolve(self, dispute: Dispute, resolution: str, *, tells: bool = True) -> None:
        """Decide a dispute; all resolutions but ``declined`` take the money."""
        dispute.resolve(resolution)
        self._tell_dispute("resolve", dispute, tells=tells)

    def _tell_refund(self, refund: Refund, *, tells: bool) -> None:
        if tells:
            self._paystack.webhooks.send(
                f"refund.{refund.status}", refund.transaction, refund.as_event()
            )

    def _tell_dispute(self, event: str, dispute: Dispute, *, tells: bool) -> None:
        if tells:
            self._paystack.webhooks.send(
                f"charge.dispute.{event}", dispute.transaction, dispute.as_shown()
            )
