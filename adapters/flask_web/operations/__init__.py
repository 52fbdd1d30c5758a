"""What operators and their tools ask of a running process."""

from __future__ import annotations

from adapters.flask_web.operations import health, monitoring

BLUEPRINTS = (health.blueprint, monitoring.blueprint, monitoring.status_page)
