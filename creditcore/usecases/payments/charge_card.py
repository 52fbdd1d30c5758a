"""Charge a saved card, once, for a purchase that is stored before."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.errors import (
    InvalidRequestError,
    PaymentGatewayError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    SealBrokenError,
)
from creditcore.domain.people import Person
from creditcore.domain.purchases import Offer, PaymentStatus, Purchase
from creditcore.domain.saved_cards import SavedCard
from creditcore.ports.card_gateway import CardCharge, CardChargeRequest, CardGateway
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasCards, HasPurchases
from creditcore.ports.transactions import Begins
from creditcore.usecases.payments.confirm_payment import ConfirmPayment
from creditcore.usecases.payments.keep_cards import KeepCards
from creditcore.usecases.payments.sell_credits import SellCredits

_log = logging.getLogger(__name__)


class ChargeCardTransaction(HasCards, HasPurchases, Protocol):
    """What charging a saved card reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeCard:
    """Collect purchases from saved cards.

    Attributes:
        return_url: Where the payer's browser comes back to, if the bank wants to see them.
    """

    transactions: Begins[ChargeCardTransaction]
    gateway: CardGateway
    sales: SellCredits
    payments: ConfirmPayment
    cards: KeepCards
    clock: Clock
    return_url: str

    def pay(self, person: Person, offer: Offer, card_id: str, *, attempt: str = "") -> Purchase:
        """Buy with a saved card of one's own, because one said so just now.

        Repeating an attempt charges nothing: the first purchase is returned as it stands.

        Returns:
            The purchase: paid, failed, pending where the outcome is unknown, or pending with a
            page to go to where the bank wants to see its holder.

        Raises:
            CardNotFoundError: The person has no such card.
            InvalidRequestError: The card has expired or was removed.
            PurchaseLimitError: The person may not buy that much now.
        """
        with self.transactions.begin() as tx:
            card = tx.cards.find(card_id, owner_id=person.id)
        if not card.is_usable(self.clock.now()):
            raise InvalidRequestError(
                f"Your {card.label} cannot be charged any more. Pay with another.", param="card"
            )
        purchase, is_new = self.sales.store(person, offer, attempt=attempt, card_id=card.id)
        if is_new:
            self.collect(purchase, card)
        with self.transactions.begin() as tx:
            return tx.purchases.find(purchase.reference)

    def collect(self, purchase: Purchase, card: SavedCard) -> CardCharge:
        """Charge a card for a purchase that was stored for it, and record what comes of it.

        Sent once. Where the answer is lost, the purchase stays pending and is looked up.
        """
        charge = self._charge(purchase, card)
        if charge.challenge_url:
            self.sales.lead_to(purchase.reference, charge.challenge_url)
        elif charge.status is PaymentStatus.FAILED:
            self.sales.fail(purchase, charge.message or "Declined")
        elif charge.status is PaymentStatus.SUCCEEDED:
            # Said, not shown: only a verified payment is credited.
            with suppress(PaymentGatewayError):
                self.payments.confirm(purchase.reference)
        return charge

    def _charge(self, purchase: Purchase, card: SavedCard) -> CardCharge:
        try:
            return self.gateway.charge_card(
                CardChargeRequest(
                    reference=purchase.reference,
                    amount=purchase.offer.price,
                    email=card.email,
                    code=self.cards.open(card),
                    return_url=self.return_url,
                )
            )
        except SealBrokenError:
            _log.error("the code of card %s cannot be read", card.id)
            message = "The saved card cannot be read any more. Remove it, and save it again."
            return CardCharge(status=PaymentStatus.FAILED, message=message)
        except PaymentRejectedError as error:
            return CardCharge(status=PaymentStatus.FAILED, message=str(error))
        except PaymentGatewayUnavailableError as error:
            # It may be charged. It is looked up, and never sent again.
            _log.warning("charge %s of a card has no answer: %s", purchase.reference, error)
            return CardCharge(status=PaymentStatus.PENDING)
