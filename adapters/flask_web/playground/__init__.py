"""Trying models from a page, charged like any call."""

from __future__ import annotations

from adapters.flask_web.playground import views

BLUEPRINTS = (views.blueprint,)
