"""What people choose from, in the words of the lists: periods of limits, and roles in a team."""

from __future__ import annotations

from creditcore.domain.limits import Period
from creditcore.domain.teams import TeamRole

PERIODS = {
    Period.MONTH: "a month",
    Period.WEEK: "a week",
    Period.DAY: "a day",
    Period.TOTAL: "in total",
}

ROLES = {
    TeamRole.VIEWER: "Viewer: sees balance, usage, calls and statements",
    TeamRole.MEMBER: "Member: also makes keys and spends with them",
    TeamRole.ADMIN: "Admin: also buys credit and manages members and keys",
    TeamRole.OWNER: "Owner: also makes owners and deletes the team",
}
