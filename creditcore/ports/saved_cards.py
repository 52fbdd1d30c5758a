"""Cards that were saved, and what their holders agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.saved_cards import CardConsent, ConsentPurpose, SavedCard


class SavedCards(Protocol):
    """Cards of people, with the code that charges them sealed."""

    def save(self, card: SavedCard) -> None:
        """Add a card, or write one that is there.

        Raises:
            ReferenceConflictError: The person has this card, with this address, already.
        """

    def find(self, card_id: str, *, owner_id: str) -> SavedCard:
        """Return a card of a person, removed or not, without locking it.

        Raises:
            CardNotFoundError: The person has no card with this id.
        """

    def lock(self, card_id: str, *, owner_id: str) -> SavedCard:
        """Return a card of a person, locked until the transaction ends.

        Raises:
            CardNotFoundError: The person has no card with this id.
        """

    def of(self, owner_id: str) -> Sequence[SavedCard]:
        """Return the cards of a person that were not removed, the latest saved first."""

    def sealed_after(self, card_id: str, *, limit: int) -> Sequence[SavedCard]:
        """Return cards of all persons whose code is still kept, by their ids, after this one."""

    def find_alike(self, owner_id: str, *, email: str, signature: str) -> SavedCard | None:
        """Return the person's card of this signature and address, removed or not."""

    def add_consent(self, consent: CardConsent) -> None:
        """Keep what a customer agreed to; a repeat of a subject keeps the first in force."""

    def consent_to(self, purpose: ConsentPurpose, subject: str) -> CardConsent | None:
        """Return the consent to something that is in force."""

    def withdraw(self, purpose: ConsentPurpose, subject: str, *, at: datetime) -> None:
        """End a consent; a repeat keeps the first time."""

    def consents_of(self, person_id: str) -> Sequence[CardConsent]:
        """Return everything a person agreed to, the latest first."""
