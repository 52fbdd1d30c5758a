"""The operator's command line: ``flask --app wsgi ...``."""

from __future__ import annotations

import json
import logging
import secrets
import signal
import sys
import threading
from dataclasses import asdict
from types import FrameType

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.command_guard import guarded
from adapters.flask_web.maintenance import Maintenance
from adapters.flask_web.session import services, settings
from creditcore.domain.errors import CreditcoreError, EmailTakenError
from creditcore.domain.money import Credits
from creditcore.domain.people import Person, Role, clean_email
from creditcore.usecases.books.audit_books import INVARIANTS, Report

_MAX_NAMED = 10

user = AppGroup("user", help="People's accounts.")
key = AppGroup("key", help="API keys.")


def register(app: Flask, *, fault: Exception | None = None) -> None:
    """Add every command to the ``flask`` command line; with a fault, only for their help."""
    for command in (migrate, worker, audit, alerts, grant, doctor, user, key):
        app.cli.add_command(guarded(command, fault))


@click.command()
@with_appcontext
def migrate() -> None:
    """Bring the database schema up to date. Safe to repeat, and to run from many hosts."""
    applied = services().migrate()
    click.echo("\n".join(f"applied {name}" for name in applied) or "The schema is up to date.")


@click.command()
@click.option("--once", is_flag=True, help="Do everything that is due, once, and exit.")
@with_appcontext
def worker(*, once: bool) -> None:
    """Expire holds left behind, refresh prices, work off webhooks, ask about payments.

    Any number of workers may run; on SQLite the gateway does this itself.
    """
    maintenance = Maintenance(services())
    if once:
        done = maintenance.run_once()
        click.echo(", ".join(f"{what}: {count}" for what, count in done.items()))
        services().commits.close()
        return
    stop = threading.Event()

    def _stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s worker %(message)s")
    click.echo("The worker is running.", err=True)
    maintenance.run_until(stop)
    services().commits.close()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def audit(*, as_json: bool) -> None:
    """Check every stored row against the ledger's invariants; exit 1 if any is broken."""
    report = services().audit.audit()
    click.echo(_as_json(report) if as_json else _as_text(report))
    if not report.clean:
        sys.exit(1)


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for machines.")
@with_appcontext
def alerts(limit: int, *, as_json: bool) -> None:
    """List what an operator should look at, newest first."""
    with services().transactions.begin() as tx:
        found = tx.alerts.recent(limit=limit)
    if as_json:
        click.echo(json.dumps([asdict(alert) for alert in found], default=str, indent=2))
        return
    for alert in found:
        click.echo(f"{alert.at:%Y-%m-%d %H:%M:%S} UTC  {alert.severity:8}  {alert.subject}")
        click.echo(f"    {alert.message}")
    if not found:
        click.echo("Nothing to look at.")


@user.command("create")
@click.option("--email", required=True, help="Their e-mail address.")
@click.option("--password", help="Their password; without it one is made and printed.")
@click.option("--admin", is_flag=True, help="Note that they are an operator; opens no page yet.")
@with_appcontext
def create_user(email: str, password: str | None, *, admin: bool) -> None:
    """Make an account with a wallet and the welcome credits."""
    made_up = password is None
    if password is None:
        password = secrets.token_urlsafe(15)
    try:
        identity = services().identity.sign_up(email, password)
        person = services().welcome.welcome(identity, role=Role.ADMIN if admin else Role.USER)
    except EmailTakenError:
        raise click.ClickException(f"{email} has an account already.") from None
    click.echo(f"{person.email} can sign in at {settings().base_url}/sign-in")
    if made_up:
        click.echo(f"password: {password}")


@user.command("password")
@click.option("--email", required=True, help="Whose password it is.")
@click.option("--password", help="The new one; asked for, unseen, if left out.")
@with_appcontext
def set_password(email: str, password: str | None) -> None:
    """Set a password that was forgotten, and sign its owner out everywhere."""
    person = _person(email)
    if password is None:
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    services().identity.set_password(person, password)
    click.echo(f"{person.email} has a new password, and is signed out everywhere.")


@user.command("block")
@click.option("--email", required=True, help="Who is shut out.")
@click.option("--reason", required=True, help="Why; kept among the alerts.")
@with_appcontext
def block_user(email: str, reason: str) -> None:
    """Shut somebody out: end their sessions and revoke their keys, for good."""
    person = _person(email)
    revoked = services().blocks.block(person.id, reason=reason)
    click.echo(f"{person.email} is blocked. Keys revoked: {revoked}.")


@user.command("unblock")
@click.option("--email", required=True, help="Who may sign in again.")
@with_appcontext
def unblock_user(email: str) -> None:
    """Let somebody sign in again, and make new keys."""
    person = _person(email)
    services().blocks.unblock(person.id)
    click.echo(f"{person.email} may sign in again. Their old keys stay revoked.")


@key.command("issue")
@click.option("--email", required=True, help="Whose key it is.")
@click.option("--name", default="command line", show_default=True, help="What to call it.")
@with_appcontext
def issue_key(email: str, name: str) -> None:
    """Make an API key and print it, this once, alone on its line."""
    _, secret = services().keys.issue(_person(email).id, name=name)
    click.echo(secret.text)


