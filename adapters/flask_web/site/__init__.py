"""Pages that all may see."""

from __future__ import annotations

from adapters.flask_web.site import models, style, views

BLUEPRINTS = (views.blueprint, models.blueprint, style.blueprint)
