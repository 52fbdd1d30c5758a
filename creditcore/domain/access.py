"""Who may do what: one rule for pages, the API and commands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from creditcore.domain.errors import NotPermittedError
from creditcore.domain.ledger import Wallet
from creditcore.domain.people import Person, Role
from creditcore.domain.teams import Membership, TeamRole


class Action(StrEnum):
    """What a viewer may be allowed to do. What belongs to one person is also found by its owner."""

    USE_ACCOUNT = "use an account"
    """See and change one's own profile, security and teams."""

    SEE_WALLET = "see this account"
    """See the balance of the chosen account, its usage, calls and statements."""

    HOLD_KEYS = "make keys for this account"
    """Make keys that spend from it, change and revoke one's own, and call models."""

    MANAGE_KEYS = "see and revoke the keys of others"

    BUY_CREDITS = "buy credits for this account"
    """Pay for it, and see its payments and receipts."""

    MANAGE_MEMBERS = "invite, limit and remove members"

    DESCRIBE_TEAM = "rename the team, and change what its receipts name"

    OWN_TEAM = "make owners, or delete the team"

    OPERATE = "operate the site"
    """See all accounts, health and alerts, and act on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at a page or calls the API.

    Attributes:
        person: None for a visitor who is not signed in.
        wallet: What they spend from, where they have one.
        membership: Their place in the team whose account they have chosen; None for their own.
        team_blocked: Whether an operator has shut that team out: it can be seen, and left.
    """

    person: Person | None = None
    wallet: Wallet | None = None
    membership: Membership | None = None
    team_blocked: bool = False

    @property
    def role(self) -> Role | None:
        """What they may do beyond their own account; None for a visitor not signed in."""
        return self.person.role if self.person else None


ANYBODY = Viewer()
"""A visitor who is not signed in."""


_OF_ONES_OWN = frozenset(
    {Action.SEE_WALLET, Action.HOLD_KEYS, Action.MANAGE_KEYS, Action.BUY_CREDITS}
)

_LEAST_ROLE = {
    Action.SEE_WALLET: TeamRole.VIEWER,
    Action.HOLD_KEYS: TeamRole.MEMBER,
    Action.MANAGE_KEYS: TeamRole.ADMIN,
    Action.BUY_CREDITS: TeamRole.ADMIN,
    Action.MANAGE_MEMBERS: TeamRole.ADMIN,
    Action.DESCRIBE_TEAM: TeamRole.ADMIN,
    Action.OWN_TEAM: TeamRole.OWNER,
}


def may(viewer: Viewer, action: Action) -> bool:
    """Whether a viewer is allowed an action. What is not allowed here is denied."""
    if viewer.person is None or viewer.person.blocked:
        return False
    match action:
        case Action.USE_ACCOUNT:
            return True
        case Action.OPERATE:
            return viewer.role is Role.ADMIN
        case _ if viewer.membership is None:
            return action in _OF_ONES_OWN
        case _ if viewer.team_blocked:
            return action is Action.SEE_WALLET
        case _:
            return viewer.membership.role.rank >= _LEAST_ROLE[action].rank


def require(viewer: Viewer, action: Action) -> None:
    """See whether a viewer is allowed an action.

    Raises:
        NotPermittedError: They are not; it says what their role would have to be.
    """
    if may(viewer, action):
        return
    message = "This account is blocked."
    if viewer.team_blocked:
        message = "This team is blocked: it can be seen and left, and nothing else."
    elif viewer.membership is not None and action in _LEAST_ROLE:
        message = (
            f"You are {_article(viewer.membership.role)} of this team; to {action} takes "
            f"{_article(_LEAST_ROLE[action])}."
        )
    raise NotPermittedError(message, code="not_your_role")


def _article(role: TeamRole) -> str:
    return f"{'an' if role in {TeamRole.ADMIN, TeamRole.OWNER} else 'a'} {role}"
