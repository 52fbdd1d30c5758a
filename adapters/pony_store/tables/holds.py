"""Holds in ``usage_logs``: the columns, and a row to a value and back.

The ``*_COLUMNS`` name what the ``*_values`` return, in that order, and the ``*_document`` by name.
A row is anything with the columns as attributes: a Pony entity, or what a ``Session`` returns.
"""

from __future__ import annotations

from typing import Any

from creditcore.domain.counting import Because
from creditcore.domain.counting import Counted as Counting
from creditcore.domain.holds import Basis, Call, Hold, HoldState, Outcome
from creditcore.domain.limits import (
    Counted,
    account_counter_id,
    is_of_account,
    member_counter_id,
    member_of,
)
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Usage

from ..instants import instant, instant_or_none, micros, micros_or_none

CLOSING_COLUMNS = {
    "state": "TEXT",
    "charge": "BIGINT",
    "written_off": "BIGINT",
    "closed_at": "BIGINT",
    "prompt_tokens": "BIGINT",
    "completion_tokens": "BIGINT",
    "cached_tokens": "BIGINT",
    "cache_write_tokens": "BIGINT",
    "cache_write_1h_tokens": "BIGINT",
    "reasoning_tokens": "BIGINT",
    "units": "BIGINT",
    "provider_cost_picodollars": "BIGINT",
    "reported_cost_picodollars": "BIGINT",
    "basis": "TEXT",
    "input_counted": "TEXT",
    "output_counted": "TEXT",
    "status": "BIGINT",
    "error": "TEXT",
    "latency_ms": "BIGINT",
    "first_byte_ms": "BIGINT",
}
"""What closing a hold writes. With the types, which an UPDATE from a list does not know."""

OPENING_COLUMNS = {
    "id": "TEXT",
    "wallet_id": "TEXT",
    "key_id": "TEXT",
    "model": "TEXT",
    "endpoint": "TEXT",
    "stream": "BOOLEAN",
    "prompt_bound": "BIGINT",
    "output_bound": "BIGINT",
    "price_snapshot": "TEXT",
    "multiplier": "TEXT",
    "repeat_id": "TEXT",
    "hold_amount": "BIGINT",
    "created_at": "BIGINT",
    "expires_at": "BIGINT",
    "counter_id": "TEXT",
    "counted_since": "BIGINT",
    "account_counted_since": "BIGINT",
    "member_id": "TEXT",
    "member_counted_since": "BIGINT",
}
"""What making a hold writes; of one that is open, all but ``OPEN``."""

HOLD_COLUMNS = (*OPENING_COLUMNS, *CLOSING_COLUMNS)


OPEN = {
    "state": "'open'",
    "charge": "0",
    "written_off": "0",
    "provider_cost_picodollars": "0",
    "basis": "'none'",
    "status": "0",
    "latency_ms": "0",
}
"""What those have in SQL while a hold is open; the others are null."""

CHANGE_COLUMNS = {
    "id": "TEXT",
    "read_state": "TEXT",
    "read_amount": "BIGINT",
    "read_written_off": "BIGINT",
    "hold_amount": "BIGINT",
    **CLOSING_COLUMNS,
}
"""What changes a hold: its name, what tells that it is as it was read, and what it becomes."""

CHANGED_COLUMNS = ("hold_amount", *CLOSING_COLUMNS)
"""What it becomes."""

_NO_CALL: Any = Call._make([None, *Call(model="")[1:]])


def hold_document(hold: Hold) -> dict[str, object]:
    """Return a row of ``usage_logs`` by column, without most that are null."""
    return opening_document(hold) | _closing_document(hold)


def hold_values(hold: Hold) -> tuple[object, ...]:
    """Return the values of ``HOLD_COLUMNS``."""
    return tuple(map(hold_document(hold).get, HOLD_COLUMNS))


def opening_document(hold: Hold) -> dict[str, object]:
    """Return what making a hold writes. A hold without a call has no model."""
    call = _NO_CALL if hold.call is None else hold.call
    document: dict[str, object] = {
        "id": hold.reference,
        "wallet_id": hold.wallet_id,
        "key_id": call.key_id,
        "model": call.model,
        "endpoint": call.endpoint,
        "stream": call.stream,
        "prompt_bound": call.prompt_bound,
        "output_bound": call.output_bound,
        "price_snapshot": call.price_snapshot,
        "multiplier": call.multiplier,
        "hold_amount": hold.amount.microcredits,
        "created_at": micros(hold.created_at),
        "expires_at": micros(hold.expires_at),
    }
    if call.repeat_id:
        document["repeat_id"] = call.repeat_id
    for counted in hold.counted:
        _add_counted(document, counted)
    return document


