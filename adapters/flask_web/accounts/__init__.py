"""Signing up, in and out."""

from __future__ import annotations

from adapters.flask_web.accounts import callback, mailed, second_step, security, views

__all__ = ["BLUEPRINTS", "callback", "mailed", "second_step"]

BLUEPRINTS = (views.blueprint, security.blueprint)
