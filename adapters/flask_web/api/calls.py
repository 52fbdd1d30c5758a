"""Calls and their receipts, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from adapters.flask_web.api.caller import Caller
from adapters.flask_web.api.instants import Instant
from adapters.flask_web.api.operations import ANY_READER, READER, operation
from adapters.flask_web.api.paging import Page, next_cursor
from adapters.flask_web.api.shapes import CallList, CallShape, ReceiptLine, ReceiptShape
from adapters.flask_web.context import services
from creditcore.domain.errors import HoldNotFoundError
from creditcore.domain.holds import Basis, Call, Hold, HoldState
from creditcore.domain.keys import Scope
from creditcore.domain.pricing import usd_text
from creditcore.domain.refusals import RefusedCall
from creditcore.ports.calls import CallFilter, Place

blueprint = Blueprint("api_calls", __name__)


class CallQuery(Page):
    """Which calls."""

    key_id: Annotated[str | None, Field(max_length=64)] = None
    model: Annotated[str | None, Field(max_length=200)] = None
    endpoint: Annotated[str | None, Field(max_length=100)] = None
    state: Annotated[
        Literal["open", "settled", "released", "expired", "refused"] | None,
        Field(description="`refused` ones never began; of others a hold was made."),
    ] = None
    failed: Annotated[
        bool | None, Field(description="Those that failed or were refused, or those that did not.")
    ] = None
    since: Instant | None = None
    until: Instant | None = None


@operation(blueprint, "GET", "/api/v1/calls", scopes=READER, query=CallQuery, answer=CallList)
def list_calls(caller: Caller, query: CallQuery) -> CallList:
    """List calls, newest first: those that failed, and those that were refused, included.

    Refused ones are kept for 30 days, the last 100 of each hour.
    """
    which = CallFilter(
        key_id=query.key_id,
        model=query.model,
        endpoint=query.endpoint,
        state=None if query.state in {None, "refused"} else HoldState(query.state),
        failed=query.failed,
        since=query.since,
        until=query.until,
    )
    start, limit = query.start, query.limit + 1
    held: Sequence[Hold] = []
    refused: Sequence[RefusedCall] = []
    with services().transactions.begin() as tx:
        if query.state != "refused":
            held = tx.calls.page_of(caller.wallet_id, limit=limit, which=which, before=start)
        if query.state in {None, "refused"} and query.failed is not False:
            place = Place(*start) if start else None
            refused = tx.refusals.older(caller.wallet_id, than=place, limit=limit, which=which)
    # Each list has its latest: together the first of them are the latest of both.
    found = sorted(
        [*map(_fields, held), *map(_refused_fields, refused)],
        key=lambda call: (call["created_at"], call["id"]),
        reverse=True,
    )
    shown = found[: query.limit]
    more = len(found) > query.limit
    return CallList(
        data=[CallShape.model_validate(call) for call in shown],
        next_cursor=next_cursor(shown[-1]["created_at"], shown[-1]["id"]) if more else None,
    )


@operation(blueprint, "GET", "/api/v1/calls/{call_id}", scopes=ANY_READER, answer=ReceiptShape)
def read_call(caller: Caller, call_id: str) -> ReceiptShape:
    """Show the receipt of one call: how its cost came about.

    A key that is for inference alone sees its own. ``reported_cost_usd`` is what the model
    server says that the call cost, exactly as text, or null where it said nothing. It is shown
    for comparison: nothing is charged by it. A call that was refused has no lines.
    """
    sees_all = caller.may(Scope.ACCOUNT_READ) or caller.may(Scope.ACCOUNT_MANAGE)
    try:
        receipt = services().calls.receipts.write(call_id, wallet_id=caller.wallet_id)
    except HoldNotFoundError:
        # One with an Idempotency-Key may have been refused first, and then begun under one id.
        with services().transactions.begin() as tx:
            refused = tx.refusals.find(call_id, wallet_id=caller.wallet_id)
        if refused is None or not (sees_all or _is_own(caller, refused.key_id)):
            raise
        return ReceiptShape.model_validate(_refused_fields(refused) | _NO_COST)
    hold = receipt.call
    if not (sees_all or _is_own(caller, hold.call.key_id if hold.call else None)):
        raise HoldNotFoundError(call_id)
    return ReceiptShape.model_validate(
        _fields(hold)
        | {
            "lines": [
                ReceiptLine(
                    bucket=line.bucket,
                    tokens=line.tokens,
                    usd_per_token=usd_text(line.price_units),
                    usd=usd_text(line.cost_units),
                    basis="counted" if hold.outcome.counted.because(line.bucket) else "reported",
                    counted_because=hold.outcome.counted.because(line.bucket),
                )
                for line in receipt.lines
            ],
            "provider_cost_usd": usd_text(receipt.provider_cost_units),
            "reported_cost_usd": receipt.reported_cost_usd,
            "credits_per_cent": hold.call.multiplier if hold.call else "",
        }
    )


_NO_COST: dict[str, Any] = {
    "lines": [],
    "provider_cost_usd": "0",
    "reported_cost_usd": None,
    "credits_per_cent": "",
}


def _is_own(caller: Caller, key_id: str | None) -> bool:
    return caller.key is not None and key_id == caller.key.id


def _refused_fields(call: RefusedCall) -> dict[str, Any]:
    return {
        "id": call.reference,
        "key_id": call.key_id,
        "model": call.model,
        "endpoint": call.endpoint,
        "stream": False,
        "state": "refused",
        "status": call.status,
        "error": call.code,
        "reason": call.message,
        "created_at": call.at,
        "closed_at": call.at,
        "latency_ms": 0,
        "first_byte_ms": None,
        "basis": str(Basis.NONE),
        "prompt_tokens": None,
        "completion_tokens": None,
        "units": None,
        "hold": "0",
        "charge": "0",
        "written_off": "0",
    }


def _fields(hold: Hold) -> dict[str, Any]:
    call, outcome = hold.call or Call(model=""), hold.outcome
    return {
        "id": hold.reference,
        "key_id": call.key_id,
        "model": call.model,
        "endpoint": call.endpoint,
        "stream": call.stream,
        "state": str(hold.state),
        "status": outcome.status or None,
        "error": outcome.error,
        "reason": None,
        "created_at": hold.created_at,
        "closed_at": hold.closed_at,
        "latency_ms": outcome.latency_ms,
        "first_byte_ms": outcome.first_byte_ms,
        "basis": str(outcome.basis),
        "prompt_tokens": outcome.usage.prompt_tokens if outcome.usage else None,
        "completion_tokens": outcome.usage.completion_tokens if outcome.usage else None,
        "units": outcome.usage.units if outcome.usage else None,
        "hold": str(hold.amount),
        "charge": str(hold.charged),
        "written_off": str(hold.written_off),
    }
