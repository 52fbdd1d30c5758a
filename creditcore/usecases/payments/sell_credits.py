"""Sell credits: offer a price, store it, and have the provider collect it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from creditcore.domain.errors import PaymentRejectedError
from creditcore.domain.money import Money
from creditcore.domain.people import Person
from creditcore.domain.purchases import (
    QUOTE_LIFETIME,
    Offer,
    Payment,
    PaymentStatus,
    Purchase,
    credits_for,
)
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.payments import CheckoutRequest, PaymentGateway
from creditcore.ports.transactions import Transactions
from creditcore.usecases.payments.confirm_payment import ConfirmPayment
from creditcore.usecases.payments.convert_currency import ConvertCurrency


@dataclass(frozen=True, slots=True, kw_only=True)
class SellCredits:
    """Sell credits for money.

    Attributes:
        payments: Records a refusal of the provider.
        currency: What the checkout charges in.
        credits_per_usd: Decimal text; how many US cents of credit one US cent buys.
    """

    transactions: Transactions
    gateway: PaymentGateway
    payments: ConfirmPayment
    converter: ConvertCurrency
    clock: Clock
    ids: Ids
    currency: str = "USD"
    credits_per_usd: str = "2"

    def offer(self, value: Money) -> Offer:
        """Return what a USD value costs and grants now."""
        price, rate = self.converter.quote(value, self.currency)
        sold, bonus = credits_for(value, self.credits_per_usd)
        return Offer(value=value, price=price, rate=rate, sold=sold, bonus=bonus)

    def start(self, person: Person, value: Money, *, return_url: str, cancel_url: str) -> Purchase:
        """Store an offer, then ask the provider to collect its price.

        Each call is a new purchase with a new reference.

        Raises:
            PaymentRejectedError: The provider refused; the purchase has failed.
            PaymentGatewayUnavailableError: Unknown whether a checkout was started;
                the purchase stays pending, and nothing can be paid twice.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            wallet = tx.ledger.find_wallet_of(person.id)
            purchase = Purchase(
                reference=self.ids.new_reference("cc"),
                owner_id=person.id,
                wallet_id=wallet.id,
                email=person.email,
                offer=self.offer(value),
                created_at=now,
                expires_at=now + QUOTE_LIFETIME,
            )
            tx.purchases.add(purchase)
            tx.commit()
        try:
            url = self.gateway.start_checkout(
                CheckoutRequest(
                    reference=purchase.reference,
                    amount=purchase.offer.price,
                    email=purchase.email,
                    return_url=return_url,
                    cancel_url=cancel_url,
                    description=f"{purchase.offer.credits} credits",
                )
            )
        except PaymentRejectedError as error:
            self._rejected(purchase, error)
            raise
        return self._started(purchase.reference, url)

    def _started(self, reference: str, url: str) -> Purchase:
        with self.transactions.begin() as tx:
            purchase = replace(tx.purchases.lock(reference), checkout_url=url)
            tx.purchases.save(purchase)
            tx.commit()
        return purchase

    def _rejected(self, purchase: Purchase, error: PaymentRejectedError) -> None:
        self.payments.apply(
            Payment(
                reference=purchase.reference,
                status=PaymentStatus.FAILED,
                amount=Money(0, purchase.offer.price.currency),
                message=str(error),
            )
        )
