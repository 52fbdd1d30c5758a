"""What a request can reach: the use cases, the settings, who is signed in."""

from __future__ import annotations

from flask import current_app

from adapters.flask_web.settings import Settings
from creditcore.services import Services

SERVICES, SETTINGS = "creditcore", "creditcore.settings"


def services() -> Services:
    """Return what the composition root handed over."""
    found: Services = current_app.extensions[SERVICES]
    return found


def settings() -> Settings:
    """Return what the operator has set."""
    found: Settings = current_app.extensions[SETTINGS]
    return found
