"""A stand-in of Paystack: API, hosted checkout page, signed webhooks.

A plus-tag in the customer's e-mail makes one payment misbehave (``ada+underpay@example.com``, see ``quirks``);
``POST /control/paystack/faults`` makes the next API calls fail (see ``faults``).
"""
