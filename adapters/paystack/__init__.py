"""Paystack: hosted checkouts, verified payments and signed webhooks."""

from adapters.paystack.cards import PaystackCards
from adapters.paystack.gateway import PaystackGateway
from adapters.paystack.refunds import PaystackRefunds
from adapters.paystack.transaction_list import PaystackPaymentList

__all__ = ["PaystackCards", "PaystackGateway", "PaystackPaymentList", "PaystackRefunds"]
