"""A payment provider's side of refunds, in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from creditcore.domain.errors import PaymentGatewayUnavailableError, PaymentRejectedError
from creditcore.domain.money import Money
from creditcore.domain.refunds import Refund, RefundKind, RefundState, ReportedRefund
from creditcore.testing.memory import MemoryPaymentGateway


@dataclass
class MemoryRefundGateway:
    """Refunds and disputes of the payments that a payment gateway in memory reports.

    Attributes:
        payments: Where payments are found by their numbers.
        refunds: What was made of each payment's number.
        disputes: The same, of disputes.
        is_silent: Whether no answer arrives, though the work is done.
        is_deaf: Whether requests for refunds get lost on their way.
        is_away: Whether nothing arrives there at all.
        refusal: Why it refuses refunds, if it does.
        undisclosed: Numbers of payments whose disputes it does not tell.
    """

    payments: MemoryPaymentGateway
    refunds: dict[str, list[ReportedRefund]] = field(default_factory=dict)
    disputes: dict[str, list[ReportedRefund]] = field(default_factory=dict)
    is_silent: bool = False
    is_deaf: bool = False
    is_away: bool = False
    refusal: str = ""
    undisclosed: set[str] = field(default_factory=set)

    def create_refund(self, refund: Refund) -> ReportedRefund:
        """Make a refund, unless more would go back than was paid."""
        self._answer_if_there()
        if self.is_deaf:
            raise PaymentGatewayUnavailableError("The request was lost.")
        if self.refusal:
            raise PaymentRejectedError(self.refusal)
        payment = self.payments.payments[refund.purchase]
        made = self.refunds.setdefault(payment.provider_id, [])
        gone = sum(row.amount.minor_units for row in made if row.state is not RefundState.FAILED)
        if gone + refund.amount.minor_units > payment.amount.minor_units:
            raise PaymentRejectedError(
                "Total refund amount cannot exceed original transaction amount"
            )
        report = self.make(payment.provider_id, refund.amount, note=f"{refund.id}: {refund.reason}")
        if self.is_silent:
            raise PaymentGatewayUnavailableError("The answer was lost.")
        return report

    def make(self, payment_id: str, amount: Money, *, note: str = "") -> ReportedRefund:
        """Make a refund as on the provider's dashboard."""
        made = self.refunds.setdefault(payment_id, [])
        report = ReportedRefund(
            provider_id=f"{payment_id}-{len(made) + 1}",
            amount=amount,
            state=RefundState.PENDING,
            note=note,
        )
        made.append(report)
        return report

    def move(self, payment_id: str, index: int, state: RefundState) -> None:
        """Let a refund of a payment go on."""
        self.refunds[payment_id][index] = replace(self.refunds[payment_id][index], state=state)

    def refunds_of(self, payment_id: str) -> Sequence[ReportedRefund]:
        """Return what was made."""
        self._answer_if_there()
        return list(self.refunds.get(payment_id, []))

    def disputes_of(self, payment_id: str) -> Sequence[ReportedRefund]:
        """Return what is disputed."""
        self._answer_if_there()
        if payment_id in self.undisclosed:
            raise PaymentGatewayUnavailableError("Its disputes are not told.")
        return list(self.disputes.get(payment_id, []))

    def read_dispute(self, body: str) -> ReportedRefund | None:
        """Read a webhook of the form ``kind reference {"id", "minor_units", ...}``."""
        text = body.partition("{")[2]
        if not text:
            return None
        data = json.loads("{" + text)
        return ReportedRefund(
            provider_id=data["id"],
            amount=Money(data["minor_units"], data["currency"]),
            state=RefundState(data["state"]),
            kind=RefundKind.DISPUTE,
        )

    def _answer_if_there(self) -> None:
        if self.is_away:
            raise PaymentGatewayUnavailableError("The provider is away.")
