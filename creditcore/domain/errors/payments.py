"""The payment provider."""

from __future__ import annotations

from creditcore.domain.errors.requests import InvalidRequestError
from creditcore.domain.errors.root import CreditcoreError


class PaymentGatewayError(CreditcoreError):
    """The payment provider did not do what was asked."""


class PaymentGatewayUnavailableError(PaymentGatewayError):
    """No usable answer: what happened is unknown until it is asked again."""


class PaymentRejectedError(PaymentGatewayError):
    """The provider refused the request, in its own words."""


class PayerRefusedError(InvalidRequestError):
    """The provider refused what the payer gave, such as a number that its network does not know."""


class WebhookRefusedError(PaymentGatewayError):
    """The webhook is not signed by the provider."""
