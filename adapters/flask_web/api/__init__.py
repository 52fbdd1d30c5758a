"""The account, for programs."""

from __future__ import annotations

from adapters.flask_web.api import (
    account,
    calls,
    keys,
    members,
    money,
    openapi,
    team,
    usage,
    widgets,
)

BLUEPRINTS = (
    account.blueprint,
    keys.blueprint,
    usage.blueprint,
    calls.blueprint,
    money.blueprint,
    team.blueprint,
    members.blueprint,
    widgets.blueprint,
    openapi.blueprint,
)
"""A key is no cookie, so requests need no CSRF token; ``caller_with`` wants one of a session."""
