"""Our calls beside LiteLLM's own log of them."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.period import Instant, period_of
from adapters.flask_web.context import services
from creditcore.domain.periods import Span
from creditcore.domain.reported_cost import reported_usd
from creditcore.domain.spend import Difference, Finding
from creditcore.usecases.calls.reconcile_usage import SpendReport

_INSTANTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M")
_SHOWN = 50
_MEANS = {
    Difference.COST: "another cost than ours",
    Difference.UNKNOWN_HERE: "ran there, unknown here",
    Difference.UNBILLED: "ran there, charged nothing here",
    Difference.UNKNOWN_THERE: "charged here, unknown there",
}


@click.command("reconcile-usage")
@click.option(
    "--from", "since", type=Instant(_INSTANTS), help="From when on, in UTC; else yesterday."
)
@click.option(
    "--to", "until", type=Instant(_INSTANTS), help="Until when, in UTC; else an hour ago."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def reconcile_usage(since: datetime | None, until: datetime | None, *, as_json: bool) -> None:
    """Compare calls with LiteLLM's log, one by one; exit 1 where they differ.

    Nothing is changed. LiteLLM writes its log with a delay, and loses rows when it is killed.
    """
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    asked = period_of(
        since or midnight - timedelta(days=1), until or now - timedelta(hours=1), now=now
    )

    def tell(reached: datetime) -> None:
        click.echo(f"compared up to {reached:%Y-%m-%d %H:%M} UTC", err=True)

    report = services().books.spend.reconcile(asked.since, asked.until, progress=tell)
    click.echo(_as_json(report, asked) if as_json else _as_text(report))
    if not report.clean:
        sys.exit(1)


def _as_text(report: SpendReport) -> str:
    sums = f"{reported_usd(report.ours)} USD here and {reported_usd(report.theirs)} USD there"
    lines = [
        f"compared: {report.compared:,} calls, {sums}; {report.foreign:,} rows there are not ours"
    ]
    lines += [f"{count:>7,}  {_MEANS[kind]}" for kind, count in sorted(report.counts.items())]
    lines += [
        f"         {finding.at:%Y-%m-%d %H:%M:%S}  {finding.call_id}  {finding.model}: "
        f"{_MEANS[finding.kind]}, {_usd(finding.ours)} here, {_usd(finding.theirs)} there"
        for finding in report.findings[:_SHOWN]
    ]
    named = len(report.findings)
    if named > _SHOWN:
        lines.append(f"         and {named - _SHOWN:,} more with --json")
    lines.append("The logs agree." if report.clean else "The logs do NOT agree.")
    return "\n".join(lines)


def _usd(picodollars: int | None) -> str:
    return "nothing" if picodollars is None else f"{reported_usd(picodollars)} USD"


def _as_json(report: SpendReport, asked: Span) -> str:
    return json.dumps(
        {
            "from": asked.since.isoformat(),
            "to": asked.until.isoformat(),
            "clean": report.clean,
            "compared": report.compared,
            "foreign": report.foreign,
            "ours_usd": reported_usd(report.ours),
            "theirs_usd": reported_usd(report.theirs),
            "counts": {kind.value: report.counts[kind] for kind in Difference},
            "findings": [_finding(finding) for finding in report.findings],
        }
    )


def _finding(finding: Finding) -> dict[str, str | None]:
    return {
        "kind": finding.kind.value,
        "call_id": finding.call_id,
        "model": finding.model,
        "at": finding.at.isoformat(),
        "ours_usd": None if finding.ours is None else reported_usd(finding.ours),
        "theirs_usd": None if finding.theirs is None else reported_usd(finding.theirs),
    }
