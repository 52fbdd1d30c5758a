"""The time zone of the person who looks."""

from __future__ import annotations

from datetime import UTC, tzinfo

from flask import has_request_context
from flask_login import current_user


def zone() -> tzinfo:
    """Return the zone of who is signed in; UTC for all others, and outside requests."""
    if not has_request_context() or not current_user.is_authenticated:
        return UTC
    found: tzinfo = current_user.person.zone
    return found
