"""Check the books."""

from __future__ import annotations

import json
import sys

import click
from flask.cli import with_appcontext

from adapters.flask_web.cli.text import counted
from adapters.flask_web.context import services
from creditcore.usecases.books.audit_books import INVARIANTS, Report


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@with_appcontext
def audit(*, as_json: bool) -> None:
    """Check every stored row against the ledger's invariants; exit 1 if any is broken."""
    report = services().books.audit.audit()
    click.echo(_as_json(report) if as_json else _as_text(report))
    if not report.clean:
        sys.exit(1)


def _as_text(report: Report) -> str:
    lines = [", ".join(counted(count, what) for what, count in report.counts.items())]
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
