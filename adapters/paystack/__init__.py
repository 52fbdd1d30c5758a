"""Paystack: hosted checkouts, verified payments and signed webhooks."""

from adapters.paystack.gateway import PaystackGateway
from adapters.paystack.payloads import minimum

__all__ = ["PaystackGateway", "minimum"]
