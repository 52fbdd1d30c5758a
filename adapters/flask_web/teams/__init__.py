"""Teams: the page of one, its members and invitations, and choosing an account."""

from __future__ import annotations

from adapters.flask_web.teams import joining, members, views

BLUEPRINTS = (views.blueprint, members.blueprint, joining.blueprint)
