"""Begin and end looking at pages as a person sees them."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask_login import current_user
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from adapters.flask_web.admin.frame import blueprint, for_money
from adapters.flask_web.context import services
from adapters.flask_web.web import viewing
from adapters.flask_web.web.session import actor, for_people, person
from creditcore.domain.access import Action, Viewer, may
from creditcore.domain.errors import InvalidRequestError
from creditcore.usecases.people.view_account import VIEWED_FOR


@blueprint.post("/people/<person_id>/view")
@for_money
def view_as(person_id: str) -> Response:
    """Show a person's pages to this operator, for reading, for half an hour."""
    try:
        someone = services().people.viewings.begin(person_id, actor=actor())
    except InvalidRequestError as error:
        flash(str(error), "error")
        return redirect(url_for("admin.person", person_id=person_id))
    viewing.remember(someone, until=services().clock.now() + VIEWED_FOR)
    return redirect(url_for("dashboard.home"))


@blueprint.post("/stop-viewing")
@for_people
def stop_viewing() -> Response:
    """Show the operator's own pages again."""
    operator = current_user.operator
    if operator is None:
        if not may(Viewer(person=person()), Action.OPERATE):
            raise NotFound
        return redirect(url_for("admin.overview"))
    services().people.viewings.end(person(), actor=actor())
    viewing.forget()
    return redirect(url_for("admin.person", person_id=person().id))
