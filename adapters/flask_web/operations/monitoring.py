"""Health for operators, with their acts; and a page that tells customers what works."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from adapters.flask_web.context import services
from adapters.flask_web.web.session import actor, for_operators
from creditcore.domain.errors import InvalidRequestError

blueprint = Blueprint("monitoring", __name__, url_prefix="/api/admin/monitoring")
status_page = Blueprint("status", __name__)

_ALERTS = 50

PARTS = (
    ("Calling models", "model server", "Calls to models may fail. Nothing is charged for those."),
    ("Paying", "payments", "Payments are delayed. What you pay is credited once it is confirmed."),
    ("Mail", "mail", "Mails come late."),
    ("Everything behind the scenes", "jobs", "Some things take longer than usual."),
)
"""What customers know a part by, the check that tells, and what its trouble means to them."""


@blueprint.get("")
@for_operators
def show() -> Response:
    """Return what the checks have found, what waits, and which alerts are open."""
    watch = services().operations.watch
    troubles = watch.troubles()
    with services().transactions.begin() as tx:
        alerts = tx.alerts.recent(limit=_ALERTS, only_open=True)
        backlog = tx.jobs.backlog()
    return jsonify(
        healthy=not troubles,
        checks={
            name: {
                "healthy": reading.finding.is_healthy,
                "trouble_since": troubles[name].at.isoformat() if name in troubles else None,
                "detail": reading.finding.detail,
                "value": reading.finding.value,
                "at": reading.at.isoformat(),
            }
            for name, reading in watch.latest().items()
        },
        jobs=[
            {
                "kind": each.kind,
                "waiting": each.waiting,
                "oldest_due_at": each.oldest_due_at.isoformat() if each.oldest_due_at else None,
                "dead": each.dead,
            }
            for each in backlog
        ],
        alerts=[
            {
                "key": alert.key,
                "severity": str(alert.severity),
                "subject": alert.subject,
                "message": alert.message,
                "at": alert.at.isoformat(),
            }
            for alert in alerts
        ],
    )


@blueprint.post("")
@for_operators
def act() -> Response:
    """Acknowledge an alert, run the dead jobs of a kind again, or test how alerts are told.

    ``{"action": "acknowledge", "key": ...}``, ``{"action": "retry_dead", "kind": ...}`` or
    ``{"action": "test_alerts"}``.
    """
    asked = request.get_json(silent=True)
    if not isinstance(asked, dict):
        raise InvalidRequestError("The body is a JSON object.")
    match asked:
        case {"action": "acknowledge", "key": str(key), **rest} if not rest:
            done: dict[str, Any] = {"acknowledged": key}
            services().operations.alerts.acknowledge(key, actor=actor())
        case {"action": "retry_dead", "kind": str(kind), **rest} if not rest:
            done = {"retried": services().operations.jobs.retry_dead(kind, actor=actor())}
        case {"action": "test_alerts", **rest} if not rest:
            done = {"told": services().operations.announcer.send_test()}
        case _:
            raise InvalidRequestError(
                "An action is acknowledge, with a key, retry_dead, with a kind, or test_alerts.",
                param="action",
            )
    return jsonify(done)


@status_page.get("/status")
def status() -> str:
    """Tell customers what works, without internals."""
    troubles = services().operations.watch.troubles()
    parts = [
        {
            "name": name,
            "since": troubles[check].at if check in troubles else None,
            "meaning": meaning,
        }
        for name, check, meaning in PARTS
        if check in services().operations.watch.checks
    ]
    all_works = not any(part["since"] for part in parts)
    return render_template("operations/status.html", page="status", parts=parts, works=all_works)
