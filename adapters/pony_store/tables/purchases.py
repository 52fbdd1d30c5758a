"""Purchases in ``transactions``, as the system before this one called payments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pony.orm import desc

from creditcore.domain.errors import PurchaseNotFoundError, ReferenceConflictError
from creditcore.domain.money import Credits, ExchangeRate, Money
from creditcore.domain.payer_details import PayerDetail
from creditcore.domain.purchases import (
    MASK,
    MobilePayer,
    Offer,
    Purchase,
    PurchaseState,
    receipt_code_of,
)
from creditcore.domain.sale_terms import Bought

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session


class PonyPurchases:
    """Every intent to buy, from the offer to its end."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entity = session.db.Purchase

    def add(self, purchase: Purchase) -> None:
        with self._session.translated(taken=ReferenceConflictError(purchase.reference)):
            self._entity(**purchase_columns(purchase)).flush()

    def find(self, reference: str) -> Purchase:
        if not reference or "\0" in reference:
            # No database keeps such a name, so none has to be asked.
            raise PurchaseNotFoundError(reference)
        with self._session.translated():
            row = self._entity.get(paystack_ref=reference)
        if row is None:
            raise PurchaseNotFoundError(reference)
        return purchase_from_row(row)

    def lock(self, reference: str) -> Purchase:
        """Return a purchase, locked until the transaction ends.

        Raises:
            PurchaseNotFoundError: No purchase has this reference.
            StoreBusyError: It was found before in this transaction, and changed since.
        """
        with self._session.translated():
            row = self._entity.get_for_update(paystack_ref=reference)
        if row is None:
            raise PurchaseNotFoundError(reference)
        return purchase_from_row(row)

    def save(self, purchase: Purchase) -> None:
        """Write a changed purchase that ``lock`` returned.

        Raises:
            PurchaseNotFoundError: No purchase has this reference.
        """
        changes = purchase_columns(purchase)
        with self._session.translated():
            row = self._entity.get_for_update(paystack_ref=changes.pop("paystack_ref"))
            if row is not None:
                row.set(**changes)
                row.flush()
        if row is None:
            raise PurchaseNotFoundError(purchase.reference)

    def list_of(
        self, owner_id: str, *, limit: int, before: tuple[datetime, str] | None = None
    ) -> Sequence[Purchase]:
        with self._session.translated():
            query = self._entity.select().filter(owner_id=owner_id)
            if before is not None:
                at, reference = micros(before[0]), before[1]
                query = query.filter(
                    lambda p: (
                        p.created_at < at or (p.created_at == at and p.paystack_ref < reference)
                    )
                )
            rows = list(query.order_by(*self._newest).limit(limit))
        return [purchase_from_row(row) for row in rows]

    def with_number(self, text: str, *, owner_id: str, limit: int) -> Sequence[Purchase]:
        if "\0" in text:
            return []
        # The words of the partial indexes.
        rows = self._session.rows(
            "SELECT * FROM transactions WHERE owner_id = ?"
            " AND provider_id = ? AND provider_id <> ''"
            " UNION SELECT * FROM transactions WHERE owner_id = ?"
            " AND receipt_code = ? AND receipt_code <> ''"
            " ORDER BY created_at DESC, paystack_ref DESC LIMIT ?",
            (owner_id, text, owner_id, receipt_code_of(text), limit),
        )
        return [purchase_from_row(row) for row in rows]

    def bought(self, owner_id: str, *, since: datetime, now: datetime) -> Bought:
        [row] = self._session.rows(
            "SELECT COUNT(*) AS checkouts, COALESCE(SUM(CASE"
            " WHEN state IN ('paid', 'under_review') THEN value_minor_units"
            " WHEN state = 'pending' AND expires_at > ? THEN value_minor_units"
            " ELSE 0 END), 0) AS value FROM transactions WHERE owner_id = ? AND created_at >= ?",
            (micros(now), owner_id, micros(since)),
        )
        return Bought(row.checkouts, Money(int(row.value), "USD"))

    def among(self, references: Collection[str]) -> Mapping[str, Purchase]:
        storable = [name for name in references if name and "\0" not in name]
        rows = self._session.rows_in(
            "SELECT * FROM transactions WHERE paystack_ref IN ({names})", storable
        )
        return {row.paystack_ref: purchase_from_row(row) for row in rows}

    def paid_between(
        self, since: datetime, until: datetime, *, after: str, limit: int
    ) -> Sequence[Purchase]:
        # The words of the partial index.
        rows = self._session.rows(
            "SELECT * FROM transactions WHERE state IN ('paid', 'reversed')"
            " AND created_at >= ? AND created_at < ? AND paystack_ref > ?"
            " ORDER BY paystack_ref LIMIT ?",
            (micros(since), micros(until), after, limit),
        )
        return [purchase_from_row(row) for row in rows]

    def mask_phones(self, *, created_before: datetime, limit: int) -> int:
        rows = self._session.rows(
            "SELECT paystack_ref, network, phone FROM transactions"
            f" WHERE phone <> '' AND substr(phone, 1, 3) <> '{MASK}' AND created_at < ?"
            " ORDER BY created_at LIMIT ?",
            (micros(created_before), limit),
        )
        for row in rows:
            masked = MobilePayer(row.network, row.phone).masked.phone
            self._session.change(
                "UPDATE transactions SET phone = ? WHERE paystack_ref = ?",
                (masked, row.paystack_ref),
            )
        return len(rows)

    def pending(self, *, created_before: datetime, limit: int) -> Sequence[Purchase]:
        before = micros(created_before)
        with self._session.translated():
            # The state stands in the text, so that the partial index of pending ones serves.
            query = self._entity.select(lambda p: p.state == "pending" and p.created_at <= before)
            rows = list(query.order_by(*self._newest).limit(limit))
        return [purchase_from_row(row) for row in rows]

    @property
    def _newest(self) -> tuple[object, ...]:
        return desc(self._entity.created_at), desc(self._entity.paystack_ref)


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
        "network": purchase.payer.network if purchase.payer else "",
        "phone": purchase.payer.phone if purchase.payer else "",
        "display_text": purchase.display_text,
        "checked_at": micros_or_none(purchase.checked_at),
        "card_id": purchase.card_id,
        "asks_for": purchase.asks_for.value if purchase.asks_for else "",
        "receipt_code": purchase.receipt_code,
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
        payer=MobilePayer(row.network, row.phone) if row.network else None,
        display_text=row.display_text,
        checked_at=instant_or_none(row.checked_at),
        card_id=row.card_id,
        asks_for=PayerDetail(row.asks_for) if row.asks_for else None,
        receipt_code=row.receipt_code,
    )


def _rate_from_row(row: Any) -> ExchangeRate | None:
    if row.rate_numerator is None:
        return None
    return ExchangeRate(row.rate_numerator, row.rate_denominator, row.rate_base, row.rate_quote)
