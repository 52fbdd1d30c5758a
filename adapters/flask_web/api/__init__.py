"""The account, for programs."""

from __future__ import annotations

from adapters.flask_web.api import account

BLUEPRINTS = (account.blueprint,)
