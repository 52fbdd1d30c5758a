"""The page of a team, as far as who looks may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import render_template, request

from adapters.flask_web.context import services
from adapters.flask_web.teams import forms
from adapters.flask_web.teams.activity_list import lines_of
from adapters.flask_web.web.account import account, accounts
from adapters.flask_web.web.choices import PERIODS, ROLES
from adapters.flask_web.web.session import person
from creditcore.domain.access import Action
from creditcore.domain.keys import ApiKey
from creditcore.domain.limits import KeyCounter
from creditcore.domain.money import div_floor
from creditcore.domain.teams import INVITATION_LIFETIME, MAX_TEAMS, TeamRole
from creditcore.usecases.teams.invite_members import Invited
from creditcore.usecases.teams.read_teams import TeamView


def team_page(
    errors: Mapping[str, str] | None = None,
    *,
    at_fault: str = "",
    invited: Invited | None = None,
) -> str:
    """Render the page of the chosen team, or of all, where one's own account is chosen.

    Args:
        errors: What was wrong in a form, by its field.
        at_fault: Which form; of members, the id of the person.
        invited: An invitation that was just made: its link is shown, this once.
    """
    if not account().is_team:
        return render_template(
            "teams/teams.html",
            page="team",
            errors=errors or {},
            typed=request.form,
            team_id=services().ids.new(),
            max_teams=MAX_TEAMS,
            teams=[row for row in accounts() if row.is_team],
        )
    view = services().teams.views.show(account().id, to=person().id)
    mine = view.mine.role
    return render_template(
        "teams/team.html",
        page="team",
        view=view,
        manages=account().may(Action.MANAGE_MEMBERS),
        describes=account().may(Action.DESCRIBE_TEAM),
        owns=account().may(Action.OWN_TEAM),
        buyer=forms.buyer(request.form) if at_fault == "receipts" else view.team.buyer,
        # No member gives a role above their own, or changes who ranks above them.
        roles={role: text for role, text in ROLES.items() if role.rank <= mine.rank},
        invited_as={role: text for role, text in ROLES.items() if role is not TeamRole.OWNER},
        periods=PERIODS,
        acts=lines_of(view),
        my_keys=_my_keys(view),
        others=[row for row in view.members if row.person.id != person().id],
        invited=invited,
        mails=services().operations.mails.is_configured,
        days=INVITATION_LIFETIME.days,
        errors=errors or {},
        at_fault=at_fault,
        typed=request.form,
        used_percent=used_percent,
        as_typed=forms.as_typed,
        now=services().clock.now(),
    )


def _my_keys(view: TeamView) -> Sequence[ApiKey]:
    mine = view.mine.person_id
    return next(
        (row.spending.open_keys for row in view.members if row.spending and row.person.id == mine),
        (),
    )


def used_percent(counter: KeyCounter) -> int:
    """Return how much of a member's limit is used, in whole percent up to 100."""
    if counter.limit is None:
        return 0
    most = counter.limit + counter.raised
    if not most:
        return 100
    return min(100, div_floor(counter.spent.microcredits * 100, most.microcredits))