@click.command()
@click.option("--email", required=True, help="Who gets them.")
@click.option("--credits", "amount", required=True, help='How many, such as 200 or "0.5".')
@click.option("--reason", required=True, help="Why; kept with the transfer for ever.")
@click.option("--reference", help="Repeating a grant with the same reference changes nothing.")
@with_appcontext
def grant(email: str, amount: str, reason: str, reference: str | None) -> None:
    """Give somebody credits that nobody paid for."""
    try:
        credits_ = Credits.parse(amount)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    person = _person(email)
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(person.id)
    asked_at = services().clock.now()
    given = services().grants.grant(
        wallet.id,
        credits_,
        reason=reason,
        reference=reference or services().ids.new_reference("cli"),
    )
    with services().transactions.begin() as tx:
        available = tx.ledger.find_wallet(wallet.id).available
    told = f"{person.email} got {_credits(credits_)}"
    if given.at < asked_at:
        told = (
            f"Nothing was changed: with this reference {told}"
            f" on {given.at:%Y-%m-%d}, for {given.note!r},"
        )
    click.echo(f"{told} and has {available} available.")


@click.command()
@with_appcontext
def doctor() -> None:
    """Check the configuration and what it points to; exit 1 if something needs care."""
    failed = 0
    for name, fault in _examine():
        click.echo(
            f"{'ok  ' if fault is None else 'FAIL'}  {name}" + (f": {fault}" if fault else "")
        )
        failed += fault is not None
    sys.exit(1 if failed else 0)


def _examine() -> list[tuple[str, str | None]]:
    found = settings()
    store = "PostgreSQL" if found.postgres_url else f"SQLite in {found.data_dir}"
    checks: list[tuple[str, str | None]] = [
        (f"configuration ({found.app_env}, checkout in {found.paystack_currency})", None)
    ]
    try:
        pending = services().pending_migrations()
    except CreditcoreError as error:
        checks.append((f"database ({store})", str(error)))
        return checks
    checks.append((f"database ({store})", None))
    fault = f"run 'flask --app wsgi migrate' ({len(pending)} pending)" if pending else None
    checks.append(("schema", fault))
    if not pending:
        checks.append(_examine_prices())
    healthy = services().model_gateway.is_healthy()
    fault = None if healthy else f"{found.litellm_base_url} does not answer"
    checks.append(("LiteLLM", fault))
    if healthy:
        checks.append(_examine_models())
    checks.append(_examine_payments())
    return checks


def _examine_prices() -> tuple[str, str | None]:
    count = len(services().prices.all())
    return (
        f"price list ({_counted(count, 'models')})",
        None if count else "empty; the worker fetches it",
    )


def _examine_models() -> tuple[str, str | None]:
    """Name the models that LiteLLM serves and nobody can buy."""
    try:
        unpriced = services().model_gateway.fetch_catalogue().unpriced
    except CreditcoreError as error:
        return "models", str(error)
    if not unpriced:
        return "models (all have a price)", None
    shown = ", ".join(unpriced[:_MAX_NAMED]) + (", ..." if len(unpriced) > _MAX_NAMED else "")
    return f"models (not offered, since their price is unknown: {shown})", None


def _examine_payments() -> tuple[str, str | None]:
    """Ask about a payment that cannot exist: any clear answer means that the key works."""
    name = f"Paystack ({'sandbox' if settings().is_sandbox else settings().paystack_base_url})"
    try:
        services().purchase.gateway.verify("creditcore-doctor")
    except CreditcoreError as error:
        return name, str(error)
    return name, None


def _person(email: str) -> Person:
    try:
        address = clean_email(email)
    except CreditcoreError as error:
        raise click.ClickException(str(error)) from None
    with services().transactions.begin() as tx:
        person = tx.people.find_by_email(address)
    if person is None:
        raise click.ClickException(f"{email} has no account here.")
    return person


def _credits(amount: Credits) -> str:
    return f"{amount} credit" if amount == Credits.of(1) else f"{amount} credits"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what.removesuffix('s') if count == 1 else what}"


def _as_text(report: Report) -> str:
    lines = [", ".join(_counted(count, what) for what, count in report.counts.items())]
    for invariant, rule in INVARIANTS.items():
        breaches = report.breaches[invariant]
        lines.append(f"{'BROKEN' if breaches else 'ok    '}  {invariant}  {rule}")
        lines += [f"          {breach.row}: {breach.detail}" for breach in breaches]
    lines.append("The books are clean." if report.clean else "The books are NOT clean.")
    return "\n".join(lines)


def _as_json(report: Report) -> str:
    return json.dumps(
        {
            "clean": report.clean,
            "counts": report.counts,
            "invariants": {
                invariant: {
                    "rule": rule,
                    "breaches": [
                        {"row": breach.row, "detail": breach.detail}
                        for breach in report.breaches[invariant]
                    ],
                }
                for invariant, rule in INVARIANTS.items()
            },
        }
    )
