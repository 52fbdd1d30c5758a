"""Sell credits: offer a price, store it, and have the provider collect it."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from creditcore.domain.books import Footprint
from creditcore.domain.currencies import CURRENCIES
from creditcore.domain.errors import (
    CurrencyNotSoldError,
    InvalidRequestError,
    PaymentGatewayError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    PurchaseLimitError,
    ReferenceConflictError,
)
from creditcore.domain.money import MICROCREDITS_PER_CREDIT, Credits, ExchangeRate, Money, div_floor
from creditcore.domain.people import Person
from creditcore.domain.purchases import (
    NEVER_OPENED,
    QUOTE_LIFETIME,
    MobilePayer,
    Offer,
    Payment,
    PaymentStatus,
    Purchase,
    credits_for,
)
from creditcore.domain.sale_terms import DAY, MAX_CHECKOUTS_PER_DAY, SaleTerms
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.payments import CheckoutRequest, PaymentGateway
from creditcore.ports.transactions import Begins, PurchasesTransaction
from creditcore.usecases.payments.confirm_payment import ConfirmPayment
from creditcore.usecases.payments.convert_currency import ConvertCurrency

_BASE = "USD"
_REFERENCE_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SellCredits:
    """Sell credits for money.

    Attributes:
        payments: Records a refusal of the provider.
        terms: What is sold, and how much of it to one person.
    """

    transactions: Begins[PurchasesTransaction]
    gateway: PaymentGateway
    payments: ConfirmPayment
    converter: ConvertCurrency
    clock: Clock
    ids: Ids
    terms: SaleTerms = field(default_factory=SaleTerms)

    def plans(self, currency: str | None = None) -> tuple[Offer, ...]:
        """Return what the listed USD values cost and grant now.

        Raises:
            CurrencyNotSoldError: There is no selling in this currency, or not now.
        """
        return tuple(self.offer(value, currency) for value in self.terms.plans)

    def offer(self, value: Money, currency: str | None = None) -> Offer:
        """Return what a USD value costs and grants now, in the default currency or another.

        Raises:
            CurrencyNotSoldError: There is no selling in this currency, or not now.
            InvalidRequestError: It is less or more than one purchase may be.
        """
        code = self._sold(currency or self.terms.currencies[0])
        try:
            price, rate = self.converter.quote(value, code)
        except LookupError as error:
            raise _no_rate(code) from error
        return self._checked(value, price, rate, Credits.of(value.minor_units))

    def offer_for(self, price: Money) -> Offer:
        """Return what a price in any currency that is sold buys now.

        Raises:
            CurrencyNotSoldError: There is no selling in this currency, or not now.
            InvalidRequestError: It is less or more than one purchase may be, or not a
                whole number of units where only whole ones can be paid.
        """
        code = self._sold(price.currency)
        step = CURRENCIES[code].quote_step
        if price.minor_units % step:
            raise InvalidRequestError(f"Choose a whole amount in {code}.", param="amount")
        try:
            most, _ = self.converter.quote(self.terms.max_value, code)
            if price > most:
                raise InvalidRequestError(f"One purchase is {most} at most.", param="amount")
            at_par, rate = self.converter.value(price, _BASE)
        except LookupError as error:
            raise _no_rate(code) from error
        cents = div_floor(at_par.microcredits, MICROCREDITS_PER_CREDIT)
        return self._checked(Money(cents, _BASE), price, rate, at_par)

    def start(
        self,
        person: Person,
        offer: Offer,
        *,
        return_url: str,
        cancel_url: str,
        attempt: str = "",
        owner_id: str = "",
    ) -> Purchase:
        """Store an offer, then ask the provider to collect its price.

        Each call is a new purchase with a new reference, unless it repeats an attempt: then
        the first purchase is returned as it is, and the provider is not asked again.

        Args:
            person: Who buys.
            offer: What was quoted just now.
            return_url: Where the payer's browser comes back to.
            cancel_url: Where it goes when the payer gives up.
            attempt: The buyer's own name of this attempt; empty where there is none.
            owner_id: The team whose account the credits go to; empty for the person's own.

        Raises:
            PurchaseLimitError: The account may not buy that much now.
            PaymentRejectedError: The provider refused; the purchase has failed.
            PaymentGatewayUnavailableError: The provider did not answer. It was asked whether
                it knows the purchase, which has failed if not; nothing is sent twice.
        """
        purchase, is_new = self.store(person, offer, attempt=attempt, owner_id=owner_id)
        if not is_new:
            return purchase
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
            self.fail(purchase, str(error))
            raise
        except PaymentGatewayUnavailableError:
            # The page to pay on is named only once: without it, this one cannot be paid.
            with suppress(PaymentGatewayError):
                if self.gateway.verify(purchase.reference) is None:
                    self.fail(purchase, NEVER_OPENED)
            raise
        return self.lead_to(purchase.reference, url)

    def store(
        self,
        person: Person,
        offer: Offer,
        *,
        attempt: str = "",
        payer: MobilePayer | None = None,
        owner_id: str = "",
        card_id: str = "",
    ) -> tuple[Purchase, bool]:
        """Store a purchase before the provider hears of it; return it and whether it is new.

        Raises:
            PurchaseLimitError: The person may not buy that much now.
        """
        now = self.clock.now()
        owner_id = owner_id or person.id
        reference = self.ids.new_reference("cc")
        if attempt:
            reference = _reference_of(owner_id, offer, attempt, payer, card_id)
        purchase = Purchase(
            reference=reference,
            owner_id=owner_id,
            wallet_id="",
            email=person.email,
            offer=offer,
            created_at=now,
            expires_at=now + QUOTE_LIFETIME,
            payer=payer,
            card_id=card_id,
        )
        try:
            with self.transactions.begin() as tx:
                wallet = tx.ledger.find_wallet_of(owner_id)
                # Purchases of one person at once are counted one after the other.
                tx.ledger.lock(Footprint(wallet_ids={wallet.id}))
                purchase = replace(purchase, wallet_id=wallet.id)
                self.add(tx, purchase, now=now)
                tx.commit()
        except ReferenceConflictError:
            with self.transactions.begin() as tx:
                return tx.purchases.find(reference), False
        return purchase, True

    def add(self, tx: PurchasesTransaction, purchase: Purchase, *, now: datetime) -> None:
        """Add a purchase in a transaction that has locked its wallet.

        Raises:
            PurchaseLimitError: The person may not buy that much now.
            ReferenceConflictError: Its reference is taken.
        """
        tx.purchases.add(purchase)
        self._check_limits(tx, purchase, now=now)

    def fail(self, purchase: Purchase, reason: str) -> Purchase:
        """Record that the provider collects nothing; a late payment would still count."""
        return self.payments.apply(
            Payment(
                reference=purchase.reference,
                status=PaymentStatus.FAILED,
                amount=Money(0, purchase.offer.price.currency),
                message=reason,
            )
        )

    def _sold(self, code: str) -> str:
        if code not in self.terms.currencies:
            listed = ", ".join(self.terms.currencies)
            raise CurrencyNotSoldError(
                f"Choose one of the currencies that are sold here: {listed}.", param="currency"
            )
        return code

    def _checked(
        self, value: Money, price: Money, rate: ExchangeRate | None, at_par: Credits
    ) -> Offer:
        minimum = self.gateway.minimum(price.currency)
        if price < minimum:
            raise InvalidRequestError(f"The least that can be paid is {minimum}.", param="amount")
        if value > self.terms.max_value or value.minor_units <= 0:
            raise InvalidRequestError(
                f"One purchase is worth {self.terms.max_value} at most.", param="amount"
            )
        sold, bonus = credits_for(at_par, self.terms.credits_per_usd)
        return Offer(value=value, price=price, rate=rate, sold=sold, bonus=bonus)

    def _check_limits(self, tx: PurchasesTransaction, purchase: Purchase, *, now: datetime) -> None:
        """Compare everything the person bought, this purchase included, with the caps."""
        for span, limit in self.terms.limits:
            bought = tx.purchases.bought(purchase.owner_id, since=now - span, now=now)
            if bought.value > limit:
                raise PurchaseLimitError(limit=limit, days=span.days)
            if span == DAY and bought.checkouts > MAX_CHECKOUTS_PER_DAY:
                raise PurchaseLimitError(limit=limit, days=span.days)

    def lead_to(self, reference: str, url: str) -> Purchase:
        """Record the provider's page where a purchase is paid or confirmed."""
        with self.transactions.begin() as tx:
            purchase = replace(tx.purchases.lock(reference), checkout_url=url)
            tx.purchases.save(purchase)
            tx.commit()
        return purchase


def _reference_of(
    owner_id: str, offer: Offer, attempt: str, payer: MobilePayer | None, card_id: str
) -> str:
    """Name an attempt. Another amount, phone or card is another attempt."""
    parts = [owner_id, attempt, str(offer.price)]
    if payer:
        parts += [payer.network, payer.phone]
    if card_id:
        parts.append(card_id)
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"cc-{digest[:_REFERENCE_DIGITS]}"


def _no_rate(code: str) -> CurrencyNotSoldError:
    return CurrencyNotSoldError(
        f"Paying in {code} is not possible now. Choose another currency, or try again later.",
        param="currency",
    )
