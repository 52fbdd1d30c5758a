"""Alerts, and what the checks that raise them have found."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.admin.frame import ON_A_PAGE, blueprint, page
from adapters.flask_web.context import services
from adapters.flask_web.web.places import place_sent, place_text
from adapters.flask_web.web.session import actor, for_operators

_READINGS = 30


@blueprint.get("/alerts")
@for_operators
def alerts() -> str:
    """List alerts: those that are open, or all, the newest first."""
    everything = request.args.get("all") == "yes"
    before = place_sent(request.args, "before")
    with services().transactions.begin() as tx:
        found = tx.alerts.recent(limit=ON_A_PAGE + 1, only_open=not everything, before=before)
    shown = found[:ON_A_PAGE]
    last = shown[-1] if len(found) > ON_A_PAGE else None
    return page(
        "alerts.html",
        "alerts",
        alerts=shown,
        everything=everything,
        is_first=before is None,
        older=place_text(last.at, last.key) if last else None,
    )


@blueprint.post("/alerts")
@for_operators
def acknowledge() -> Response:
    """Note that an operator knows of some alerts."""
    keys = request.form.getlist("key")[:ON_A_PAGE]
    for key in keys:
        services().operations.alerts.acknowledge(key, actor=actor())
    flash(f"Alerts that are known now: {len(keys)}.", "success")
    return redirect(url_for("admin.alerts"))


@blueprint.get("/monitoring")
@for_operators
def monitoring() -> str:
    """Show what each check has found lately, and how far jobs are behind."""
    watch = services().operations.watch
    troubles = watch.troubles()
    with services().transactions.begin() as tx:
        readings = {name: tx.monitoring.recent(name, limit=_READINGS) for name in watch.checks}
        backlog = tx.jobs.backlog()
        totals = tx.oversight.open_holds()
        depth = tx.oversight.inbox()
    return page(
        "monitoring.html",
        "monitoring",
        readings=readings,
        troubles=troubles,
        backlog=backlog,
        holds=totals,
        depth=depth,
        now=services().clock.now(),
    )
