"""What somebody sees of their own calls and balance."""

from __future__ import annotations

from adapters.flask_web.dashboard import general, views

BLUEPRINTS = (views.blueprint, general.blueprint)
