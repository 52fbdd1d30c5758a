"""What an operator should look at."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.context import services
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.alerts import Alert
from creditcore.domain.errors import CreditcoreError


@click.group(cls=AppGroup, invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--open", "only_open", is_flag=True, help="Only what no operator has dealt with.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@click.pass_context
@with_appcontext
def alerts(context: click.Context, limit: int, *, only_open: bool, as_json: bool) -> None:
    """List what an operator should look at, newest first; acknowledge it with ``ack``."""
    if context.invoked_subcommand:
        return
    with services().transactions.begin() as tx:
        found = tx.alerts.recent(limit=limit, only_open=only_open)
    if as_json:
        click.echo(json.dumps([facts(alert) for alert in found], indent=2))
        return
    for alert in found:
        told = f"{alert.at:%Y-%m-%d %H:%M:%S} UTC  {alert.severity:8}  {alert.subject}"
        click.echo(told + _what_became_of(alert))
        click.echo(f"    {alert.message}")
        click.echo(f"    {alert.key}")
    if not found:
        click.echo("Nothing to look at.")


@alerts.command("ack")
@click.argument("keys", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@with_appcontext
def acknowledge(keys: tuple[str, ...], *, as_json: bool) -> None:
    """Say that you know; KEYS are the last line that 'alerts' shows of each."""
    known = [services().operations.alerts.acknowledge(key, actor=COMMAND_LINE) for key in keys]
    if as_json:
        click.echo(json.dumps([facts(alert) for alert in known], indent=2))
    else:
        click.echo(f"Alerts that an operator knows of: {len(known)}.")


@alerts.command("test")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@with_appcontext
def test(*, as_json: bool) -> None:
    """Send a test message to all who are told of alerts, now."""
    try:
        told = services().operations.announcer.send_test()
    except CreditcoreError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(told) if as_json else f"Told: {', '.join(told)}.")


def facts(alert: Alert) -> dict[str, object]:
    """Return an alert as machines read it."""
    return {
        "key": alert.key,
        "kind": alert.kind,
        "severity": str(alert.severity),
        "subject": alert.subject,
        "message": alert.message,
        "at": alert.at.isoformat(),
        "open": alert.is_open,
        "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
        "acknowledged_at": alert.acknowledged_at.isoformat() if alert.acknowledged_at else None,
        "acknowledged_by": alert.acknowledged_by or None,
    }


def _what_became_of(alert: Alert) -> str:
    if alert.resolved_at:
        return f"  (over since {alert.resolved_at:%Y-%m-%d %H:%M} UTC)"
    if alert.acknowledged_at:
        return f"  (known to {alert.acknowledged_by})"
    return ""
