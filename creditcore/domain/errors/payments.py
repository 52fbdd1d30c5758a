"""The payment provider."""

from __future__ import annotations

from creditcore.domain.errors.root import CreditcoreError


class PaymentGatewayError(CreditcoreError):
    """The payment provider did not do what was asked."""


class PaymentGatewayUnavailableError(PaymentGatewayError):
    """No usable answer: what happened is unknown until it is asked again."""


class PaymentRejectedError(PaymentGatewayError):
    """The provider refused the request, in its own words."""


class WebhookRefusedError(PaymentGatewayError):
    """The webhook is not signed by the provider."""
