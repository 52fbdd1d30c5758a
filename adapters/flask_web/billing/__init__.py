"""Buying credits: the billing page, the checkout, the payment endpoint."""

from __future__ import annotations

from adapters.flask_web.billing import (
    cards,
    checkout,
    mobile_money,
    notices,
    payer_details,
    payments,
    receipts,
    statements,
    views,
)

BLUEPRINTS = (
    views.blueprint,
    payments.blueprint,
    checkout.blueprint,
    mobile_money.blueprint,
    payer_details.blueprint,
    notices.blueprint,
    cards.blueprint,
    receipts.blueprint,
    statements.blueprint,
)
