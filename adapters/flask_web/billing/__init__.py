"""Buying credits: the billing page, the checkout, the payment endpoint."""

from __future__ import annotations

from adapters.flask_web.billing import checkout, views

BLUEPRINTS = (views.blueprint, checkout.blueprint)
