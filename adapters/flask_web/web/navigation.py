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
    """

    name: str
    endpoint: str
    label: str


PLACES = (
    Place("home", "dashboard.home", "Overview"),
    Place("billing", "billing.show", "Billing"),
    Place("keys", "keys.show", "API keys"),
)

ELSEWHERE = (
    Place("pricing", "site.pricing", "Prices"),
    Place("billing_policy", "site.billing_policy", "How calls are billed"),
)
