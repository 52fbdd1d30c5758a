"""Payments here against payments at the provider."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.period import Instant, period_of
from adapters.flask_web.cli.text import counted
from adapters.flask_web.context import services
from creditcore.domain.money import Money
from creditcore.domain.reconciliation import Finding
from creditcore.usecases.payments.reconcile_payments import MAX_FINDINGS_KEPT, Reconciliation

_USUAL_PERIOD = timedelta(days=7)
_DAY = Instant(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.command()
@click.option("--from", "since", type=_DAY, help="First day, in UTC; a week ago if left out.")
@click.option("--to", "until", type=_DAY, help="Last day, in UTC; until now if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def reconcile(since: datetime | None, until: datetime | None, *, as_json: bool) -> None:
    """Compare payments with the provider's list; exit 1 if something is open.

    What was paid and not credited is credited, and refunds that were missed are followed; the
    rest is listed by kind, with amounts.
    """
    now = services().clock.now()
    end = now if until is None else _end_of(until)
    asked = period_of(end - _USUAL_PERIOD if since is None else since, end, now=now)
    result = services().payments.reconciliation.reconcile(
        since=asked.since,
        until=asked.until,
        found=(lambda _: None) if as_json else _tell,
        progress=(lambda _: None) if as_json else _show_progress,
    )
    click.echo(_as_json(result) if as_json else _as_text(result))
    if not result.is_clean:
        sys.exit(1)


def _end_of(until: datetime) -> datetime:
    """Return the end of a day that was named; an instant is its own end."""
    is_day = until.time() == datetime.min.time()
    return until + timedelta(days=1) if is_day else until


def _tell(finding: Finding) -> None:
    mark = "OPEN " if finding.kind.is_open else "fixed"
    click.echo(
        f"{mark}  {finding.kind:18}  {finding.amount or 'amount unknown'}"
        f"  {finding.reference or 'no reference'}  {finding.detail}"
    )


def _show_progress(result: Reconciliation) -> None:
    click.echo(f"{counted(result.compared, 'payments')} compared", err=True)


def _as_text(result: Reconciliation) -> str:
    period = f"{result.since:%Y-%m-%d %H:%M} to {result.until:%Y-%m-%d %H:%M} UTC"
    lines = [f"{period}: {counted(result.compared, 'payments')} of the provider compared."]
    for (day, currency), totals in sorted(result.totals.items()):
        gross, fees = Money(totals.gross, currency), Money(totals.fees, currency)
        lines.append(
            f"collected  {day}  {counted(totals.payments, 'payments')}: {gross}, fees {fees}"
        )
    for (day, currency), paid in sorted(result.settled.items()):
        gross, net, booked, others = (
            Money(units, currency) for units in (paid.gross, paid.net, paid.booked, paid.others)
        )
        lines.append(
            f"paid out   {day}  {counted(paid.payments, 'payments')}: {gross}, {net} after fees; "
            f"booked here {booked}, not ours {others}"
        )
    for kind, count in sorted(result.counts.items()):
        amounts = ", ".join(
            str(Money(units, currency))
            for (of_kind, currency), units in sorted(result.amounts.items())
            if of_kind is kind
        )
        lines.append(
            f"{'OPEN ' if kind.is_open else 'fixed'}      {kind}: {count} ({amounts or '-'})"
        )
    lines.append("Everything agrees." if result.is_clean else "Something is open.")
    return "\n".join(lines)


def _as_json(result: Reconciliation) -> str:
    return json.dumps(
        {
            "from": result.since.isoformat(),
            "to": result.until.isoformat(),
            "clean": result.is_clean,
            "compared": result.compared,
            "counts": dict(sorted(result.counts.items())),
            "findings": [
                {
                    "kind": finding.kind,
                    "open": finding.kind.is_open,
                    "reference": finding.reference,
                    "amount_minor_units": finding.amount and finding.amount.minor_units,
                    "currency": finding.amount and finding.amount.currency,
                    "detail": finding.detail,
                }
                for finding in result.findings
            ],
            "findings_left_out": max(0, sum(result.counts.values()) - MAX_FINDINGS_KEPT),
            "collected": [
                {
                    "day": day.isoformat(),
                    "currency": currency,
                    "payments": totals.payments,
                    "gross_minor_units": totals.gross,
                    "fees_minor_units": totals.fees,
                }
                for (day, currency), totals in sorted(result.totals.items())
            ],
            "paid_out": [
                {
                    "day": day.isoformat(),
                    "currency": currency,
                    "payouts": paid.payouts,
                    "payments": paid.payments,
                    "gross_minor_units": paid.gross,
                    "net_minor_units": paid.net,
                    "ours_minor_units": paid.ours,
                    "booked_minor_units": paid.booked,
                    "not_ours_minor_units": paid.others,
                }
                for (day, currency), paid in sorted(result.settled.items())
            ],
        }
    )
