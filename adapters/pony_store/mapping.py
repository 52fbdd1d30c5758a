"""Rows to domain values and back.

A row is anything with the columns as attributes: a Pony entity, or what a ``Session``
returns. The ``*_COLUMNS`` name what the ``*_values`` beside them return, in that order.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.holds import Basis, Call, Hold, HoldState, Outcome
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Transfer, TransferKind, Wallet
from creditcore.domain.money import Credits, ExchangeRate, Money
from creditcore.domain.people import Person, Role
from creditcore.domain.pricing import ModelPrice, Rates, Tier, Usage
from creditcore.domain.purchases import Offer, Purchase, PurchaseState
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Return an aware instant as microseconds since 1970 in UTC, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(micros: int) -> datetime:
    """Return the instant in UTC."""
    return _EPOCH + micros * _MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    """Return an instant as microseconds, where there is one."""
    return None if at is None else micros(at)


def instant_or_none(at: int | None) -> datetime | None:
    """Return the instant in UTC, where there is one."""
    return None if at is None else instant(at)


WALLET_COLUMNS = ("id", "owner_id", "posted", "held")


def wallet_values(wallet: Wallet) -> tuple[object, ...]:
    """Return a row of ``wallets``."""
    return (wallet.id, wallet.owner_id, wallet.posted.microcredits, wallet.held.microcredits)


BALANCE_COLUMNS = {
    "id": "TEXT",
    "read_posted": "BIGINT",
    "read_held": "BIGINT",
    "posted": "BIGINT",
    "held": "BIGINT",
}
"""What changes a wallet: its name, what tells that it is as it was read, and what it becomes."""


def balance_values(read: Wallet, wallet: Wallet) -> tuple[object, ...]:
    """Return the values of ``BALANCE_COLUMNS``."""
    return (
        wallet.id,
        read.posted.microcredits,
        read.held.microcredits,
        wallet.posted.microcredits,
        wallet.held.microcredits,
    )


def wallet_from_row(row: Any) -> Wallet:
    """Return the wallet of a row."""
    return Wallet(
        id=row.id, owner_id=row.owner_id, posted=Credits(row.posted), held=Credits(row.held)
    )


TRANSFER_COLUMNS = (
    "reference",
    "wallet_id",
    "from_account",
    "to_account",
    "amount",
    "kind",
    "at",
    "note",
)


def transfer_values(transfer: Transfer) -> tuple[object, ...]:
    """Return a row of ``transfers``."""
    return (
        transfer.reference,
        transfer.wallet_id,
        # The drivers do not know a StrEnum; str() is quicker than its value.
        str(transfer.from_account),
        str(transfer.to_account),
        transfer.amount.microcredits,
        str(transfer.kind),
        micros(transfer.at),
        transfer.note,
    )


def transfer_from_row(row: Any) -> Transfer:
    """Return the transfer of a row."""
    return Transfer(
        wallet_id=row.wallet_id,
        from_account=row.from_account,
        to_account=row.to_account,
        amount=Credits(row.amount),
        kind=TransferKind(row.kind),
        reference=row.reference,
        at=instant(row.at),
        note=row.note,
    )


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
    "provider_cost_picodollars": "BIGINT",
    "reported_cost_picodollars": "BIGINT",
    "basis": "TEXT",
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
        outcome.provider_cost_picodollars,
        outcome.reported_cost_picodollars,
        str(outcome.basis),
        outcome.status,
        outcome.error,
        outcome.latency_ms,
        outcome.first_byte_ms,
    )


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
        *closing_values(hold),
    )


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
            provider_cost_picodollars=row.provider_cost_picodollars,
            reported_cost_picodollars=row.reported_cost_picodollars,
            status=row.status,
            error=row.error,
            latency_ms=row.latency_ms,
            first_byte_ms=row.first_byte_ms,
        ),
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
    )


KEY_COLUMNS = (
    "id",
    "wallet_id",
    "owner_id",
    "name",
    "prefix",
    "last_four",
    "key_hash",
    "created_at",
    "expires_at",
    "revoked_at",
)


TERM_COLUMNS = ("id", "wallet_id", "expires_at", "revoked_at")
"""What decides whether a key opens a wallet."""


def term_values(key: ApiKey) -> tuple[object, ...]:
    """Return the values of ``TERM_COLUMNS``."""
    return (
        key.id,
        key.wallet_id,
        micros_or_none(key.expires_at),
        micros_or_none(key.revoked_at),
    )


def key_columns(key: ApiKey) -> dict[str, object]:
    """Return a row of ``virtual_keys``."""
    return {
        "id": key.id,
        "wallet_id": key.wallet_id,
        "owner_id": key.owner_id,
        "name": key.name,
        "prefix": key.prefix,
        "last_four": key.last_four,
        "key_hash": key.key_hash,
        "created_at": micros(key.created_at),
        "expires_at": micros_or_none(key.expires_at),
        "revoked_at": micros_or_none(key.revoked_at),
    }


def key_from_row(row: Any) -> ApiKey:
    """Return the API key of a row."""
    return ApiKey(
        id=row.id,
        wallet_id=row.wallet_id,
        owner_id=row.owner_id,
        name=row.name,
        prefix=row.prefix,
        last_four=row.last_four,
        # psycopg2 returns a memoryview.
        key_hash=bytes(row.key_hash),
        created_at=instant(row.created_at),
        expires_at=instant_or_none(row.expires_at),
        revoked_at=instant_or_none(row.revoked_at),
    )


def purchase_columns(purchase: Purchase) -> dict[str, object]:
    """Return a row of ``transactions``."""
    offer, rate, paid = purchase.offer, purchase.offer.rate, purchase.paid
    return {
        "paystack_ref": purchase.reference,
        "owner_id": purchase.owner_id,
        "wallet_id": purchase.wallet_id,
        "email": purchase.email,
        "value_minor_units": offer.value.minor_units,
        "value_currency": offer.value.currency,
        "price_minor_units": offer.price.minor_units,
        "price_currency": offer.price.currency,
        "rate_numerator": rate.numerator if rate else None,
        "rate_denominator": rate.denominator if rate else None,
        "rate_base": rate.base if rate else None,
        "rate_quote": rate.quote if rate else None,
        "sold": offer.sold.microcredits,
        "bonus": offer.bonus.microcredits,
        "state": purchase.state.value,
        "checkout_url": purchase.checkout_url,
        "paid_minor_units": paid.minor_units if paid else None,
        "paid_currency": paid.currency if paid else None,
        "provider_id": purchase.provider_id,
        "channel": purchase.channel,
        "review_reason": purchase.review_reason,
        "created_at": micros(purchase.created_at),
        "expires_at": micros(purchase.expires_at),
        "closed_at": micros_or_none(purchase.closed_at),
    }


def purchase_from_row(row: Any) -> Purchase:
    """Return the purchase of a row."""
    return Purchase(
        reference=row.paystack_ref,
        owner_id=row.owner_id,
        wallet_id=row.wallet_id,
        email=row.email,
        offer=Offer(
            value=Money(row.value_minor_units, row.value_currency),
            price=Money(row.price_minor_units, row.price_currency),
            rate=_rate_from_row(row),
            sold=Credits(row.sold),
            bonus=Credits(row.bonus),
        ),
        created_at=instant(row.created_at),
        expires_at=instant(row.expires_at),
        state=PurchaseState(row.state),
        checkout_url=row.checkout_url,
        paid=(
            None if row.paid_minor_units is None else Money(row.paid_minor_units, row.paid_currency)
        ),
        provider_id=row.provider_id,
        channel=row.channel,
        review_reason=row.review_reason,
        closed_at=instant_or_none(row.closed_at),
    )


def _rate_from_row(row: Any) -> ExchangeRate | None:
    if row.rate_numerator is None:
        return None
    return ExchangeRate(row.rate_numerator, row.rate_denominator, row.rate_base, row.rate_quote)


KIND_OF_PAID_BEFORE = "charge.success"
"""What processes of before migration 0007 write for a payment, until they are replaced."""

PAYMENT_EVENT_COLUMNS = (
    "digest",
    "kind",
    "name",
    "reference",
    "body",
    "received_at",
    "deliveries",
    "attempts",
    "due_at",
)


def payment_event_values(event: PaymentEvent) -> tuple[object, ...]:
    """Return a row of ``payment_events``."""
    return (
        event.digest,
        event.kind.value,
        event.name,
        event.reference,
        event.body,
        micros(event.received_at),
        event.deliveries,
        event.attempts,
        micros_or_none(event.due_at),
    )


def payment_event_from_row(row: Any) -> PaymentEvent:
    """Return the webhook of a row."""
    return PaymentEvent(
        digest=row.digest,
        kind=_event_kind(row.kind),
        name=row.name,
        reference=row.reference,
        body=row.body,
        received_at=instant(row.received_at),
        deliveries=row.deliveries,
        attempts=row.attempts,
        due_at=instant_or_none(row.due_at),
    )


def _event_kind(text: str) -> EventKind:
    if text == KIND_OF_PAID_BEFORE:
        return EventKind.PAID
    return EventKind(text) if text in set(EventKind) else EventKind.OTHER


def person_columns(person: Person) -> dict[str, object]:
    """Return a row of ``profiles``."""
    return {
        "id": person.id,
        "email": person.email,
        "role": person.role.value,
        "blocked": person.blocked,
        "session_epoch": person.session_epoch,
        "created_at": micros(person.created_at),
    }


def person_from_row(row: Any) -> Person:
    """Return the person of a row."""
    return Person(
        id=row.id,
        email=row.email,
        created_at=instant(row.created_at),
        role=Role(row.role),
        blocked=row.blocked,
        session_epoch=row.session_epoch,
    )


PRICE_COLUMNS = (
    "model",
    "rates",
    "tiers",
    "max_input_tokens",
    "max_output_tokens",
    "mode",
    "updated_at",
)
_RATES = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning")


def price_values(price: ModelPrice, *, at: datetime) -> tuple[object, ...]:
    """Return a row of ``models``."""
    return (
        price.model,
        *_rates_columns(price),
        price.max_input_tokens,
        price.max_output_tokens,
        price.mode,
        micros(at),
    )


def price_from_row(row: Any) -> ModelPrice:
    """Return the price of a row."""
    return replace(
        snapshot_from_row(row),
        max_input_tokens=row.max_input_tokens,
        max_output_tokens=row.max_output_tokens,
        mode=row.mode,
    )


SNAPSHOT_COLUMNS = ("id", "model", "rates", "tiers", "first_seen_at")


def snapshot_values(price: ModelPrice, *, at: datetime) -> tuple[object, ...]:
    """Return a row of ``price_snapshots``."""
    return (price.snapshot, price.model, *_rates_columns(price), micros(at))


def snapshot_from_row(row: Any) -> ModelPrice:
    """Return the rates of a row, without the model's limits."""
    tiers = tuple(
        Tier(tier["above_prompt_tokens"], _rates_from_document(tier["rates"]))
        for tier in json.loads(row.tiers)
    )
    rates = _rates_from_document(json.loads(row.rates))
    return ModelPrice(model=row.model, rates=rates, tiers=tiers)


def _rates_columns(price: ModelPrice) -> tuple[str, str]:
    tiers = [
        {"above_prompt_tokens": tier.above_prompt_tokens, "rates": _rates_document(tier.rates)}
        for tier in price.tiers
    ]
    return json.dumps(_rates_document(price.rates)), json.dumps(tiers)


def _rates_document(rates: Rates) -> dict[str, str]:
    # As text: a rate has up to 36 digits, and readers other than Python round such numbers.
    return {name: str(getattr(rates, name)) for name in _RATES}


def _rates_from_document(document: dict[str, str]) -> Rates:
    return Rates(**{name: int(document[name]) for name in _RATES})


ALERT_COLUMNS = ("key", "severity", "subject", "message", "at")


def alert_values(alert: Alert) -> tuple[object, ...]:
    """Return a row of ``system_alerts``."""
    return (alert.key, alert.severity.value, alert.subject, alert.message, micros(alert.at))


def alert_from_row(row: Any) -> Alert:
    """Return the alert of a row."""
    return Alert(
        key=row.key,
        severity=Severity(row.severity),
        subject=row.subject,
        message=row.message,
        at=instant(row.at),
    )
