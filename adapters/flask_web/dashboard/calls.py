"""The list of calls, by what is asked for; the same as CSV; and the receipt of one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Literal

from flask import Blueprint, Response, render_template, request

from adapters.flask_web.context import services, settings
from adapters.flask_web.dashboard.filters import OUTCOMES, RANGES, Asked, read
from adapters.flask_web.dashboard.keys_by_id import KeyNames
from adapters.flask_web.dashboard.usage_charts import OUTCOMES as ENDS
from adapters.flask_web.dashboard.usage_charts import outcome_chart
from adapters.flask_web.web.account import account
from adapters.flask_web.web.affordable_limit import advised_member
from adapters.flask_web.web.figures import balance_usd
from adapters.flask_web.web.session import for_people
from adapters.flask_web.web.slot_labels import edge_label
from adapters.flask_web.web.zone import zone
from creditcore.domain.endings import ending_of
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import Wallet
from creditcore.domain.refusals import RefusedCall
from creditcore.ports.calls import Calls, Place, WantedCalls
from creditcore.ports.usage_hours import UsageOf
from creditcore.usecases.books.describe_usage import UsageReport
from creditcore.usecases.calls.keep_refusals import KEPT_FOR, KEPT_PER_HOUR

blueprint = Blueprint("calls", __name__, url_prefix="/dashboard/calls")

_ON_A_PAGE = 50
LOOKED_THROUGH = 100_000
"""How many calls a page looks at for those above a cost, which no index finds."""

_MAX_ID_LENGTH = 200
_IN_A_TRANSACTION = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST_MICROS = 10**17
_HEAD = (
    *("id", "began_at", "ended_at", "model", "key_id", "key", "endpoint", "streamed"),
    *("outcome", "status", "error", "basis", "prompt_tokens", "cached_tokens"),
    *("cache_write_tokens", "completion_tokens", "reasoning_tokens", "units"),
    *("first_byte_ms", "latency_ms", "charged_credits", "charged_balance_usd", "charged_paid_usd"),
    "borne_by_us_credits",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a page of the list begins: after or before a place."""

    place: Place
    side: Literal["older", "newer"]

    @classmethod
    def sent(cls) -> _Cursor | None:
        """Read it from the address; what cannot be one is no cursor."""
        for side in ("older", "newer"):
            micros, _, reference = request.args.get(side, "").partition("~")
            is_number = micros.isascii() and micros.isdigit() and len(micros) <= len("9" * 17)
            if is_number and int(micros) < _LATEST_MICROS and "\x00" not in reference:
                place = Place(_EPOCH + int(micros) * _MICROSECOND, reference)
                return cls(place, "older" if side == "older" else "newer")
        return None


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks for which calls."""

    wallet: Wallet
    names: KeyNames
    asked: Asked
    report: UsageReport | None
    wanted: WantedCalls


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of the list.

    Attributes:
        older: Before which place the list goes on; None where it ends.
        back_to: Calls that began earlier were not looked at yet; None where all were.
    """

    calls: Sequence[Hold]
    has_newer: bool
    older: Place | None
    back_to: datetime | None = None


@blueprint.get("")
@for_people
def show() -> str | tuple[str, int]:
    """List calls, fifty at a time."""
    asking = _asking()
    asked, cursor = asking.asked, _Cursor.sent()
    found = _page(asking.wanted, cursor)
    report = asking.report
    is_narrowed = bool(asked.outcome or asked.error or asked.min_cost or asked.search)
    page = render_template(
        "dashboard/calls.html",
        page="calls",
        asked=asked,
        calls=found.calls,
        looked_through=LOOKED_THROUGH,
        back_to=found.back_to,
        is_first=cursor is None,
        names=asking.names,
        ranges=RANGES,
        outcomes=OUTCOMES,
        report=report,
        chart=outcome_chart(report) if report and len(report.slots) > 1 else None,
        outcome_names=ENDS,
        edge_label=edge_label,
        older=asked.query(older=_text(found.older)) if found.older else None,
        newer=asked.query(newer=_text(_place(found.calls[0]))) if found.has_newer else None,
        newest=asked.query() if cursor and asked.at_least else None,
        is_narrowed=bool(asked.query()),
        adds_up=report is not None and not is_narrowed,
    )
    return (page, 400) if asked.faults else page


@blueprint.get("/refused")
@for_people
def refused() -> str:
    """List calls that never began, and why."""
    search = request.args.get("q", "").strip()[:_MAX_ID_LENGTH].replace("\x00", "")
    cursor = _Cursor.sent()
    place = cursor.place if cursor else None
    owner_id = account().id
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
        names = KeyNames.read(tx, account(), wallet.id)
        if search:
            found = tx.refusals.find(search, wallet_id=wallet.id)
            calls: Sequence[RefusedCall] = [found] if found else []
        else:
            calls = tx.refusals.older(wallet.id, than=place, limit=_ON_A_PAGE + 1)
    shown = calls[:_ON_A_PAGE]
    return render_template(
        "dashboard/refused.html",
        page="refused",
        section="calls",
        calls=shown,
        names=names,
        search=search,
        older=_text(Place(shown[-1].at, shown[-1].reference)) if len(calls) > _ON_A_PAGE else None,
        kept_per_hour=KEPT_PER_HOUR,
        kept_days=KEPT_FOR.days,
        advised_member=advised_member,
    )


@blueprint.get("/export.csv")
@for_people
def download() -> Response:
    """Return the same calls as CSV, all of them, as they are read."""
    asking = _asking()
    if asking.asked.faults:
        return Response("\n".join(asking.asked.faults), 400, mimetype="text/plain")
    lines = calls_csv(asking.wanted, asking.names)
    return Response(
        lines,
        mimetype="text/csv",
        headers={
            "content-disposition": 'attachment; filename="calls.csv"',
            "cache-control": "no-store",
        },
    )


