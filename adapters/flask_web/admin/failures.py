"""Which model failed how often, by what, and the calls that did."""

from __future__ import annotations

from flask import request

from adapters.flask_web.admin.belongings import name_of
from adapters.flask_web.admin.frame import ON_A_PAGE, blueprint, page
from adapters.flask_web.admin.periods import RANGES, period_of
from adapters.flask_web.context import services
from adapters.flask_web.web.failure_charts import failures_shown
from adapters.flask_web.web.places import place_sent, place_text
from adapters.flask_web.web.session import for_operators
from adapters.flask_web.web.slot_labels import edge_label
from creditcore.ports.oversight import WantedFailures

_LONGEST = 300


@blueprint.get("/failures")
@for_operators
def failures() -> str:
    """Show failed calls of all accounts in a period: a chart, by model and error, one by one."""
    period = period_of(request.args.get("range", "7d"))
    report = services().books.site.describe(period)
    model, error = _asked("model"), _asked("error")
    before = place_sent(request.args, "before")
    with services().transactions.begin() as tx:
        found = tx.oversight.failed_calls(
            WantedFailures(period.span, model, error), limit=ON_A_PAGE + 1, before=before
        )
        calls = found[:ON_A_PAGE]
        owners = {
            wallet_id: tx.ledger.find_wallet(wallet_id).owner_id
            for wallet_id in {hold.wallet_id for hold in calls}
        }
        names = {owner_id: name_of(tx, owner_id) for owner_id in owners.values()}
    last = calls[-1] if len(found) > ON_A_PAGE else None
    return page(
        "failures.html",
        "failures",
        ranges=RANGES,
        asked=period.name,
        report=report,
        failures=failures_shown(
            [slot for slot, _ in report.slots], report.failures, report.by_model()
        ),
        edge_label=edge_label,
        model=model,
        error=error,
        calls=calls,
        owners=owners,
        names=names,
        is_first=before is None,
        older=place_text(last.closed_at, last.reference) if last and last.closed_at else None,
    )


def _asked(name: str) -> str | None:
    text = request.args.get(name)
    return None if text is None else text[:_LONGEST].replace("\x00", "")
