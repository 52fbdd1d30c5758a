"""API keys, as their owner makes and revokes them."""

from __future__ import annotations

from adapters.flask_web.keys import views

BLUEPRINTS = (views.blueprint,)
