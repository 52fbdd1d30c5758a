"""Jobs: listed by state, run again, or given up for good."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.admin.frame import blueprint, page
from adapters.flask_web.context import services
from adapters.flask_web.web.session import actor, for_operators
from creditcore.domain.jobs import JobState

_MAX_JOBS = 200


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
