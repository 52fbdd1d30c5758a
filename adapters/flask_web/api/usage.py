"""What was used, for programs: by hour, day, model, key, member, route or error; JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, Response
from pydantic import Field

from adapters.flask_web.api.caller import Caller
from adapters.flask_web.api.instants import Instant
from adapters.flask_web.api.operations import READER, Query, operation
from adapters.flask_web.api.shapes import UsageRow, UsageShape
from adapters.flask_web.context import services
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import HOUR, NOTHING_USED, Tally, hour_of
from creditcore.ports.store_ports import HasUsageHours
from creditcore.ports.usage_hours import UsageOf, key_or_none, member_without_key
from creditcore.usecases.teams.use_by_member import use_by_member

MAX_SPANS = 800
"""Hours of a month, or days of two years."""

_DAY = timedelta(days=1)
_DEFAULT_SPAN = timedelta(days=7)

blueprint = Blueprint("api_usage", __name__)


class UsageQuery(Query):
    """Which usage, and how it is cut."""

    group_by: Literal["hour", "day", "model", "key", "member", "endpoint", "error"] = "day"
    since: Annotated[
        Instant | None, Field(description="From the beginning of this hour, or day, on.")
    ] = None
    until: Annotated[Instant | None, Field(description="Until now, if left out.")] = None
    zone: Annotated[str, Field(max_length=64, description="Whose days they are.")] = "UTC"
    key_id: Annotated[str | None, Field(max_length=64)] = None
    model: Annotated[str | None, Field(max_length=200)] = None
    format: Literal["json", "csv"] = "json"


@operation(
    blueprint,
    "GET",
    "/api/v1/usage",
    scopes=READER,
    query=UsageQuery,
    answer=UsageShape,
    media=("application/json", "text/csv"),
)
def usage(caller: Caller, query: UsageQuery) -> UsageShape | Response:
    """Show what was used, by hour, day, model, key, member, route or error, of calls that ended.

    Only a team has members; who is no admin or owner of it sees their own use among them. By
    error, it is calls that failed and those that were refused, the most frequent error first.
    """
    zone = _zone(query.zone)
    now = services().clock.now()
    until = query.until or now
    since = query.since or until - _DEFAULT_SPAN
    if since > until:
        raise InvalidRequestError("since comes before until.", param="since")
    spans = _spans(since, until, zone, by=query.group_by)
    rows = _rows(caller, query, spans)
    found = UsageShape(
        since=spans[0].since,
        until=spans[-1].until,
        zone=query.zone,
        group_by=query.group_by,
        data=rows,
        total=_total(rows),
    )
    return _csv(found) if query.format == "csv" else found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequestError(
            f"There is no time zone {name!r}; use a name such as Africa/Nairobi.", param="zone"
        ) from None


def _spans(since: datetime, until: datetime, zone: ZoneInfo, *, by: str) -> list[Span]:
    """Cut a stretch of time where the zone's hours or days begin, on whole hours of UTC."""
    end = hour_of(until)
    end = end if end == until else end + HOUR
    if by not in {"hour", "day"}:
        return [Span(hour_of(since), end)]
    spans: list[Span] = []
    start = hour_of(since) if by == "hour" else _midnight(since, zone)
    while start < end and len(spans) <= MAX_SPANS:
        following = start + HOUR if by == "hour" else _midnight(start + _DAY * 1.5, zone)
        spans.append(Span(start, following))
        start = following
    if len(spans) > MAX_SPANS:
        raise InvalidRequestError(f"That is more than {MAX_SPANS} {by}s.", param="since")
    return spans or [Span(hour_of(since), end + HOUR)]