def _asking() -> _Asking:
    owner_id = account().id
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
        names = KeyNames.read(tx, account(), wallet.id)
    asked = read(
        request.args,
        now=services().clock.now(),
        zone=zone(),
        default_range=None,
        keys=names.filters,
    )
    wanted = WantedCalls(
        wallet_id=wallet.id,
        key_id=asked.key_id,
        model=asked.model,
        ending=asked.outcome,
        error=asked.error,
        at_least=asked.at_least,
        search=asked.search,
    )
    report = None
    if asked.period is not None:
        whose = UsageOf(wallet.id, asked.key_id, asked.model)
        report = services().books.insight.add_up(whose, asked.period)
        since = asked.period.span.since
        # A call that ended in the period may have begun long before: its hour knows.
        began_from = min(report.oldest_call or since, since)
        wanted = replace(wanted, ended=asked.period.span, began_from=began_from)
    return _Asking(wallet, names, asked, report, wanted)


def _page(wanted: WantedCalls, cursor: _Cursor | None) -> _Page:
    with services().transactions.begin() as tx:
        if wanted.at_least:
            return _looked_through(tx.calls, wanted, cursor.place if cursor else None)
        if cursor is not None and cursor.side == "newer":
            calls = tx.calls.newer(wanted, than=cursor.place, limit=_ON_A_PAGE + 1)
            shown = calls[-_ON_A_PAGE:]
            older = _place(shown[-1]) if shown else None
            return _Page(shown, len(calls) > _ON_A_PAGE, older)
        calls = tx.calls.older(wanted, than=cursor.place if cursor else None, limit=_ON_A_PAGE + 1)
    return _Page(calls[:_ON_A_PAGE], bool(cursor and calls), _next(calls))


def _looked_through(calls: Calls, wanted: WantedCalls, place: Place | None) -> _Page:
    """Return what is found among so many calls before a place, the latest if there is none.

    There is no way up from there: it would be as long, and the first page is the way back.
    """
    back_to = calls.began_back(wanted.wallet_id, calls=LOOKED_THROUGH - 1, than=place)
    earliest = wanted.began_from
    if back_to is None or (earliest is not None and back_to <= earliest):
        found = calls.older(wanted, than=place, limit=_ON_A_PAGE + 1)
        return _Page(found[:_ON_A_PAGE], has_newer=False, older=_next(found))
    wanted = replace(wanted, began_from=back_to)
    found = calls.older(wanted, than=place, limit=_ON_A_PAGE + 1)
    if (older := _next(found)) is not None:
        return _Page(found[:_ON_A_PAGE], has_newer=False, older=older)
    return _Page(found, has_newer=False, older=Place(back_to, ""), back_to=back_to)


def _next(calls: Sequence[Hold]) -> Place | None:
    """Return before which place a list goes on, of which one more than a page was read."""
    return _place(calls[_ON_A_PAGE - 1]) if len(calls) > _ON_A_PAGE else None


def _place(hold: Hold) -> Place:
    return Place(hold.created_at, hold.reference)


def _text(place: Place) -> str:
    return f"{(place.created_at - _EPOCH) // _MICROSECOND}~{place.reference}"


def calls_csv(wanted: WantedCalls, names: KeyNames) -> Iterator[str]:
    """Write calls as they are read: a thousand at a time are in memory, however many there are."""
    # What the request knows is asked for now: the answer goes on after it has ended.
    here, rate, transactions = zone(), settings().credits_per_usd, services().transactions

    def lines() -> Iterator[str]:
        yield csv_line(_HEAD)
        place: Place | None = None
        while True:
            with transactions.begin() as tx:
                calls = tx.calls.older(wanted, than=place, limit=_IN_A_TRANSACTION)
            yield "".join(csv_line(_row(hold, names, here, Decimal(rate))) for hold in calls)
            if len(calls) < _IN_A_TRANSACTION:
                return
            place = _place(calls[-1])

    return lines()


def _row(hold: Hold, names: KeyNames, here: tzinfo, credits_per_usd: Decimal) -> tuple[object, ...]:
    call, outcome, usage = hold.call, hold.outcome, hold.outcome.usage
    key_id = call.key_id if call else None
    balance = balance_usd(hold.charged)
    return (
        hold.reference,
        hold.created_at.astimezone(here).isoformat(),
        hold.closed_at.astimezone(here).isoformat() if hold.closed_at else "",
        call.model if call else "",
        key_id or "",
        names.of_call(hold),
        call.endpoint if call else "",
        "yes" if call and call.stream else "no",
        str(ending_of(hold)),
        outcome.status or "",
        outcome.error or "",
        str(outcome.basis),
        usage.prompt_tokens if usage else "",
        usage.cached_tokens if usage else "",
        usage.cache_write_tokens if usage else "",
        usage.completion_tokens if usage else "",
        usage.reasoning_tokens if usage else "",
        usage.units if usage else "",
        "" if outcome.first_byte_ms is None else outcome.first_byte_ms,
        outcome.latency_ms or "",
        str(hold.charged),
        f"{balance.normalize():f}",
        f"{(balance / credits_per_usd).normalize():f}",
        str(hold.written_off),
    )


def csv_line(values: Sequence[object]) -> str:
    """Return one line, in which no spreadsheet finds a formula."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(_safe(value) for value in values)
    return buffer.getvalue()


def _safe(value: object) -> object:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
