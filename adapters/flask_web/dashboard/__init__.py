"""What a person sees of their own calls and balance."""

from __future__ import annotations

from adapters.flask_web.dashboard import analytics, calls, export, general, search, views, what_if

BLUEPRINTS = (
    views.blueprint,
    analytics.blueprint,
    calls.blueprint,
    general.blueprint,
    export.blueprint,
    search.blueprint,
    what_if.blueprint,
)
