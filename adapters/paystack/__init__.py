"""Paystack: hosted checkouts, verified payments and signed webhooks."""

from adapters.paystack.gateway import PaystackGateway

__all__ = ["PaystackGateway"]
