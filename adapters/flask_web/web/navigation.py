"""Which places the frame of signed-in people leads to."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.access import Action


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of a menu.

    Attributes:
        name: What its pages call themselves, and its icon.
        endpoint: Where it leads.
        label: What people read.
        on_phone: Whether it stands in the bar at the bottom of a phone, which has room for four.
        action: What a role in the chosen account has to allow for it to be of use.
    """

    name: str
    endpoint: str
    label: str
    on_phone: bool = False
    action: Action = Action.SEE_WALLET


PLACES = (
    Place("home", "dashboard.home", "Overview", on_phone=True),
    Place("analytics", "analytics.show", "Analytics", on_phone=True),
    Place("calls", "calls.show", "Calls"),
    Place("playground", "playground.show", "Playground", action=Action.HOLD_KEYS),
    Place("billing", "billing.show", "Billing", on_phone=True),
    Place("keys", "keys.show", "API keys", on_phone=True, action=Action.HOLD_KEYS),
    Place("team", "team.show", "Team"),
    Place("general", "general.show", "General"),
    Place("security", "security.show", "Security"),
)

OPERATE = Place("operate", "admin.overview", "Operate")
"""Where operators see all accounts."""

ELSEWHERE = (
    Place("search", "search.show", "Search"),
    Place("models", "models.show", "Models"),
    Place("pricing", "site.pricing", "Prices"),
    Place("billing_policy", "site.billing_policy", "How calls are billed"),
)