def change_document(read: Hold, hold: Hold) -> dict[str, object]:
    """Return what changes a hold, by ``CHANGE_COLUMNS``, without most that are null."""
    document = _closing_document(hold)
    document["id"] = hold.reference
    document["read_state"] = str(read.state)
    document["read_amount"] = read.amount.microcredits
    document["read_written_off"] = read.written_off.microcredits
    document["hold_amount"] = hold.amount.microcredits
    return document


def change_values(read: Hold, hold: Hold) -> tuple[object, ...]:
    """Return the values of ``CHANGE_COLUMNS``."""
    return tuple(map(change_document(read, hold).get, CHANGE_COLUMNS))


def _closing_document(hold: Hold) -> dict[str, object]:
    outcome, usage = hold.outcome, hold.outcome.usage
    document: dict[str, object] = {
        "state": str(hold.state),
        "charge": hold.charged.microcredits,
        "written_off": hold.written_off.microcredits,
        "closed_at": micros_or_none(hold.closed_at),
        "provider_cost_picodollars": outcome.provider_cost_picodollars,
        "reported_cost_picodollars": outcome.reported_cost_picodollars,
        "basis": str(outcome.basis),
        "status": outcome.status,
        "error": outcome.error,
        "latency_ms": outcome.latency_ms,
        "first_byte_ms": outcome.first_byte_ms,
    }
    if usage:
        document["prompt_tokens"] = usage.prompt_tokens
        document["completion_tokens"] = usage.completion_tokens
        document["cached_tokens"] = usage.cached_tokens
        document["cache_write_tokens"] = usage.cache_write_tokens
        document["cache_write_1h_tokens"] = usage.cache_write_1h_tokens
        document["reasoning_tokens"] = usage.reasoning_tokens
        document["units"] = usage.units
    if outcome.counted.input:
        document["input_counted"] = str(outcome.counted.input)
    if outcome.counted.output:
        document["output_counted"] = str(outcome.counted.output)
    return document


def _add_counted(document: dict[str, object], counted: Counted) -> None:
    """Say where a hold counts: for its key, its account or its member.

    Only the first has a name of its own; the others' follow from the row.
    """
    since = micros(counted.since)
    if is_of_account(counted.counter_id):
        document["account_counted_since"] = since
    elif member := member_of(counted.counter_id):
        document["member_id"], document["member_counted_since"] = member, since
    else:
        document["counter_id"], document["counted_since"] = counted.counter_id, since


def _counted_from_row(row: Any) -> tuple[Counted, ...]:
    found: list[Counted] = []
    if row.counter_id is not None:
        found.append(Counted(row.counter_id, instant(row.counted_since)))
    if row.account_counted_since is not None:
        shared = account_counter_id(row.wallet_id)
        found.append(Counted(shared, instant(row.account_counted_since)))
    if row.member_id is not None:
        name = member_counter_id(row.wallet_id, row.member_id)
        found.append(Counted(name, instant(row.member_counted_since)))
    return tuple(found)


def hold_from_row(row: Any) -> Hold:
    """Return the hold of a row."""
    return Hold(
        reference=row.id,
        wallet_id=row.wallet_id,
        amount=Credits(row.hold_amount),
        created_at=instant(row.created_at),
        expires_at=instant(row.expires_at),
        state=HoldState(row.state),
        charged=Credits(row.charge),
        written_off=Credits(row.written_off),
        closed_at=instant_or_none(row.closed_at),
        call=_call_from_row(row),
        outcome=Outcome(
            basis=Basis(row.basis),
            usage=_usage_from_row(row),
            counted=Counting(
                row.input_counted and Because(row.input_counted),
                row.output_counted and Because(row.output_counted),
            ),
            provider_cost_picodollars=row.provider_cost_picodollars,
            reported_cost_picodollars=row.reported_cost_picodollars,
            status=row.status,
            error=row.error,
            latency_ms=row.latency_ms,
            first_byte_ms=row.first_byte_ms,
        ),
        counted=_counted_from_row(row),
    )


def _call_from_row(row: Any) -> Call | None:
    if row.model is None:
        return None
    return Call(
        model=row.model,
        endpoint=row.endpoint,
        stream=bool(row.stream),
        key_id=row.key_id,
        prompt_bound=row.prompt_bound,
        output_bound=row.output_bound,
        price_snapshot=row.price_snapshot,
        multiplier=row.multiplier,
        repeat_id=row.repeat_id,
    )


def _usage_from_row(row: Any) -> Usage | None:
    if row.prompt_tokens is None:
        return None
    return Usage(
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cached_tokens=row.cached_tokens,
        cache_write_tokens=row.cache_write_tokens,
        cache_write_1h_tokens=row.cache_write_1h_tokens,
        reasoning_tokens=row.reasoning_tokens,
        # Calls of earlier releases were sold by tokens alone.
        units=row.units or 0,
    )
