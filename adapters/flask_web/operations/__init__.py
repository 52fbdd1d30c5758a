"""What operators and their tools ask of a running process."""

from __future__ import annotations

from adapters.flask_web.operations import health, metrics, monitoring

BLUEPRINTS = (health.blueprint, metrics.blueprint, monitoring.blueprint, monitoring.status_page)
