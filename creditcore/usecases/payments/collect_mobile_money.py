"""Collect a purchase from a phone: M-Pesa and its like.

The provider asks the phone, and the payer has some minutes to type a PIN there. The outcome
comes by webhook; meanwhile it is asked for, not sooner than the provider wants to be asked,
and at the end of the payer's time. Nothing is ever called failed while it is unknown.

Some networks want the payer to type a code on our page first. It is passed on once and kept
nowhere: all that is stored is that one is asked for.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.errors import (
    NothingAskedError,
    PaymentGatewayError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    PurchaseNotFoundError,
)
from creditcore.domain.payer_details import PayerAnswer, PayerDetail
from creditcore.domain.people import Person
from creditcore.domain.purchases import MobilePayer, Offer, PaymentStatus, Purchase, PurchaseState
from creditcore.ports.clock import Clock
from creditcore.ports.payments import MobileCharge, MobileChargeRequest, PaymentGateway
from creditcore.ports.store_ports import Commits, HasPurchases
from creditcore.ports.transactions import Begins
from creditcore.usecases.payments.confirm_payment import ConfirmPayment
from creditcore.usecases.payments.sell_credits import SellCredits

_CHECK_EVERY = timedelta(seconds=5)
"""However many pages wait for one payment, the provider is not asked more often."""

_log = logging.getLogger(__name__)


class CollectMobileMoneyTransaction(HasPurchases, Commits, Protocol):
    """What a payment from a phone reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectMobileMoney:
    """Send a payment request to a phone, and follow it to its end."""

    transactions: Begins[CollectMobileMoneyTransaction]
    gateway: PaymentGateway
    sales: SellCredits
    payments: ConfirmPayment
    clock: Clock

    def start(
        self,
        person: Person,
        offer: Offer,
        payer: MobilePayer,
        *,
        attempt: str = "",
        owner_id: str = "",
    ) -> Purchase:
        """Store an offer, then send its price to the payer's phone.

        Repeating an attempt sends nothing: the first purchase is returned as it stands. With
        ``owner_id``, the credits go to the account of that team.

        Returns:
            The purchase: pending where the phone was asked or that is unknown, failed where
            the provider says so at once, paid where the money is there already.

        Raises:
            PurchaseLimitError: The person may not buy that much now.
            PaymentRejectedError: The provider refused; the purchase has failed.
        """
        purchase, is_new = self.sales.store(
            person, offer, attempt=attempt, payer=payer, owner_id=owner_id
        )
        if not is_new:
            return purchase
        try:
            charge = self.gateway.charge_mobile(
                MobileChargeRequest(
                    reference=purchase.reference,
                    amount=offer.price,
                    email=purchase.email,
                    network=payer.network,
                    phone=payer.phone,
                )
            )
        except PaymentRejectedError as error:
            self.sales.fail(purchase, str(error))
            raise
        except PaymentGatewayUnavailableError as error:
            # The phone may be ringing. It is looked up, and never sent again.
            _log.warning("mobile charge %s has no answer: %s", purchase.reference, error)
            return purchase
        return self._go_on(purchase, charge)

    def answer(self, owner_id: str, reference: str, answer: PayerAnswer) -> Purchase:
        """Pass on what the payer typed, once, and return how the purchase stands then.

        Of several requests at once, one is passed on. If the purchase asks for the same
        afterwards, the provider did not take it. Without an answer of the provider's nothing
        is sent again: ``check`` asks what it wants next.

        Raises:
            NothingAskedError: The purchase does not ask for this now.
            PurchaseNotFoundError: The account has no purchase of this reference.
        """
        purchase = self._claim_answer(owner_id, reference, answer)
        try:
            charge = self.gateway.submit_detail(reference, answer)
        except PaymentRejectedError as error:
            return self._told(
                purchase,
                MobileCharge(
                    status=PaymentStatus.PENDING, message=str(error), asks_for=answer.detail
                ),
                answered=answer.detail,
            )
        except PaymentGatewayUnavailableError as error:
            _log.warning("an answer about payment %s has no answer: %s", reference, error)
            return purchase
        return self._go_on(purchase, charge, answered=answer.detail)

    def check(self, owner_id: str, reference: str) -> Purchase:
        """Return a purchase of this account, asking the provider where it is time to.

        Raises:
            PurchaseNotFoundError: The account has no purchase of this reference.
        """
        with self.transactions.begin() as tx:
            purchase = tx.purchases.find(reference)
        if purchase.owner_id != owner_id:
            raise PurchaseNotFoundError(reference)
        now = self.clock.now()
        if not self._claim_check(purchase, now):
            return purchase
        try:
            purchase = self.payments.confirm(reference)
            if purchase.next_step_is_unknown:
                return self._told(purchase, self.gateway.charge_progress(reference))
        except PaymentGatewayError as error:
            _log.warning("payment %s could not be verified: %s", reference, error)
        return purchase

    def _claim_check(self, purchase: Purchase, now: datetime) -> bool:
        """Whether the caller is the one to ask now; if so, others wait."""
        if not purchase.is_worth_asking(now):
            return False
        if purchase.checked_at is not None and now < purchase.checked_at + _CHECK_EVERY:
            return False
        with self.transactions.begin() as tx:
            locked = tx.purchases.lock(purchase.reference)
            if locked.checked_at != purchase.checked_at or not locked.is_worth_asking(now):
                return False
            tx.purchases.save(replace(locked, checked_at=now))
            tx.commit()
        return True

    def _claim_answer(self, owner_id: str, reference: str, answer: PayerAnswer) -> Purchase:
        """Let the caller be the one who passes the answer on: it is asked for no more."""
        with self.transactions.begin() as tx:
            purchase, now = tx.purchases.lock(reference), self.clock.now()
            if purchase.owner_id != owner_id:
                raise PurchaseNotFoundError(reference)
            if purchase.awaits_detail(now) is not answer.detail:
                raise NothingAskedError
            claimed = replace(purchase, asks_for=None, display_text="", checked_at=now)
            tx.purchases.save(claimed)
            tx.commit()
        return claimed

    def _go_on(
        self, purchase: Purchase, charge: MobileCharge, *, answered: PayerDetail | None = None
    ) -> Purchase:
        if charge.status is PaymentStatus.FAILED:
            return self.sales.fail(purchase, charge.message)
        if charge.status is PaymentStatus.SUCCEEDED:
            # Said, not shown: only a verified payment is credited.
            with suppress(PaymentGatewayError):
                return self.payments.confirm(purchase.reference)
        return self._told(purchase, charge, answered=answered)

    def _told(
        self, purchase: Purchase, charge: MobileCharge, *, answered: PayerDetail | None = None
    ) -> Purchase:
        """Store what the payer is to do next, unless more has happened since it was asked.

        While an answer was on its way, a page may have heard the question once more: what the
        answer led to is newer than that, or the payer would be asked for ever.
        """
        with self.transactions.begin() as tx:
            locked = tx.purchases.lock(purchase.reference)
            is_next = locked.next_step_is_unknown and locked.checked_at == purchase.checked_at
            is_repeated = answered is not None and locked.asks_for is answered
            if not is_next and not (is_repeated and locked.state is PurchaseState.PENDING):
                return locked
            told = replace(
                locked,
                display_text=charge.message,
                asks_for=charge.asks_for,
                checkout_url=charge.page_url,
            )
            tx.purchases.save(told)
            tx.commit()
        return told
