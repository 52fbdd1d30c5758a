"""A team as a whole: made, chosen, renamed, handed over, left, deleted."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.context import services
from adapters.flask_web.teams import forms
from adapters.flask_web.teams.page import team_page
from adapters.flask_web.web.account import account, allowed, choose, forget_accounts
from adapters.flask_web.web.security import is_local_path
from adapters.flask_web.web.session import actor, for_people, person
from adapters.flask_web.web.stepping_up import stepped_up
from creditcore.domain.access import Action
from creditcore.domain.errors import (
    InvalidRequestError,
    LastOwnerError,
    MemberNotFoundError,
    ReferenceConflictError,
)

blueprint = Blueprint("team", __name__, url_prefix="/dashboard/team")


@blueprint.get("")
@for_people
def show() -> str:
    """Show the chosen team; all of them, and how to make one, where none is chosen."""
    return team_page()


@blueprint.post("")
@for_people
def create() -> Response | tuple[str, int]:
    """Make a team and go on in its account."""
    try:
        team = services().teams.keep.create(
            person().id, forms.typed(request.form, "name"), team_id=_form_team_id(), actor=actor()
        )
    except ReferenceConflictError:
        # The form was sent twice: the first one has made it.
        return redirect(url_for("team.show"))
    except InvalidRequestError as error:
        return team_page({error.param or "name": str(error)}, at_fault="create"), 400
    forget_accounts()
    choose(team.id)
    flash(f"{team.name} is ready. Buy credit for it, then invite its members.", "success")
    return redirect(url_for("team.show"))


@blueprint.post("/switch")
@for_people
def switch() -> Response:
    """Show another account from now on; forms of open pages are out of date with that."""
    chosen = choose(request.form.get("account", ""))
    whose = f"the team {chosen.name}" if chosen.is_team else "your own account"
    flash(f"You are in {whose} now.", "info")
    wanted = request.form.get("next", "")
    return redirect(wanted if is_local_path(wanted) else url_for("dashboard.home"))


@blueprint.post("/rename")
@allowed(Action.DESCRIBE_TEAM)
def rename() -> Response | tuple[str, int]:
    """Call the team something else."""
    try:
        services().teams.keep.rename(
            account().id, forms.typed(request.form, "name"), by=person().id, actor=actor()
        )
    except InvalidRequestError as error:
        return team_page({error.param or "name": str(error)}, at_fault="rename"), 400
    flash("Renamed.", "success")
    return redirect(url_for("team.show"))


@blueprint.post("/receipts")
@allowed(Action.DESCRIBE_TEAM)
def put_on_receipts() -> Response | tuple[str, int]:
    """Change what the team's receipts name from now on."""
    try:
        services().teams.keep.put_on_receipts(
            account().id,
            **asdict(forms.buyer(request.form)),
            by=person().id,
            actor=actor(),
        )
    except InvalidRequestError as error:
        return team_page({error.param or "company": str(error)}, at_fault="receipts"), 400
    flash("Receipts of this team name this from now on.", "success")
    return redirect(url_for("team.show"))


@blueprint.post("/leave")
@allowed(Action.SEE_WALLET)
def leave() -> Response | tuple[str, int]:
    """Leave the team, and with it the keys that one holds there."""
    name = account().name
    try:
        revoked = services().teams.members.leave(account().id, person().id, actor=actor())
    except LastOwnerError as error:
        return team_page({"leave": str(error)}, at_fault="leave"), 400
    choose("")
    keys = f"; {revoked} {'key was' if revoked == 1 else 'keys were'} revoked" if revoked else ""
    flash(f"You have left {name}{keys}.", "info")
    return redirect(url_for("team.show"))


@blueprint.post("/transfer")
@stepped_up("team.show")
@allowed(Action.OWN_TEAM)
def transfer() -> Response | tuple[str, int]:
    """Make another member an owner, and oneself an admin."""
    try:
        services().teams.keep.transfer(
            account().id, request.form.get("person_id", ""), by=person().id, actor=actor()
        )
    except (InvalidRequestError, MemberNotFoundError):
        return team_page({"person_id": "Choose a member of this team."}, at_fault="transfer"), 400
    flash("Handed over. You are an admin of this team now.", "success")
    return redirect(url_for("team.show"))


@blueprint.post("/delete")
@stepped_up("team.show")
@allowed(Action.OWN_TEAM)
def delete() -> Response | tuple[str, int]:
    """Delete the team, for who has typed its name."""
    name = account().name
    try:
        services().teams.keep.delete(
            account().id, forms.typed(request.form, "confirm"), by=person().id, actor=actor()
        )
    except InvalidRequestError as error:
        return team_page({error.param or "confirm": str(error)}, at_fault="delete"), 400
    choose("")
    flash(f"{name} is deleted.", "info")
    return redirect(url_for("team.show"))


def _form_team_id() -> str:
    given = request.form.get("team_id", "")
    try:
        return str(UUID(given))
    except ValueError:
        raise InvalidRequestError("Reload the page and send the form again.") from None
