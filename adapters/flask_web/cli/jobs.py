"""Jobs: what waits, what was given up, and what to do about it."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.jobs import Job, JobState

jobs = AppGroup("jobs", help="Work that waits, or was given up.")


@jobs.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in JobState]),
    multiple=True,
    help="Only these.",
)
@click.option("--kind", help="Only jobs of this kind.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@with_appcontext
def list_jobs(state: tuple[str, ...], kind: str | None, limit: int, *, as_json: bool) -> None:
    """List jobs: those that wait first, then the latest that ended."""
    states = [JobState(each) for each in state]
    found = services().operations.jobs.listing(limit=limit, states=states, kind=kind)
    if as_json:
        click.echo(json.dumps([_facts(job) for job in found], indent=2))
        return
    for job in found:
        click.echo(_line(job))
    if not found:
        click.echo("There is no such job.")


@jobs.command("retry")
@click.argument("names", nargs=-1)
@click.option("--dead", "kind", help="Retry every dead job of this kind.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def retry(names: tuple[str, ...], kind: str | None, *, as_json: bool) -> None:
    """Run jobs now, as if they had never failed. NAMES are as 'jobs list' shows them."""
    if not names and kind is None:
        raise click.UsageError("Name the jobs, or give --dead and a kind.")
    retried = services().operations.jobs.retry_dead(kind, actor=COMMAND_LINE) if kind else 0
    for name in names:
        services().operations.jobs.retry(name, actor=COMMAND_LINE)
        retried += 1
    click.echo(json.dumps({"retried": retried}) if as_json else f"Jobs to run again: {retried}.")


@jobs.command("discard")
@click.argument("names", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def discard(names: tuple[str, ...], *, as_json: bool) -> None:
    """Give jobs up for good. NAMES are as 'jobs list' shows them."""
    for name in names:
        services().operations.jobs.discard(name, actor=COMMAND_LINE)
    text = json.dumps({"discarded": len(names)})
    click.echo(text if as_json else f"Jobs given up: {len(names)}.")


def _line(job: Job) -> str:
    when = job.lease.due_at or job.closed_at or job.run_at
    what = "due " if job.state is JobState.WAITING else ""
    told = f"{job.state:9}  {job.name}  {what}{when:%Y-%m-%d %H:%M:%S} UTC"
    attempts = f"  attempts: {job.lease.attempts}" if job.lease.attempts else ""
    return told + attempts + (f"\n    {job.last_error}" if job.last_error else "")


def _facts(job: Job) -> dict[str, object]:
    """What a machine may know: a payload may speak of people, and stays out."""
    return {
        "name": job.name,
        "kind": job.kind,
        "business_key": job.business_key,
        "state": str(job.state),
        "attempts": job.lease.attempts,
        "due_at": job.lease.due_at.isoformat() if job.lease.due_at else None,
        "run_at": job.run_at.isoformat(),
        "closed_at": job.closed_at.isoformat() if job.closed_at else None,
        "last_error": job.last_error,
    }
