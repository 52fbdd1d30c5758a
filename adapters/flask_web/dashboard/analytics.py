"""What was used: spend, calls, tokens, speed, by model and by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.context import services, settings
from adapters.flask_web.dashboard import usage_charts
from adapters.flask_web.dashboard.filters import GROUPS, GROUPS_OF_TEAM, RANGES, Asked, read
from adapters.flask_web.dashboard.keys_by_id import KeyNames
from adapters.flask_web.web.account import account
from adapters.flask_web.web.failure_charts import failures_shown
from adapters.flask_web.web.figures import many, paid_total
from adapters.flask_web.web.session import for_people
from adapters.flask_web.web.slot_labels import edge_label
from adapters.flask_web.web.zone import zone
from creditcore.domain.figures import change, per_mille
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.usage_hours import Tally
from creditcore.ports.usage_hours import UsageOf, key_or_none
from creditcore.usecases.books.describe_usage import UsageReport
from creditcore.usecases.teams.use_by_member import MemberUse, use_by_member

blueprint = Blueprint("analytics", __name__)


@blueprint.get("/analytics")
def from_outside() -> Response:
    """Lead into the dashboard, as addresses of the system before this one did."""
    said = urlencode(request.args.to_dict())
    return redirect(url_for("analytics.show") + (f"?{said}" if said else ""))


@blueprint.get("/dashboard/analytics")
@for_people
def show() -> str | tuple[str, int]:
    """Show what was used in a period, in charts and tables."""
    shown = account()
    owner_id, sees_all = shown.id, not shown.seen_holder_id
    groups = GROUPS_OF_TEAM if shown.is_team and sees_all else GROUPS
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
        names = KeyNames.read(tx, shown, wallet.id)
    asked = read(
        request.args,
        now=services().clock.now(),
        zone=zone(),
        keys=names.filters,
        groups=groups,
    )
    period = asked.period
    assert period is not None  # noqa: S101 - there is a default
    report = services().books.insight.describe(
        UsageOf(wallet.id, asked.key_id, asked.model),
        period,
        by_key=asked.group in {"key", "member"},
        by_model=asked.group == "model",
    )
    by_model = report.by_model()
    routes = None
    if asked.group == "endpoint":
        routes = services().books.insight.by_endpoint(wallet.id, period)
    members = _members(report, names) if shown.is_team else ()
    page = render_template(
        "dashboard/analytics.html",
        page="analytics",
        asked=asked,
        ranges=RANGES,
        groups=groups,
        report=report,
        names=names,
        members=members,
        sees_all=sees_all,
        calls_of_slots=_calls_of_slots(report, asked),
        by_model=by_model,
        by_endpoint=routes.by_model() if routes else None,
        models=_models(by_model, asked),
        changes=_changes(report),
        spend=usage_charts.spend_chart(routes or report, _namer(asked, names, members)),
        outcomes=usage_charts.outcome_chart(report),
        outcome_names=usage_charts.OUTCOMES,
        failures=failures_shown([slot.slot for slot in report.slots], report.failures, by_model),
        speed=usage_charts.speed_chart(report),
        edge_label=edge_label,
        savings=_savings(by_model),
        api_query=_api_query(asked, asked.group),
        members_query=_api_query(asked, "member") + "&format=csv",
        errors_query=_api_query(asked, "error") + "&format=csv",
    )
    return (page, 400) if asked.faults else page


def _members(report: UsageReport, names: KeyNames) -> Sequence[MemberUse]:
    """Return what each member of the team used, as far as who looks may see it."""
    team = account()
    with services().transactions.begin() as tx:
        return use_by_member(
            tx, team.id, names.keys.values(), report.by_caller(), only=team.seen_holder_id
        )


def _calls_of_slots(report: UsageReport, asked: Asked) -> Sequence[str]:
    """Return the address of the calls of each slot. Two tables name it, of up to 92 days."""
    calls = url_for("calls.show")
    return [f"{calls}?{urlencode(asked.query_of(it.slot, group=None))}" for it in report.slots]


def _api_query(asked: Asked, group: str) -> str:
    """Return what asks the account API for the same figures."""
    period = asked.period
    assert period is not None  # noqa: S101 - there is a default
    said = {
        "group_by": group if group in {"key", "member", "endpoint", "error"} else "model",
        "since": f"{period.span.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{period.span.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "key_id": asked.key_id,
        "model": asked.model,
    }
    return urlencode({name: value for name, value in said.items() if value})


def _namer(
    asked: Asked, names: KeyNames, members: Sequence[MemberUse]
) -> Callable[[tuple[str, str]], str]:
    match asked.group:
        case "key":
            return lambda name: names[key_or_none(name[0])]
        case "member":
            held = {key_id: row.name for row in members for key_id in row.by_key}
            return lambda name: held[name[0]]
        case "endpoint":
            return lambda name: name[1]
        case "model":
            return lambda name: name[1] or "Unknown model"
        case _:
            return lambda _name: "Spend"


def _models(by_model: Mapping[str, Tally], asked: Asked) -> list[str]:
    """Return what a model can be chosen from: those that were used, and the one that is chosen."""
    used = {model for model in by_model if model}
    return sorted(used | ({asked.model} if asked.model else set()))


def _changes(report: UsageReport) -> Mapping[str, str]:
    """Return how the four figures compare with the period before."""
    now, before = report.total, report.before
    was, is_ = before.success_per_mille, now.success_per_mille
    return {
        "spend": change(now.charge, before.charge, paid_total(Credits(before.charge))),
        "calls": change(now.calls, before.calls, many(before.calls)),
        "tokens": change(now.tokens, before.tokens, many(before.tokens)),
        "success": f"was {per_mille(was)}" if was is not None and is_ is not None else "",
    }


def _savings(by_model: Mapping[str, Tally]) -> Credits:
    """Return what reading from caches saved, at the prices of today."""
    prices = {price.model: price for price in services().calls.prices.all()}
    return sum(
        (
            price.tariff(settings().tariff).charge(
                tally.cached_tokens * max(0, price.rates.input - price.rates.cache_read)
            )
            for model, tally in by_model.items()
            if (price := prices.get(model)) is not None
        ),
        ZERO,
    )
