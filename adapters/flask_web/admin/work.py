"""Alerts, health, jobs and the activity log."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.admin.belongings import name_of
from adapters.flask_web.admin.frame import ON_A_PAGE, blueprint, page
from adapters.flask_web.context import services
from adapters.flask_web.web.places import place_sent, place_text
from adapters.flask_web.web.session import actor, for_operators
from creditcore.domain.jobs import JobState

_READINGS = 30
_MAX_JOBS = 200
_MAX_NUMBER_LENGTH = 18


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


@blueprint.get("/jobs")
@for_operators
def jobs() -> str:
    """List jobs: those given up, or in another state."""
    asked = request.args.get("state", JobState.DEAD)
    state = JobState(asked) if asked in set(JobState) else JobState.DEAD
    found = services().operations.jobs.listing(limit=_MAX_JOBS, states=[state])
    with services().transactions.begin() as tx:
        backlog = tx.jobs.backlog()
    return page(
        "jobs.html",
        "jobs",
        jobs=found,
        state=state,
        states=list(JobState),
        backlog=backlog,
        most=_MAX_JOBS,
    )


@blueprint.post("/jobs")
@for_operators
def decide_job() -> Response:
    """Run a job again, give one up for good, or run all of a kind again that were given up."""
    name, kind = request.form.get("name", ""), request.form.get("kind", "")
    match request.form.get("do"):
        case "retry":
            services().operations.jobs.retry(name, actor=actor())
            flash(f"{name} runs again.", "success")
        case "discard":
            services().operations.jobs.discard(name, actor=actor())
            flash(f"{name} is given up for good.", "success")
        case "retry_dead":
            count = services().operations.jobs.retry_dead(kind, actor=actor())
            flash(f"Jobs to run again: {count}.", "success")
        case _:
            flash("Choose what becomes of the job.", "error")
    return redirect(url_for("admin.jobs", state=request.form.get("state") or None))


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
