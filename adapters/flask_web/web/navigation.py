"""Which places the frame of signed-in people leads to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of a menu.

    Attributes:
        name: What its pages call themselves, and its icon.
        endpoint: Where it leads.
        label: What people read.
        on_phone: Whether it stands in the bar at the bottom of a phone, which has room for four.
    """

    name: str
    endpoint: str
    label: str
    on_phone: bool = False


PLACES = (
    Place("home", "dashboard.home", "Overview", on_phone=True),
    Place("analytics", "analytics.show", "Analytics", on_phone=True),
    Place("calls", "calls.show", "Calls"),
    Place("playground", "playground.show", "Playground"),
    Place("billing", "billing.show", "Billing", on_phone=True),
    Place("keys", "keys.show", "API keys", on_phone=True),
    Place("general", "general.show", "General"),
    Place("security", "security.show", "Security"),
)

OPERATE = Place("operate", "admin.overview", "Operate")
"""Where operators see everybody."""

ELSEWHERE = (
    Place("models", "models.show", "Models"),
    Place("pricing", "site.pricing", "Prices"),
    Place("billing_policy", "site.billing_policy", "How calls are billed"),
)
