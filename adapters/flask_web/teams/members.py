"""Members of the chosen team: invited, limited, given a role, removed."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.context import services
from adapters.flask_web.teams import forms
from adapters.flask_web.teams.page import team_page
from adapters.flask_web.web.account import account, allowed
from adapters.flask_web.web.session import actor, person
from adapters.flask_web.web.throttle import INVITE_PER_PERSON, throttle
from creditcore.domain.access import Action
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.teams import TeamRole
from creditcore.usecases.teams.invite_members import Invited

blueprint = Blueprint("members", __name__, url_prefix="/dashboard/team")

_FIELDS = {"credits": "amount"}
"""What a form calls otherwise than the core: people type dollars there."""


@blueprint.post("/invite")
@allowed(Action.MANAGE_MEMBERS)
def invite() -> tuple[str, int]:
    """Invite an address; the link is shown in the answer itself, this once.

    There is no redirect: the link would have to be kept somewhere in between.
    """
    throttle().count(INVITE_PER_PERSON, "invite", person().id)
    try:
        invited = services().teams.invitations.invite(
            account().id,
            forms.typed(request.form, "email"),
            forms.role(request.form),
            limit=forms.limit(request.form),
            by=person().id,
            actor=actor(),
        )
    except InvalidRequestError as error:
        return team_page({error.param or "email": str(error)}, at_fault="invite"), 400
    return team_page(invited=invited), 201


@blueprint.post("/invitations/<invitation_id>/resend")
@allowed(Action.MANAGE_MEMBERS)
def resend(invitation_id: str) -> tuple[str, int]:
    """Send an invitation again, with another link, which is shown this once."""
    throttle().count(INVITE_PER_PERSON, "invite", person().id)
    try:
        invited: Invited = services().teams.invitations.resend(
            account().id, invitation_id, by=person().id, actor=actor()
        )
    except InvalidRequestError as error:
        return team_page({"invitation": str(error)}, at_fault="invitations"), 409
    return team_page(invited=invited), 201


@blueprint.post("/invitations/<invitation_id>/revoke")
@allowed(Action.MANAGE_MEMBERS)
def revoke(invitation_id: str) -> Response | tuple[str, int]:
    """Withdraw an invitation."""
    try:
        services().teams.invitations.revoke(
            account().id, invitation_id, by=person().id, actor=actor()
        )
    except InvalidRequestError as error:
        return team_page({"invitation": str(error)}, at_fault="invitations"), 409
    flash("Withdrawn. The link opens nothing any more.", "success")
    return redirect(url_for("team.show"))


@blueprint.post("/members/<person_id>/role")
@allowed(Action.MANAGE_MEMBERS)
def give_role(person_id: str) -> Response | tuple[str, int]:
    """Let a member do more, or less."""

    def step() -> str:
        role = forms.role(request.form)
        services().teams.members.give_role(
            account().id, person_id, role, by=person().id, actor=actor()
        )
        is_viewer = role is TeamRole.VIEWER
        return "Saved. Their keys here are revoked." if is_viewer else "Saved."

    return _changed(person_id, step, field="role")


@blueprint.post("/members/<person_id>/limit")
@allowed(Action.MANAGE_MEMBERS)
def limit(person_id: str) -> Response | tuple[str, int]:
    """Limit what a member spends."""

    def step() -> str:
        services().teams.members.limit(
            account().id, person_id, forms.limit(request.form), by=person().id, actor=actor()
        )
        return "Saved. It counts with their very next call."

    return _changed(person_id, step, field="limit")


@blueprint.post("/members/<person_id>/raise")
@allowed(Action.MANAGE_MEMBERS)
def raise_once(person_id: str) -> Response | tuple[str, int]:
    """Let a member spend more until their period ends."""

    def step() -> str:
        amount = forms.dollars(forms.typed(request.form, "amount"), param="amount")
        services().teams.members.raise_once(
            account().id, person_id, amount, by=person().id, actor=actor()
        )
        return "Raised until this period ends."

    return _changed(person_id, step, field="amount")


@blueprint.post("/members/<person_id>/remove")
@allowed(Action.MANAGE_MEMBERS)
def remove(person_id: str) -> Response | tuple[str, int]:
    """Take a member out, and their keys with them."""

    def step() -> str:
        revoked = services().teams.members.remove(
            account().id, person_id, by=person().id, actor=actor()
        )
        return f"Removed; {revoked} {'key was' if revoked == 1 else 'keys were'} revoked."

    return _changed(person_id, step, field="role")


def _changed(person_id: str, step: Callable[[], str], *, field: str) -> Response | tuple[str, int]:
    try:
        flash(step(), "success")
    except InvalidRequestError as error:
        named = _FIELDS.get(error.param or field, error.param or field)
        return team_page({named: str(error)}, at_fault=person_id), 400
    return redirect(url_for("team.show"))
