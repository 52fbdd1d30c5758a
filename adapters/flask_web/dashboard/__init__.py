"""What somebody sees of their own calls and balance."""

from __future__ import annotations

from adapters.flask_web.dashboard import analytics, calls, general, views

BLUEPRINTS = (views.blueprint, analytics.blueprint, calls.blueprint, general.blueprint)
