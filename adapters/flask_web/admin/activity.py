"""The activity log: who did what to what, from where."""

from __future__ import annotations

from flask import request

from adapters.flask_web.admin.belongings import name_of
from adapters.flask_web.admin.frame import ON_A_PAGE, blueprint, page
from adapters.flask_web.context import services
from adapters.flask_web.web.session import for_operators

_MAX_NUMBER_LENGTH = 18


@blueprint.get("/activity")
@for_operators
def activity() -> str:
    """Show who did what to what, from where, the latest first."""
    sent = request.args.get("before", "")
    is_number = sent.isascii() and sent.isdigit() and len(sent) <= _MAX_NUMBER_LENGTH
    person_id = request.args.get("person", "")[:100] or None
    with services().transactions.begin() as tx:
        found = tx.activity.recent(
            limit=ON_A_PAGE + 1, before=int(sent) if is_number else None, person_id=person_id
        )
        shown = found[:ON_A_PAGE]
        ids = {act.actor.id for act in shown} | {act.person_id for act in shown if act.person_id}
        people = {name: name_of(tx, name) for name in ids}
    return page(
        "activity.html",
        "activity",
        acts=shown,
        people=people,
        person_id=person_id,
        is_first=not is_number,
        older=shown[-1].number if len(found) > ON_A_PAGE else None,
    )
