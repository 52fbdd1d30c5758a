"""Cards that may be charged again, and what their holders agreed to.

A card's number never comes here. The provider gives a code that charges the card for the payer
it belongs to; it is kept encrypted, and used for nothing that its holder has not agreed to.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

MAX_CARDS = 10
"""Of one person. More are of no use, and a list that only grows helps who tries stolen ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReusableCard:
    """The card of a payment, where the provider lets it be charged again.

    Attributes:
        code: What charges it. A secret.
        signature: The same for each payment with this card.
        email: The payer's address that the code belongs to; the code works with no other.
        brand: Such as ``visa``.
        expires: Year and month, ``2030-12``; empty where unknown.
    """

    code: str = field(repr=False)
    signature: str
    email: str
    brand: str
    last4: str
    expires: str = ""
    bank: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCard:
    """A card that its holder wanted to be kept.

    Attributes:
        email: Sent along with each charge, whatever the account's address is by then.
        reference: The payment that its holder let it be kept of.
        sealed: The code that charges it, encrypted; empty once the card is forgotten.
        removed_at: When its holder removed it: from then on it is charged no more.
    """

    id: str
    owner_id: str
    email: str
    signature: str
    brand: str
    last4: str
    expires: str
    bank: str
    reference: str
    sealed: bytes = field(repr=False)
    saved_at: datetime
    removed_at: datetime | None = None

    @property
    def label(self) -> str:
        """What its holder knows it by: ``Visa ending in 4081``."""
        return f"{self.brand.title() or 'Card'} ending in {self.last4}"

    @property
    def seal_context(self) -> str:
        """What the code is sealed for."""
        return f"card:{self.id}"

    def has_expired(self, now: datetime) -> bool:
        """Whether the month printed on it is over."""
        return bool(self.expires) and f"{now:%Y-%m}" > self.expires

    def is_usable(self, now: datetime) -> bool:
        """Whether it may be charged."""
        return self.removed_at is None and bool(self.sealed) and not self.has_expired(now)

    def renewed(self, card: ReusableCard, sealed: bytes, *, reference: str, at: datetime) -> Self:
        """Return it with the newest code, as each payment with a card brings one."""
        return replace(
            self,
            brand=card.brand,
            last4=card.last4,
            expires=card.expires,
            bank=card.bank,
            reference=reference,
            sealed=sealed,
            saved_at=at,
            removed_at=None,
        )

    def remove(self, *, at: datetime) -> Self:
        """Return it as removed; a repeat keeps the first time."""
        return self if self.removed_at else replace(self, removed_at=at)

    def resealed(self, sealed: bytes) -> Self:
        """Return it with its code sealed anew."""
        return replace(self, sealed=sealed)

    def forget(self) -> Self:
        """Return it without the code that charges it."""
        return replace(self, sealed=b"")


class ConsentPurpose(StrEnum):
    """What a customer agreed to."""

    SAVE_CARD = "save_card"
    TOP_UP = "top_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardConsent:
    """What a customer agreed to, in the very words that they read. It is never changed.

    Attributes:
        subject: The payment whose card is to be kept, or the wallet that is topped up.
        text: All of it: who charges which card, when, how much, and how to end it.
        address, user_agent: Where they agreed from.
        withdrawn_at: When they ended it.
    """

    id: str
    person_id: str
    purpose: ConsentPurpose
    subject: str
    text: str
    given_at: datetime
    address: str = ""
    user_agent: str = ""
    withdrawn_at: datetime | None = None


def saving_text(site: str) -> str:
    """Return what a customer agrees to who lets a card be saved."""
    return (
        f"I let {site} keep my card with its payment provider Paystack, to be charged when I "
        "press a button to pay with it, or by an automatic top-up that I turn on myself. The "
        "card number is not kept here. I can remove the card at any time under Billing."
    )
