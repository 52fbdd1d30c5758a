"""Signing up, in and out."""

from __future__ import annotations

from adapters.flask_web.accounts import views

BLUEPRINTS = (views.blueprint,)
