"""Refunds through Paystack, behind the core's ``RefundGateway`` port.

Source: https://paystack.com/docs/api/refund/ and its samples. Rows of the list differ from the
answer to a request: ``transaction`` is a number there and an object here, ``amount`` may be text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from adapters.paystack import disputes, payloads
from adapters.paystack.gateway import PaystackGateway
from creditcore.domain.errors import PaymentGatewayUnavailableError, PaymentRejectedError
from creditcore.domain.refunds import Refund, RefundState, ReportedRefund

_ROWS_PER_PAGE = 50
_MAX_PAGES = 40
_MAX_NOTE_LENGTH = 200

# A word that is not listed is a new one: the refund is under way.
_STATES = {
    "failed": RefundState.FAILED,
    "needs-attention": RefundState.NEEDS_ATTENTION,
    "processed": RefundState.PROCESSED,
}


class PaystackRefunds:
    """Gives payments back through Paystack's API."""

    def __init__(self, gateway: PaystackGateway) -> None:
        """Use the connection and the keys of a gateway."""
        self._gateway = gateway

    def create_refund(self, refund: Refund) -> ReportedRefund:
        """Ask Paystack for a refund.

        Our name of it goes along in the note, for Paystack has no key against repeats: after
        a timeout the list of refunds shows whether it was made.
        """
        body = {
            "transaction": refund.purchase,
            # Left out, all of the original amount would go back.
            "amount": refund.amount.minor_units,
            "currency": refund.amount.currency,
            "merchant_note": f"{refund.id}: {refund.reason}"[:_MAX_NOTE_LENGTH],
        }
        answer = self._gateway.ask("POST", "/refund", orjson.dumps(body))
        if answer.http_status == 400 or answer.is_unknown_reference:
            raise PaymentRejectedError(answer.message)
        return _report(answer, answer.data())

    def refunds_of(self, payment_id: str) -> Sequence[ReportedRefund]:
        """Return every refund of a payment. Paystack lists them by its own number only."""
        return [
            _report(answer, row)
            for answer, row in self._rows(payment_id)
            if _is_of(row, payment_id)
        ]

    def disputes_of(self, payment_id: str) -> Sequence[ReportedRefund]:
        """Return the disputes of a payment; Paystack answers one as an object, more as a list."""
        answer = self._gateway.ask("GET", f"/dispute/transaction/{payment_id}")
        if answer.http_status in {400, 404}:
            return []
        data = answer.envelope.get("data")
        rows = data if isinstance(data, list) else [data]
        found = (disputes.read(row) for row in rows if isinstance(row, dict))
        return [dispute for dispute in found if dispute is not None]

    def read_dispute(self, body: str) -> ReportedRefund | None:
        """Return the dispute of a ``charge.dispute.*`` webhook."""
        return disputes.read_event(body)

    def _rows(self, payment_id: str) -> Iterator[tuple[payloads.Answer, Mapping[str, object]]]:
        if not payment_id.isdecimal():
            # A reference would silently find nothing.
            raise PaymentGatewayUnavailableError("Paystack's number of the payment is unknown.")
        for page in range(1, _MAX_PAGES + 1):
            query = f"transaction={payment_id}&perPage={_ROWS_PER_PAGE}&page={page}"
            answer = self._gateway.ask("GET", f"/refund?{query}")
            rows = payloads.read_rows(answer)
            yield from ((answer, row) for row in rows)
            if len(rows) < _ROWS_PER_PAGE:
                return
        raise PaymentGatewayUnavailableError("A payment has more refunds than can be true.")


def _report(answer: payloads.Answer, data: Mapping[str, object]) -> ReportedRefund:
    refund_id = payloads.identifier(data.get("id"))
    status = data.get("status")
    if not refund_id or not isinstance(status, str):
        raise payloads.unusable(answer.http_status, "a refund has no number or no status")
    return ReportedRefund(
        provider_id=refund_id,
        amount=payloads.amount_of(answer, data),
        state=_STATES.get(status, RefundState.PENDING),
        note=payloads.text(data.get("merchant_note")),
    )


def _is_of(row: Mapping[str, object], payment_id: str) -> bool:
    """Whether a row is of the payment that was asked for; some rows do not say."""
    transaction = row.get("transaction")
    number = transaction.get("id") if isinstance(transaction, dict) else transaction
    return number is None or payloads.identifier(number) == payment_id
