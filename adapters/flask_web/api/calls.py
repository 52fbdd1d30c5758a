"""Calls and their receipts, for programs."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint
from pydantic import AwareDatetime, Field

from adapters.flask_web.api.caller import Caller
from adapters.flask_web.api.operations import ANY_READER, READER, operation
from adapters.flask_web.api.paging import Page, next_cursor
from adapters.flask_web.api.shapes import CallList, CallShape, ReceiptLine, ReceiptShape
from adapters.flask_web.context import services
from creditcore.domain.errors import HoldNotFoundError
from creditcore.domain.holds import Call, Hold, HoldState
from creditcore.domain.keys import Scope
from creditcore.domain.pricing import usd_text
from creditcore.ports.calls import CallFilter

blueprint = Blueprint("api_calls", __name__)


class CallQuery(Page):
    """Which calls."""

    key_id: Annotated[str | None, Field(max_length=64)] = None
    model: Annotated[str | None, Field(max_length=200)] = None
    endpoint: Annotated[str | None, Field(max_length=100)] = None
    state: HoldState | None = None
    failed: bool | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@operation(blueprint, "GET", "/api/v1/calls", scopes=READER, query=CallQuery, answer=CallList)
def list_calls(caller: Caller, query: CallQuery) -> CallList:
    """List calls, newest first, those that failed included."""
    which = CallFilter(
        key_id=query.key_id,
        model=query.model,
        endpoint=query.endpoint,
        state=query.state,
        failed=query.failed,
        since=query.since,
        until=query.until,
    )
    with services().transactions.begin() as tx:
        found = tx.calls.page_of(
            caller.wallet_id, limit=query.limit + 1, which=which, before=query.start
        )
    shown = found[: query.limit]
    more = len(found) > query.limit
    return CallList(
        data=[CallShape.model_validate(_fields(hold)) for hold in shown],
        next_cursor=next_cursor(shown[-1].created_at, shown[-1].reference) if more else None,
    )


@operation(blueprint, "GET", "/api/v1/calls/{call_id}", scopes=ANY_READER, answer=ReceiptShape)
def read_call(caller: Caller, call_id: str) -> ReceiptShape:
    """Show the receipt of one call: how its cost came about.

    A key that is for inference alone sees its own. ``reported_cost_usd`` is what the model
    server says that the call cost, exactly as text, or null where it said nothing. It is shown
    for comparison: nothing is charged by it.
    """
    receipt = services().receipts.write(call_id, wallet_id=caller.wallet_id)
    hold = receipt.call
    if not (caller.may(Scope.ACCOUNT_READ) or caller.may(Scope.ACCOUNT_MANAGE)):
        own = caller.key is not None and hold.call and hold.call.key_id == caller.key.id
        if not own:
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
                )
                for line in receipt.lines
            ],
            "provider_cost_usd": usd_text(receipt.provider_cost_units),
            "reported_cost_usd": receipt.reported_cost_usd,
            "credits_per_cent": hold.call.multiplier if hold.call else "",
        }
    )


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
        "created_at": hold.created_at,
        "closed_at": hold.closed_at,
        "latency_ms": outcome.latency_ms,
        "first_byte_ms": outcome.first_byte_ms,
        "basis": str(outcome.basis),
        "prompt_tokens": outcome.usage.prompt_tokens if outcome.usage else None,
        "completion_tokens": outcome.usage.completion_tokens if outcome.usage else None,
        "hold": str(hold.amount),
        "charge": str(hold.charged),
        "written_off": str(hold.written_off),
    }
