"""Saved cards through Paystack, behind the core's ``CardGateway`` port.

Source: https://paystack.com/docs/payments/recurring-charges/ and its samples. A code works with the
address of the payment that made it alone; a refusal with HTTP 400 does not use the reference up.
"""

from __future__ import annotations

import orjson

from adapters.paystack import payloads
from adapters.paystack.gateway import PaystackGateway
from creditcore.domain.errors import PaymentGatewayUnavailableError, PaymentRejectedError
from creditcore.domain.purchases import PaymentStatus
from creditcore.ports.card_gateway import CardCharge, CardChargeRequest


class PaystackCards:
    """Charges and forgets cards by the codes that Paystack gave for them."""

    def __init__(self, gateway: PaystackGateway) -> None:
        """Use the connection and the keys of a gateway."""
        self._gateway = gateway

    def charge_card(self, request: CardChargeRequest) -> CardCharge:
        """Charge a card; it is sent once."""
        body = {
            "email": request.email,
            "amount": request.amount.minor_units,
            "currency": request.amount.currency,
            "authorization_code": request.code,
            "reference": request.reference,
            # Where the bank's own page leads back to, if it wants to see the holder.
            "callback_url": request.return_url,
        }
        answer = self._gateway.ask("POST", "/transaction/charge_authorization", orjson.dumps(body))
        if answer.is_duplicate:
            # It came to Paystack before, so the card may be charged by now.
            raise PaymentGatewayUnavailableError("Paystack knows this charge already.")
        if answer.http_status == 400:
            raise PaymentRejectedError(answer.refusal)
        charge = payloads.read_card_charge(answer, reference=request.reference)
        if charge.challenge_url and not self._gateway.may_open(charge.challenge_url):
            return CardCharge(
                status=PaymentStatus.FAILED, message="The bank's page is not safe to open."
            )
        return charge

    def forget_card(self, code: str) -> None:
        """Deactivate a code; one that is unknown or inactive charges nothing either."""
        body = orjson.dumps({"authorization_code": code})
        answer = self._gateway.ask("POST", "/customer/authorization/deactivate", body)
        if answer.http_status in {400, 404}:
            return
        if answer.envelope.get("status") is not True:
            raise payloads.unusable(answer.http_status, answer.message)
