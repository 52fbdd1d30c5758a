"""Paystack: hosted checkouts, verified payments and signed webhooks."""

from adapters.paystack.gateway import PaystackGateway
from adapters.paystack.refunds import PaystackRefunds

__all__ = ["PaystackGateway", "PaystackRefunds"]