def _midnight(at: datetime, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    return hour_of(datetime(local.year, local.month, local.day, tzinfo=zone))


def _rows(caller: Caller, query: UsageQuery, spans: Sequence[Span]) -> list[UsageRow]:
    by_key = query.group_by in {"key", "member"}
    if query.group_by == "member" and not caller.holder_id:
        raise InvalidRequestError("Only the usage of a team has members.", param="group_by")
    _check_seen(caller, query.key_id or "")
    with services().transactions.begin() as tx:
        if query.group_by == "endpoint":
            return _rows_by_endpoint(tx, caller.wallet_id, query, spans)
        whose = UsageOf(caller.wallet_id, key_id=query.key_id, model=query.model)
        if query.group_by == "error":
            return _rows_by_error(tx, whose, spans)
        shares = tx.usage_hours.shares(
            whose, spans, by_key=by_key, by_model=query.group_by == "model"
        )
        if query.group_by == "member":
            keys = tx.keys.list_of(caller.owner_id)
            used = {share.key_id: share.tally for share in shares}
            members = use_by_member(tx, caller.owner_id, keys, used, only=caller.seen_holder_id)
            return [_row(row.tally, member_id=row.member_id, member=row.name) for row in members]
    groups: dict[str | int, Tally] = {}
    if query.group_by in {"hour", "day"}:
        groups = dict.fromkeys(range(len(spans)), NOTHING_USED)
    for share in shares:
        name: str | int = share.span
        if query.group_by in {"model", "key"}:
            name = share.model if query.group_by == "model" else key_or_none(share.key_id)
        groups[name] = groups.get(name, NOTHING_USED) + share.tally
    if query.group_by == "model":
        return [_row(tally, model=str(name)) for name, tally in groups.items()]
    if query.group_by == "key":
        return [_row(tally, key_id=str(name)) for name, tally in groups.items()]
    return [_row(groups[at], start=span.since) for at, span in enumerate(spans)]


def _rows_by_endpoint(
    tx: HasUsageHours, wallet_id: str, query: UsageQuery, spans: Sequence[Span]
) -> list[UsageRow]:
    if query.key_id or query.model:
        raise InvalidRequestError("By endpoint, ask for all keys and models.", param="group_by")
    used = tx.usage_hours.endpoints(wallet_id, spans)
    return [_row(share.tally, endpoint=share.endpoint) for share in used]


def _rows_by_error(tx: HasUsageHours, whose: UsageOf, spans: Sequence[Span]) -> list[UsageRow]:
    found: defaultdict[str, Tally] = defaultdict(Tally)
    for each in (*tx.usage_hours.failures(whose, spans), *tx.usage_hours.refusals(whose, spans)):
        found[each.error] += each.tally
    ranked = sorted(found.items(), key=lambda item: (-item[1].failed - item[1].refused, item[0]))
    return [_row(tally, error=error) for error, tally in ranked]


def _check_seen(caller: Caller, key_id: str) -> None:
    """Refuse what stands for the playground calls of a member whom the caller does not see."""
    member_id = member_without_key(key_id)
    if member_id and caller.seen_holder_id not in {"", member_id}:
        raise InvalidRequestError("There is no such key.", param="key_id")


def _row(
    tally: Tally,
    *,
    start: datetime | None = None,
    key_id: str | None = None,
    member_id: str | None = None,
    member: str | None = None,
    model: str | None = None,
    endpoint: str | None = None,
    error: str | None = None,
) -> UsageRow:
    return UsageRow(
        start=start,
        key_id=key_id,
        member_id=member_id,
        member=member,
        model=model,
        endpoint=endpoint,
        error=error,
        calls=tally.calls,
        failed=tally.failed,
        cancelled=tally.cancelled,
        refused=tally.refused,
        prompt_tokens=tally.prompt_tokens,
        cached_tokens=tally.cached_tokens,
        completion_tokens=tally.completion_tokens,
        charge=str(tally.charged),
    )


def _total(rows: Iterable[UsageRow]) -> UsageRow:
    listed = list(rows)
    counted = ("calls", "failed", "cancelled", "refused")
    tokens = ("prompt_tokens", "cached_tokens", "completion_tokens")
    return UsageRow(
        start=None,
        charge=str(sum((Credits.parse(row.charge) for row in listed), ZERO)),
        **{name: sum(getattr(row, name) for row in listed) for name in (*counted, *tokens)},
    )


def _csv(found: UsageShape) -> Response:
    named = {"hour": "start", "day": "start", "key": "key_id"}.get(found.group_by, found.group_by)
    group = ("member_id", "member") if named == "member" else (named,)
    figures = ("calls", "failed", "cancelled", "refused", "prompt_tokens", "cached_tokens")
    columns = (*group, *figures, "completion_tokens", "charge")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    zone = ZoneInfo(found.zone)
    for row in found.data:
        start = row.start.astimezone(zone).isoformat() if row.start else ""
        names = [start or _harmless(str(getattr(row, name))) for name in group]
        writer.writerow([*names, *(getattr(row, name) for name in columns[len(group) :])])
    answer = Response(text.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=usage.csv"
    return answer


def _harmless(text: str) -> str:
    # A spreadsheet would run what begins like a formula; a model's name may be anything.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
