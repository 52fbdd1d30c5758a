"""Who may do what: one rule for pages, the API and commands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from creditcore.domain.ledger import Wallet
from creditcore.domain.people import Person, Role


class Action(StrEnum):
    """What somebody may be allowed to do. What belongs to one person is also found by its owner."""

    USE_ACCOUNT = "use an account"
    """See and change one's own keys, calls, payments and profile."""

    OPERATE = "operate the site"
    """See everybody's accounts, health and alerts, and act on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at a page or calls the API.

    Attributes:
        person: None for somebody who is not signed in.
        wallet: What they spend from, where they have one.
    """

    person: Person | None = None
    wallet: Wallet | None = None

    @property
    def role(self) -> Role | None:
        """What they may do beyond their own account; None for somebody not signed in."""
        return self.person.role if self.person else None


ANYBODY = Viewer()
"""Somebody who is not signed in."""


def may(viewer: Viewer, action: Action) -> bool:
    """Whether a viewer is allowed an action. What is not allowed here is denied."""
    if viewer.person is None or viewer.person.blocked:
        return False
    match action:
        case Action.USE_ACCOUNT:
            return True
        case Action.OPERATE:
            return viewer.role is Role.ADMIN
