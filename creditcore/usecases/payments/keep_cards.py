"""Keep the cards that people want to be kept, and forget them when they do not any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.errors import CardNotFoundError, InvalidRequestError
from creditcore.domain.jobs import Job
from creditcore.domain.people import Person
from creditcore.domain.purchases import Payment, Purchase, PurchaseState
from creditcore.domain.refunds import Refund
from creditcore.domain.saved_cards import (
    MAX_CARDS,
    CardConsent,
    ConsentPurpose,
    ReusableCard,
    SavedCard,
    saving_text,
)
from creditcore.domain.top_ups import TopUpState
from creditcore.ports.card_gateway import CardGateway
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.payment_followers import FollowedTransaction
from creditcore.ports.store_ports import (
    Commits,
    HasActivity,
    HasCards,
    HasJobs,
    HasPurchases,
    HasTopUps,
)
from creditcore.ports.transactions import Begins
from creditcore.ports.vault import Vault
from creditcore.usecases.payments.tell_payers import TellPayers

FORGET_CARD = "forget_card"
"""The kind of the jobs that end a card's code at the provider."""


class RemoveCardsTransaction(HasActivity, HasCards, HasJobs, HasTopUps, Protocol):
    """What removing a card reads and writes."""


class KeepCardsTransaction(RemoveCardsTransaction, HasPurchases, Commits, Protocol):
    """What keeping cards reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCards:
    """Saved cards: kept after a payment whose payer agreed, sealed, and removed for good.

    Attributes:
        site: Who keeps them, as people read it.
    """

    transactions: Begins[KeepCardsTransaction]
    gateway: CardGateway
    vault: Vault
    notices: TellPayers
    clock: Clock
    ids: Ids
    site: str

    @property
    def text(self) -> str:
        """What a customer agrees to who lets a card be saved."""
        return saving_text(self.site)

    def agree(self, person: Person, reference: str, *, actor: Actor = SYSTEM) -> None:
        """Note that a person wants the card of a payment of theirs to be kept.

        Raises:
            InvalidRequestError: The payment is not theirs.
        """
        with self.transactions.begin() as tx:
            if tx.purchases.find(reference).owner_id != person.id:
                raise InvalidRequestError("Cards are kept of one's own payments.")
            tx.cards.add_consent(
                CardConsent(
                    id=self.ids.new(),
                    person_id=person.id,
                    purpose=ConsentPurpose.SAVE_CARD,
                    subject=reference,
                    text=self.text,
                    given_at=self.clock.now(),
                    address=actor.address,
                    user_agent=actor.user_agent,
                )
            )
            tx.commit()

    def decided(self, tx: FollowedTransaction, purchase: Purchase, payment: Payment) -> None:
        """Keep the card of a payment that was made, if its payer agreed and it can be charged."""
        if purchase.state is not PurchaseState.PAID or payment.card is None:
            return
        consent = tx.cards.consent_to(ConsentPurpose.SAVE_CARD, purchase.reference)
        if consent is None or consent.person_id != purchase.owner_id:
            return
        saved = self._save(tx, purchase, payment.card)
        if saved is not None:
            self.notices.card_saved(tx, purchase, saved, consent)

    def refunded(self, tx: FollowedTransaction, purchase: Purchase, refund: Refund) -> None:
        """Do nothing: a card stays as it is."""

    def of(self, person: Person) -> Sequence[SavedCard]:
        """Return the cards that a person may charge or remove, the latest saved first."""
        with self.transactions.begin() as tx:
            return tx.cards.of(person.id)

    def open(self, card: SavedCard) -> str:
        """Return the code that charges a card.

        Raises:
            SealBrokenError: It was sealed with a key that is not known any more.
        """
        return self.vault.open(card.sealed, context=card.seal_context).decode()

    def remove(self, person: Person, card_id: str, *, actor: Actor = SYSTEM) -> None:
        """Charge a card no more: here at once, at the provider soon. A repeat changes nothing.

        Raises:
            CardNotFoundError: The person has no such card.
        """
        with self.transactions.begin() as tx:
            card = tx.cards.lock(card_id, owner_id=person.id)
            if card.removed_at is None:
                self.remove_in(tx, card, actor=actor)
                tx.commit()

    def remove_in(self, tx: RemoveCardsTransaction, card: SavedCard, *, actor: Actor) -> None:
        """Remove a card within a transaction: it tops up nothing, and its consents end."""
        now = self.clock.now()
        tx.cards.save(card.remove(at=now))
        tx.cards.withdraw(ConsentPurpose.SAVE_CARD, card.reference, at=now)
        for wallet_id in tx.top_ups.by_card(card.id):
            order = tx.top_ups.lock(wallet_id)
            if order is not None and order.state is not TopUpState.OFF:
                tx.top_ups.save(order.turn_off(at=now))
                tx.cards.withdraw(ConsentPurpose.TOP_UP, wallet_id, at=now)
        # Saved and removed again, it is another event.
        event = f"{card.id}:{now:%Y%m%dT%H%M%S%f}"
        payload = {"card_id": card.id, "owner_id": card.owner_id}
        tx.jobs.enqueue(FORGET_CARD, event, payload, run_at=now)
        tx.activity.add(
            Activity(
                actor=actor,
                act=Act.CARD_REMOVED,
                target=f"card:{card.id}",
                person_id=card.owner_id,
                before={"card": card.label},
                at=now,
            )
        )

    def remove_all_in(self, tx: RemoveCardsTransaction, person_id: str, actor: Actor) -> None:
        """Remove every card of a person, who closes their account, within that transaction."""
        for card in tx.cards.of(person_id):
            self.remove_in(tx, card, actor=actor)

    def forget(self, job: Job) -> None:
        """End a removed card's code at the provider, then forget it here, as a job.

        Raises:
            PaymentGatewayUnavailableError: Unknown whether it ended; to be tried again.
            SealBrokenError: The code cannot be read; an operator has to look.
        """
        card_id, owner_id = str(job.payload["card_id"]), str(job.payload["owner_id"])
        with self.transactions.begin() as tx:
            try:
                card = tx.cards.find(card_id, owner_id=owner_id)
            except CardNotFoundError:
                return
        if card.removed_at is None or not card.sealed:
            return
        self.gateway.forget_card(self.open(card))
        with self.transactions.begin() as tx:
            locked = tx.cards.lock(card_id, owner_id=owner_id)
            if locked == card:
                tx.cards.save(card.forget())
                tx.commit()

    def _save(
        self, tx: FollowedTransaction, purchase: Purchase, card: ReusableCard
    ) -> SavedCard | None:
        """Save a card, or renew the code of one that is there; None where it was there already."""
        now = self.clock.now()
        known = tx.cards.find_alike(purchase.owner_id, email=card.email, signature=card.signature)
        card_id = known.id if known else self.ids.new()
        sealed = self.vault.seal(card.code.encode(), context=f"card:{card_id}")
        if known is not None:
            tx.cards.save(known.renewed(card, sealed, reference=purchase.reference, at=now))
            if known.removed_at is None:
                return None
        elif len(tx.cards.of(purchase.owner_id)) >= MAX_CARDS:
            return None
        saved = SavedCard(
            id=card_id,
            owner_id=purchase.owner_id,
            email=card.email,
            signature=card.signature,
            brand=card.brand,
            last4=card.last4,
            expires=card.expires,
            bank=card.bank,
            reference=purchase.reference,
            sealed=sealed,
            saved_at=now,
        )
        tx.cards.save(saved)
        tx.activity.add(
            Activity(
                actor=Actor(id=purchase.owner_id),
                act=Act.CARD_SAVED,
                target=f"card:{card_id}",
                person_id=purchase.owner_id,
                after={"card": saved.label, "payment": purchase.reference},
                at=now,
            )
        )
        return saved
