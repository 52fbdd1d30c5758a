"""What an invitation's link opens: see it, accept it, decline it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from adapters.flask_web.context import services
from adapters.flask_web.web.account import choose, forget_accounts
from adapters.flask_web.web.client_origin import actor_of
from adapters.flask_web.web.session import actor, for_people, person
from adapters.flask_web.web.throttle import LINK_PER_ADDRESS, throttle
from creditcore.domain.activity import VISITOR
from creditcore.domain.errors import InvalidRequestError, InvitationRefusedError

blueprint = Blueprint("joining", __name__, url_prefix="/join")


@blueprint.get("")
def show() -> str | tuple[str, int]:
    """Show who invites to what. Nothing happens yet: mail scanners open links too."""
    throttle().count_address(LINK_PER_ADDRESS, "join")
    return _page(request.args.get("token", ""))


@blueprint.post("/accept")
@for_people
def accept() -> Response | str | tuple[str, int]:
    """Join the team, and go on in its account."""
    throttle().count_address(LINK_PER_ADDRESS, "join")
    token = request.form.get("token", "")
    try:
        joined = services().teams.invitations.accept(token, person().id, actor=actor())
    except InvalidRequestError as error:
        return _page(token, refusal=str(error), status=400)
    forget_accounts()
    chosen = choose(joined.team_id)
    flash(f"Welcome to {chosen.name}. What you use here, the team pays.", "success")
    return redirect(url_for("team.show"))


@blueprint.post("/decline")
def decline() -> Response | str | tuple[str, int]:
    """Turn an invitation down; who has the link may, signed in or not."""
    throttle().count_address(LINK_PER_ADDRESS, "join")
    token = request.form.get("token", "")
    who = actor() if current_user.is_authenticated else actor_of(VISITOR)
    try:
        services().teams.invitations.decline(token, actor=who)
    except InvitationRefusedError:
        return _page(token)
    flash("Declined. The link opens nothing any more.", "info")
    return redirect(url_for("site.landing"))


def _page(token: str, *, refusal: str = "", status: int = 200) -> str | tuple[str, int]:
    try:
        offer = services().teams.invitations.look(token)
    except InvitationRefusedError as error:
        return render_template("teams/dead_invitation.html", page="join", reason=str(error)), 404
    me = person().email if current_user.is_authenticated else ""
    page = render_template(
        "teams/join.html",
        page="join",
        offer=offer,
        token=token,
        me=me,
        is_mine=me == offer.invitation.email,
        here=url_for("joining.show", token=token),
        refusal=refusal,
    )
    return (page, status) if status != 200 else page
