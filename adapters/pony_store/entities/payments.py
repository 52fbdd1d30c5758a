"""Purchases, refunds, reviews, documents and the events of the payment provider."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class Purchase(entity):
        """A payment, from the offer to its end."""

        _table_ = "transactions"
        paystack_ref = PrimaryKey(str, autostrip=False)
        owner_id = Required(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        email = Optional(str, autostrip=False)
        value_minor_units = Required(int, size=64)
        value_currency = Required(str)
        price_minor_units = Required(int, size=64)
        price_currency = Required(str)
        rate_numerator = Optional(int, size=64)
        rate_denominator = Optional(int, size=64)
        rate_base = Optional(str, nullable=True)
        rate_quote = Optional(str, nullable=True)
        sold = Required(int, size=64)
        bonus = Required(int, size=64)
        state = Required(str)
        checkout_url = Optional(str, autostrip=False)
        paid_minor_units = Optional(int, size=64)
        paid_currency = Optional(str, nullable=True)
        provider_id = Optional(str, autostrip=False)
        channel = Optional(str, autostrip=False)
        review_reason = Optional(str, autostrip=False)
        created_at = Required(int, size=64)
        expires_at = Required(int, size=64)
        closed_at = Optional(int, size=64)
        network = Optional(str, autostrip=False)
        phone = Optional(str, autostrip=False)
        display_text = Optional(str, autostrip=False)
        checked_at = Optional(int, size=64)
        card_id = Optional(str, autostrip=False)
        asks_for = Optional(str, autostrip=False)
        receipt_code = Optional(str, autostrip=False)

    class Refund(entity):
        """Money that goes back: a refund, or a dispute."""

        _table_ = "refunds"
        id = PrimaryKey(str, autostrip=False)
        purchase_ref = Required(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        kind = Required(str)
        state = Required(str)
        minor_units = Required(int, size=64)
        currency = Required(str)
        credits = Required(int, size=64)
        provider_id = Optional(str, autostrip=False, nullable=True)
        reason = Optional(str, autostrip=False)
        by_provider = Required(bool)
        turns = Required(int, size=64)
        created_at = Required(int, size=64)
        updated_at = Required(int, size=64)

    class PaymentReview(entity):
        """A payment that a person has to decide about."""

        _table_ = "payment_reviews"
        reference = PrimaryKey(str, autostrip=False)
        kind = Required(str)
        minor_units = Required(int, size=64)
        currency = Required(str)
        provider_id = Optional(str, autostrip=False)
        reason = Optional(str, autostrip=False)
        state = Required(str)
        resolution = Optional(str, autostrip=False)
        opened_at = Required(int, size=64)
        closed_at = Optional(int, size=64)

    class Document(entity):
        """A receipt or a credit note."""

        _table_ = "documents"
        kind = Required(str)
        number = Required(int, size=64)
        PrimaryKey(kind, number)
        reference = Required(str, autostrip=False)
        purchase_ref = Required(str, autostrip=False)
        owner_id = Required(str, autostrip=False)
        original = Optional(int, size=64)
        issued_at = Required(int, size=64)
        minor_units = Required(int, size=64)
        currency = Required(str)
        tax_rate = Required(int, size=64)
        tax_minor_units = Required(int, size=64)
        details = Required(str, autostrip=False)

    class FiscalStamp(entity):
        """What a tax authority's device said of a document; at most one for each."""

        _table_ = "fiscal_stamps"
        kind = Required(str)
        number = Required(int, size=64)
        PrimaryKey(kind, number)
        control_unit = Optional(str, autostrip=False)
        invoice_number = Required(str, autostrip=False)
        internal_data = Optional(str, autostrip=False)
        signature = Optional(str, autostrip=False)
        signed_at = Required(int, size=64)
        qr = Optional(str, autostrip=False)

    class DocumentNumber(entity):
        """The latest number of a sequence; locked by the transaction that takes the next."""

        _table_ = "document_numbers"
        kind = PrimaryKey(str)
        latest = Required(int, size=64)

    class PaymentEvent(entity):
        _table_ = "payment_events"
        digest = PrimaryKey(str, autostrip=False)
        kind = Required(str)
        name = Optional(str, autostrip=False)
        reference = Optional(str, autostrip=False)
        body = Optional(str, autostrip=False)
        received_at = Required(int, size=64)
        deliveries = Required(int, size=64)
        attempts = Required(int, size=64)
        due_at = Optional(int, size=64)
        reduced_at = Optional(int, size=64)
