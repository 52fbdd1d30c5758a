"""A stand-in of Paystack: API, hosted checkout page, signed webhooks.

A plus-tag in the customer's e-mail, as in ``ada+underpay@example.com``, makes one payment misbehave
(see ``quirks``); ``POST /control/paystack/faults`` makes the next API calls fail (see ``faults``).
"""
