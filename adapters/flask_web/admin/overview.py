"""How the site stands, what needs an operator, and whether the books are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.admin.frame import blueprint, page
from adapters.flask_web.admin.periods import RANGES, period_of
from adapters.flask_web.context import services, settings
from adapters.flask_web.web.charts import BarChart, Series, bars
from adapters.flask_web.web.figures import many, paid_total
from adapters.flask_web.web.session import actor, for_operators
from adapters.flask_web.web.slot_labels import edge_label, label
from creditcore.domain.earnings import Earnings
from creditcore.domain.figures import change, per_mille, rounded
from creditcore.domain.jobs import JobState
from creditcore.domain.ledger import TransferKind
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.monitoring import Reading
from creditcore.domain.usage_hours import NOTHING_USED, Tally
from creditcore.usecases.books.audit_books import INVARIANTS
from creditcore.usecases.books.describe_site import SiteReport
from creditcore.usecases.monitoring.keep_audits import AUDIT

_PICODOLLARS = 10**12
_COUNTED = 100
_AUDITS_SHOWN = 14
_SOLD = (
    TransferKind.PURCHASE,
    TransferKind.REVERSAL,
    TransferKind.RESTORATION,
    TransferKind.REPAYMENT,
)
_GIVEN = (TransferKind.BONUS, TransferKind.SIGNUP, TransferKind.GRANT)


@dataclass(frozen=True, slots=True)
class ToDo:
    """Something that waits for an operator.

    Attributes:
        text: What it is, with its number.
        endpoint: The page where it is dealt with.
    """

    text: str
    endpoint: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One model in a period: what its calls earned and cost."""

    model: str
    tally: Tally
    earnings: Earnings


@blueprint.get("")
@for_operators
def overview() -> str:
    """Show liability, money in, revenue, cost and margin, and what needs an operator."""
    name = request.args.get("range", "30d")
    period = period_of(name)
    report = services().books.site.describe(period)
    with services().transactions.begin() as tx:
        holds = tx.oversight.open_holds()
    beats = [reading.at for reading in services().operations.watch.latest().values()]
    return page(
        "overview.html",
        "overview",
        ranges=RANGES,
        asked=period.name,
        report=report,
        to_do=to_do(),
        earned=report.earnings(report.total),
        usd=usd,
        sold=_sum(report, *_SOLD),
        given=_sum(report, *_GIVEN),
        liability_at_cost=at_cost(report.totals.posted),
        absorbed=at_cost(Credits(report.total.written_off)),
        models=[
            ModelLine(model, tally, report.earnings(tally))
            for model, tally in report.by_model().items()
        ],
        changes=_changes(report),
        chart=_chart(report),
        slots=[
            (label(slot), sum(tallies.values(), NOTHING_USED)) for slot, tallies in report.slots
        ],
        edge_label=edge_label,
        last_beat=max(beats, default=None),
        last_audit=next(iter(_audits(1)), None),
        holds=holds,
    )


def to_do() -> Sequence[ToDo]:
    """Return what waits for an operator; nothing where nothing does."""
    now = services().clock.now()
    with services().transactions.begin() as tx:
        reviews = tx.reviews.waiting(limit=_COUNTED)
        alerts = tx.alerts.recent(limit=_COUNTED, only_open=True)
        stuck = tx.ledger.expired_holds(now=now, limit=_COUNTED)
        dead = tx.jobs.listing(limit=_COUNTED, states=[JobState.DEAD])
    unpriced = [each for each in services().calls.prices.catalogue.unsold() if each.fault]
    waiting = (
        (len(reviews), "payment waits for a decision", "payments wait for a decision",
         "admin.reviews", reviews[0].opened_at if reviews else None),
        (len(alerts), "alert is open", "alerts are open",
         "admin.alerts", alerts[-1].at if alerts else None),
        (len(dead), "job was given up", "jobs were given up",
         "admin.jobs", None),
        (len(stuck), "hold is open after its time", "holds are open after their time",
         "admin.monitoring", stuck[0].expires_at if stuck else None),
        (min(len(unpriced), _COUNTED), "model has no price it can be sold at",
         "models have no price they can be sold at", "admin.price_rules", None),
    )  # fmt: skip
    return [
        ToDo(f"{count}{' or more' if count == _COUNTED else ''} {one if count == 1 else more}",
             endpoint, since)
        for count, one, more, endpoint, since in waiting
        if count
    ]  # fmt: skip


@blueprint.get("/audit")
@for_operators
def audit() -> str:
    """Show what the latest audits of the books have found."""
    return page(
        "audit.html", "audit", readings=_audits(_AUDITS_SHOWN), invariants=INVARIANTS,
    )  # fmt: skip


@blueprint.post("/audit")
@for_operators
def run_audit() -> Response:
    """Have the worker audit the books now: it reads every row, which takes its time."""
    if services().books.audits.order(actor=actor()):
        flash("The worker audits the books now. Look again in a moment.", "success")
    else:
        flash("An audit was ordered less than a minute ago.", "info")
    return redirect(url_for("admin.audit"))


def usd(picodollars: int) -> str:
    """Return 10^-12 US dollars as ``"$12.30"``, or ``"$0.001234"``."""
    amount = Decimal(picodollars) / _PICODOLLARS
    return f"{chr(0x2212) if amount < 0 else ''}${rounded(abs(amount))}"


def at_cost(amount: Credits) -> str:
    """Return what credits are worth at the providers, markup taken out."""
    micro = settings().tariff.provider_microusd(amount)
    return usd(micro * 10**6)


def _sum(report: SiteReport, *kinds: TransferKind) -> Credits:
    """Return what wallets got by these kinds of transfers, less what was taken back."""
    return sum((report.credited.get(kind, ZERO) for kind in kinds), ZERO)


def _audits(limit: int) -> Sequence[Reading]:
    with services().transactions.begin() as tx:
        return tx.monitoring.recent(AUDIT, limit=limit)


def _changes(report: SiteReport) -> dict[str, str]:
    now, before = report.total, report.before
    earned, earned_before = (report.earnings(tally).revenue for tally in (now, before))
    was, is_ = before.success_per_mille, now.success_per_mille
    return {
        "revenue": change(earned, earned_before, usd(earned_before)),
        "calls": change(now.calls, before.calls, many(before.calls)),
        "success": f"was {per_mille(was)}" if was is not None and is_ is not None else "",
    }


def _chart(report: SiteReport) -> BarChart:
    """Draw what calls were charged in each slot, and what they cost beside it in the title."""
    charged = [sum(tally.charge for tally in tallies.values()) for _, tallies in report.slots]
    costs = [
        sum(tally.provider_cost_picodollars for tally in tallies.values())
        for _, tallies in report.slots
    ]
    titles = [
        f"{label(slot)}: {paid_total(Credits(charge))} charged, {usd(cost)} provider cost"
        for (slot, _), charge, cost in zip(report.slots, charged, costs, strict=True)
    ]
    return bars([Series("Charged", charged)], titles)
