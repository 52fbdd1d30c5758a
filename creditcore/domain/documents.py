"""Receipts and credit notes: what was sold to whom, for how much, and the tax in it.

Each kind is one sequence without gaps. A document is never changed: seller, buyer and rate stand
in it as they were. Prices include the tax, so it is taken out of what was paid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import Money, decimal_ratio
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.domain.refunds import Refund, RefundState

_MAX_DIGITS = 18
"""More would be no number of 64 bits."""


class DocumentKind(StrEnum):
    """Which sequence a document stands in."""

    RECEIPT = "receipt"
    CREDIT_NOTE = "credit_note"

    @property
    def prefix(self) -> str:
        """What its numbers begin with."""
        return "R" if self is DocumentKind.RECEIPT else "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Who sells, as it stands on documents.

    Attributes:
        tax_number: The number of the seller's tax registration, where there is one.
        tax_rates: Tax in the price, by currency, in hundredths of a per cent; a currency
            without one is sold without tax.
        stamped_since: From when on a tax authority's device has to stamp what was sold, by
            currency.
    """

    name: str
    address: str = ""
    tax_number: str = ""
    tax_rates: Mapping[str, int] = field(default_factory=dict)
    stamped_since: Mapping[str, datetime] = field(default_factory=dict)

    def needs_stamp(self, currency: str, at: datetime) -> bool:
        """Whether a document in this currency, issued then, has to be stamped."""
        since = self.stamped_since.get(currency)
        return since is not None and since <= at


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A receipt or a credit note.

    Attributes:
        number: Its place in the sequence of its kind, from 1 without gaps.
        reference: The purchase that it is of, or the refund.
        purchase: The purchase's reference, on a credit note too.
        original: On a credit note: the number of the receipt that it corrects.
        gross: What was paid, or went back, tax included.
        tax_rate: In hundredths of a per cent; ``tax`` is its share of ``gross``.
        details: What else is printed: seller, buyer, channel, provider's number, mobile
            network's code, rate and credits, as they were.
    """

    kind: DocumentKind
    number: int
    reference: str
    purchase: str
    owner_id: str
    original: int | None
    issued_at: datetime
    gross: Money
    tax_rate: int
    tax: Money
    details: Mapping[str, str]

    @property
    def name(self) -> str:
        """The number as it is printed, such as ``R-000042``."""
        return f"{self.kind.prefix}-{self.number:06d}"

    @property
    def net(self) -> Money:
        """The amount without its tax."""
        return self.gross - self.tax

    @property
    def buyer_lines(self) -> Sequence[str]:
        """Whom it is made out to, line by line: first a company, then who bought for it."""
        company, name, address, tax_number, email = (
            self.details.get(f"buyer_{part}", "")
            for part in ("company", "name", "address", "tax_number", "email")
        )
        lines = [
            company,
            "" if name == company else name,
            address,
            f"Tax number {tax_number}" if tax_number else "",
            email,
        ]
        return [line for line in lines if line]

    @property
    def rate_text(self) -> str:
        """The tax rate in per cent, such as ``7.5``."""
        return f"{self.tax_rate // 100}.{self.tax_rate % 100:02d}".rstrip("0").rstrip(".")


def parse_document_name(text: str) -> tuple[DocumentKind, int]:
    """Read the number of a document as it is printed, such as ``R-000042``.

    Raises:
        InvalidRequestError: It is none.
    """
    prefix, _, digits = text.strip().partition("-")
    for kind in DocumentKind:
        if prefix == kind.prefix and digits.isdecimal() and len(digits) <= _MAX_DIGITS:
            return kind, int(digits)
    raise InvalidRequestError(
        f"{text!r} is no number of a receipt or credit note, such as R-000042 or C-000007."
    )


def tax_in(gross: Money, tax_rate: int) -> Money:
    """Return the tax that an amount includes, rounded half up to the minor unit."""
    divisor = 10_000 + tax_rate
    return Money((2 * gross.minor_units * tax_rate + divisor) // (2 * divisor), gross.currency)


def parse_tax_rates(text: str) -> dict[str, int]:
    """Read rates such as ``KES=16,NGN=7.5``, in per cent.

    Raises:
        ValueError: It is no list of currencies with a rate of 0 to 100 per cent.
    """
    rates = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        currency, _, percent = part.partition("=")
        numerator, denominator = decimal_ratio(percent.strip())
        rate, rest = divmod(numerator * 100, denominator)
        currency = currency.strip()
        if rest or not 0 <= rate <= 10_000 or len(currency) != 3 or not currency.isupper():
            raise ValueError(f"not a currency with a tax rate in per cent: {part!r}")
        rates[currency] = rate
    return rates


def receipt_of(
    purchase: Purchase, *, number: int, seller: Seller, buyer: Mapping[str, str], at: datetime
) -> Document:
    """Return the receipt of a purchase.

    Raises:
        InvalidRequestError: Nothing was credited, so there is nothing to receipt.
    """
    credited = (PurchaseState.PAID, PurchaseState.REVERSED)
    if purchase.state not in credited or purchase.paid is None:
        raise InvalidRequestError(f"Payment {purchase.reference} has no receipt: it is not paid.")
    offer = purchase.offer
    rate = seller.tax_rates.get(purchase.paid.currency, 0)
    details = {
        **_parties(seller, buyer),
        "value": str(offer.value),
        "rate": f"{offer.rate} {offer.rate.quote} per {offer.rate.base}" if offer.rate else "",
        "credits": str(offer.credits),
        "channel": purchase.channel,
        "provider_id": purchase.provider_id,
        "receipt_code": purchase.receipt_code,
        "paid_at": (purchase.closed_at or at).isoformat(),
    }
    return Document(
        kind=DocumentKind.RECEIPT,
        number=number,
        reference=purchase.reference,
        purchase=purchase.reference,
        owner_id=purchase.owner_id,
        original=None,
        issued_at=at,
        gross=purchase.paid,
        tax_rate=rate,
        tax=tax_in(purchase.paid, rate),
        details=details,
    )


def credit_note_of(
    refund: Refund, receipt: Document, *, number: int, refunded_before: Money, at: datetime
) -> Document:
    """Return the credit note of money that went back.

    Its tax is what the refunds so far include less what those before included, so that all
    credit notes of a receipt add up to its tax.

    Raises:
        InvalidRequestError: The money has not gone back for good.
    """
    if refund.state is not RefundState.PROCESSED:
        raise InvalidRequestError(f"Refund {refund.id} is {refund.state}: no credit note yet.")
    together = refunded_before + refund.amount
    tax = tax_in(together, receipt.tax_rate) - tax_in(refunded_before, receipt.tax_rate)
    return Document(
        kind=DocumentKind.CREDIT_NOTE,
        number=number,
        reference=refund.id,
        purchase=refund.purchase,
        owner_id=receipt.owner_id,
        original=receipt.number,
        issued_at=at,
        gross=refund.amount,
        tax_rate=receipt.tax_rate,
        tax=tax,
        details={
            **{name: text for name, text in receipt.details.items() if name in _PARTIES},
            "credits": str(refund.credits),
            "provider_id": refund.provider_id,
            "reason": refund.reason,
        },
    )


_PARTIES = (
    "seller_name",
    "seller_address",
    "seller_tax_number",
    "buyer_name",
    "buyer_email",
    "buyer_company",
    "buyer_address",
    "buyer_tax_number",
)


def _parties(seller: Seller, buyer: Mapping[str, str]) -> dict[str, str]:
    return {
        "seller_name": seller.name,
        "seller_address": seller.address,
        "seller_tax_number": seller.tax_number,
        "buyer_name": buyer.get("name", ""),
        "buyer_email": buyer.get("email", ""),
        "buyer_company": buyer.get("company", ""),
        "buyer_address": buyer.get("address", ""),
        "buyer_tax_number": buyer.get("tax_number", ""),
    }
