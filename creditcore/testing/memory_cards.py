"""Saved cards, standing orders for top-ups, and a provider that charges cards, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from creditcore.domain.errors import (
    CardNotFoundError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    ReferenceConflictError,
)
from creditcore.domain.ledger import Wallet
from creditcore.domain.purchases import Payment, PaymentStatus
from creditcore.domain.saved_cards import CardConsent, ConsentPurpose, SavedCard
from creditcore.domain.top_ups import TopUp, TopUpOrder
from creditcore.ports.card_gateway import CardCharge, CardChargeRequest


@dataclass
class MemorySavedCards:
    """Cards and consents by id."""

    cards: dict[str, SavedCard]
    consents: dict[str, CardConsent]

    def save(self, card: SavedCard) -> None:
        alike = self.find_alike(card.owner_id, email=card.email, signature=card.signature)
        if alike is not None and alike.id != card.id:
            raise ReferenceConflictError(card.id)
        self.cards[card.id] = card

    def find(self, card_id: str, *, owner_id: str) -> SavedCard:
        card = self.cards.get(card_id)
        if card is None or card.owner_id != owner_id:
            raise CardNotFoundError(card_id)
        return card

    def lock(self, card_id: str, *, owner_id: str) -> SavedCard:
        return self.find(card_id, owner_id=owner_id)

    def of(self, owner_id: str) -> Sequence[SavedCard]:
        found = [
            card
            for card in self.cards.values()
            if card.owner_id == owner_id and card.removed_at is None
        ]
        return sorted(found, key=lambda card: (card.saved_at, card.id), reverse=True)

    def sealed_after(self, card_id: str, *, limit: int) -> Sequence[SavedCard]:
        """Return cards whose code is kept, by their ids."""
        found = [card for card in self.cards.values() if card.sealed and card.id > card_id]
        return sorted(found, key=lambda card: card.id)[:limit]

    def find_alike(self, owner_id: str, *, email: str, signature: str) -> SavedCard | None:
        wanted = (owner_id, email, signature)
        return next(
            (
                card
                for card in self.cards.values()
                if (card.owner_id, card.email, card.signature) == wanted
            ),
            None,
        )

    def add_consent(self, consent: CardConsent) -> None:
        """Keep a consent, unless one of the same subject is in force."""
        if self.consent_to(consent.purpose, consent.subject) is None:
            self.consents[consent.id] = consent

    def consent_to(self, purpose: ConsentPurpose, subject: str) -> CardConsent | None:
        wanted = (purpose, subject, None)
        return next(
            (
                row
                for row in self.consents.values()
                if (row.purpose, row.subject, row.withdrawn_at) == wanted
            ),
            None,
        )

    def withdraw(self, purpose: ConsentPurpose, subject: str, *, at: datetime) -> None:
        if consent := self.consent_to(purpose, subject):
            self.consents[consent.id] = replace(consent, withdrawn_at=at)

    def consents_of(self, person_id: str) -> Sequence[CardConsent]:
        found = [row for row in self.consents.values() if row.person_id == person_id]
        return sorted(found, key=lambda row: (row.given_at, row.id), reverse=True)


@dataclass
class MemoryTopUps:
    """Orders by wallet, and attempts by reference."""

    orders: dict[str, TopUpOrder]
    attempts: dict[str, TopUp]
    wallets: Mapping[str, Wallet]

    def find(self, wallet_id: str) -> TopUpOrder | None:
        return self.orders.get(wallet_id)

    def lock(self, wallet_id: str) -> TopUpOrder | None:
        return self.orders.get(wallet_id)

    def save(self, order: TopUpOrder) -> None:
        self.orders[order.wallet_id] = order

    def due(self, *, now: datetime, limit: int) -> Sequence[str]:
        found = [
            name for name, order in self.orders.items() if order.is_due(self.wallets[name], now)
        ]
        return sorted(found)[:limit]

    def by_card(self, card_id: str) -> Sequence[str]:
        return sorted(name for name, order in self.orders.items() if order.card_id == card_id)

    def add(self, top_up: TopUp) -> None:
        numbers = {(row.wallet_id, row.number) for row in self.attempts.values()}
        if top_up.reference in self.attempts or (top_up.wallet_id, top_up.number) in numbers:
            raise ReferenceConflictError(top_up.reference)
        self.attempts[top_up.reference] = top_up

    def attempt(self, reference: str) -> TopUp | None:
        return self.attempts.get(reference)

    def mark(self, reference: str, *, failed: bool) -> None:
        self.attempts[reference] = replace(self.attempts[reference], failed=failed)

    def recent(self, wallet_id: str, *, since: datetime) -> Sequence[TopUp]:
        found = [
            row
            for row in self.attempts.values()
            if row.wallet_id == wallet_id and row.begun_at >= since
        ]
        return sorted(found, key=lambda row: row.number)


@dataclass
class MemoryCardGateway:
    """A provider that charges cards as it is told.

    Attributes:
        payments: What verifying finds afterwards, by reference.
        answer: What it says to the next charges.
        refusal: Why it refuses them, if it does.
        is_silent: Whether its answers get lost, though the work is done.
        is_deaf: Whether requests get lost on their way.
        charged: Every request that arrived.
        forgotten: Codes that charge nothing any more.
    """

    payments: dict[str, Payment]
    answer: CardCharge = field(default=CardCharge(status=PaymentStatus.SUCCEEDED))
    refusal: str = ""
    is_silent: bool = False
    is_deaf: bool = False
    charged: list[CardChargeRequest] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def charge_card(self, request: CardChargeRequest) -> CardCharge:
        if self.is_deaf:
            raise PaymentGatewayUnavailableError("The request was lost.")
        self.charged.append(request)
        if self.refusal or request.code in self.forgotten:
            raise PaymentRejectedError(self.refusal or "Authorization code is invalid")
        self.payments[request.reference] = Payment(
            reference=request.reference,
            status=self.answer.status,
            amount=request.amount,
            provider_id=f"8{len(self.charged)}",
            channel="card",
            message=self.answer.message,
        )
        if self.is_silent:
            raise PaymentGatewayUnavailableError("The answer was lost.")
        return self.answer

    def forget_card(self, code: str) -> None:
        if self.is_deaf:
            raise PaymentGatewayUnavailableError("The request was lost.")
        self.forgotten.append(code)
