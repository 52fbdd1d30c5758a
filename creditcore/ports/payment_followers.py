"""What else happens in the transaction that decides about a payment."""

from __future__ import annotations

from typing import Protocol

from creditcore.domain.purchases import Payment, Purchase
from creditcore.domain.refunds import Refund
from creditcore.ports.store_ports import (
    HasActivity,
    HasCards,
    HasLedger,
    HasLowBalance,
    HasPeople,
    HasTopUps,
)
from creditcore.ports.transactions import MailTransaction


class FollowedTransaction(
    HasActivity, HasCards, HasLedger, HasLowBalance, HasPeople, HasTopUps, MailTransaction, Protocol
):
    """What followers read and write in the transaction that decides."""


class PaymentFollower(Protocol):
    """Acts upon payments: tells their payers, keeps their cards.

    It writes to the transaction it is given, and asks no outside service. What it raises undoes the
    decision, so it raises only what its store does.
    """

    def decided(self, tx: FollowedTransaction, purchase: Purchase, payment: Payment) -> None:
        """Act upon a purchase that was just paid, has failed or was held back.

        Called once for each change of its state; the credits are in the wallet by then.
        """

    def refunded(self, tx: FollowedTransaction, purchase: Purchase, refund: Refund) -> None:
        """Act upon money that goes back, each time that its state changes."""
