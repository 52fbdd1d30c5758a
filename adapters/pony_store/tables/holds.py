"""Holds in ``usage_logs``: the columns, and a row to a value and back.

The ``*_COLUMNS`` name what the ``*_values`` beside them return, in that order. A row is anything
with the columns as attributes: a Pony entity, or what a ``Session`` returns.
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

HOLD_COLUMNS = (
    "id",
    "wallet_id",
    "key_id",
    "model",
    "endpoint",
    "stream",
    "prompt_bound",
    "output_bound",
    "price_snapshot",
    "multiplier",
    "hold_amount",
    "created_at",
    "expires_at",
    "counter_id",
    "counted_since",
    "account_counted_since",
    "member_id",
    "member_counted_since",
    *CLOSING_COLUMNS,
)


def closing_values(hold: Hold) -> tuple[object, ...]:
    """Return the part of a row of ``usage_logs`` that closing a hold writes."""
    outcome, usage = hold.outcome, hold.outcome.usage
    return (
        str(hold.state),
        hold.charged.microcredits,
        hold.written_off.microcredits,
        micros_or_none(hold.closed_at),
        usage.prompt_tokens if usage else None,
        usage.completion_tokens if usage else None,
        usage.cached_tokens if usage else None,
        usage.cache_write_tokens if usage else None,
        usage.cache_write_1h_tokens if usage else None,
        usage.reasoning_tokens if usage else None,
        usage.units if usage else None,
        outcome.provider_cost_picodollars,
        outcome.reported_cost_picodollars,
        str(outcome.basis),
        outcome.counted.input and str(outcome.counted.input),
        outcome.counted.output and str(outcome.counted.output),
        outcome.status,
        outcome.error,
        outcome.latency_ms,
        outcome.first_byte_ms,
    )


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


def change_values(read: Hold, hold: Hold) -> tuple[object, ...]:
    """Return the values of ``CHANGE_COLUMNS``."""
    return (
        hold.reference,
        str(read.state),
        read.amount.microcredits,
        read.written_off.microcredits,
        hold.amount.microcredits,
        *closing_values(hold),
    )


def hold_values(hold: Hold) -> tuple[object, ...]:
    """Return a row of ``usage_logs``. A hold without a call has no model."""
    return (*_opening_values(hold), *closing_values(hold))


def new_hold_values(hold: Hold) -> tuple[object, ...]:
    """Return the same, without its end where that is as ``OPEN`` says: each call sends one."""
    return _opening_values(hold) if hold.is_open else hold_values(hold)


def _opening_values(hold: Hold) -> tuple[object, ...]:
    call = hold.call
    return (
        hold.reference,
        hold.wallet_id,
        call.key_id if call else None,
        call.model if call else None,
        call.endpoint if call else "",
        call.stream if call else False,
        call.prompt_bound if call else 0,
        call.output_bound if call else 0,
        call.price_snapshot if call else None,
        call.multiplier if call else "",
        hold.amount.microcredits,
        micros(hold.created_at),
        micros(hold.expires_at),
        *(_counted_values(hold.counted) if hold.counted else (None,) * 5),
    )


def _counted_values(counted: tuple[Counted, ...]) -> tuple[object, ...]:
    """Return where a hold counts: for its key, its account and its member.

    Only the first has a name of its own; the others' follow from the row.
    """
    key = account = member = None
    for each in counted:
        if is_of_account(each.counter_id):
            account = each
        elif member_of(each.counter_id) is not None:
            member = each
        else:
            key = each
    return (
        key.counter_id if key else None,
        micros(key.since) if key else None,
        micros(account.since) if account else None,
        member_of(member.counter_id) if member else None,
        micros(member.since) if member else None,
    )


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
