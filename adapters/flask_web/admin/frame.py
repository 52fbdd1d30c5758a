"""What all pages of operators share: who sees them, where they lead, how lists go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import Blueprint, render_template

from adapters.flask_web.web.navigation import Place
from adapters.flask_web.web.session import for_operators
from adapters.flask_web.web.stepping_up import stepped_up

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

ON_A_PAGE = 50

PLACES = (
    Place("overview", "admin.overview", "Overview", on_phone=True),
    Place("people", "admin.people", "People", on_phone=True),
    Place("team", "admin.teams", "Teams"),
    Place("payments", "admin.payments", "Payments", on_phone=True),
    Place("reviews", "admin.reviews", "Reviews"),
    Place("webhooks", "admin.webhooks", "Webhooks"),
    Place("models", "admin.models", "Models"),
    Place("alerts", "admin.alerts", "Alerts", on_phone=True),
    Place("monitoring", "admin.monitoring", "Monitoring"),
    Place("failures", "admin.failures", "Failures"),
    Place("jobs", "admin.jobs", "Jobs"),
    Place("activity", "admin.activity", "Activity"),
    Place("audit", "admin.audit", "Audit"),
)
ELSEWHERE = (
    Place("home", "dashboard.home", "Your own account"),
    Place("status", "status.status", "Status page"),
)

Args = ParamSpec("Args")
View = TypeVar("View")


def for_money(view: Callable[Args, View]) -> Callable[Args, View]:
    """Let only operators act, and only shortly after proving who they are.

    The page with the form asks for the proof, so that what is typed into it is not lost.
    """
    return for_operators(stepped_up("admin.people")(view))


def page(template: str, place: str, /, **values: Any) -> str:
    """Render a page of operators.

    Args:
        template: Its file below ``admin/``.
        place: The place of the menu it belongs to.
        values: What it shows.
    """
    return render_template(
        f"admin/{template}",
        page=place,
        places=PLACES,
        elsewhere=ELSEWHERE,
        # The operator's own balance and teams have no place among everybody's.
        wallet=None,
        account_shown=None,
        account_choices=(),
        **values,
    )
