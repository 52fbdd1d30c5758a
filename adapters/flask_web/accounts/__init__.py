"""Signing up, in and out."""

from __future__ import annotations

from adapters.flask_web.accounts import callback, mailed_links, second_step, security, views

__all__ = ["BLUEPRINTS", "callback", "mailed_links", "second_step"]

BLUEPRINTS = (views.blueprint, security.blueprint)
