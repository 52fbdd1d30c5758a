"""A purchase of credits: what was offered, what was paid, what it grants.

The offer is stored before the payment provider hears of it, and a verified payment is
compared with the offer, never with anything that came along with the payment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.ledger import PlatformAccount, Transfer, TransferKind, grant
from creditcore.domain.money import ZERO, Credits, ExchangeRate, Money, decimal_ratio, div_floor
from creditcore.domain.payer_details import PayerDetail
from creditcore.domain.saved_cards import ReusableCard

QUOTE_LIFETIME = timedelta(minutes=30)
"""How long a page offers the quoted price. A payment of a stored quote is honoured later too."""


MASK = "***"
"""Stands for the digits of a phone that were forgotten."""

PROMPT_LIFETIME = timedelta(seconds=180)
"""How long a payer has to answer on the phone (https://paystack.com/docs/payments/payment-channels/)."""

NEVER_OPENED = "The checkout was never opened."
NEVER_RECEIVED = "The request was never received."
"""Why a purchase has failed that the provider never heard of."""

UNFINISHED_AFTER = timedelta(days=7)
"""For so long the provider is asked about a payment that it calls pending. No channel that we offer
takes a day; what was given up stays pending there for ever, and money would still count."""

NEVER_COMPLETED = "It was not completed within a week."

MAX_RECEIPT_CODE_LENGTH = 40

BY_PHONE = "mobile_money"
"""The channel of payments whose network sends the payer a code."""

FIRST_CHECK_AFTER = timedelta(seconds=10)
"""A charge on a phone is not asked about sooner; the provider wants that."""


def receipt_code_of(text: str) -> str:
    """Return a mobile network's code as it is stored and searched; empty where it can be none.

    A code longer than any must not keep a payment from being credited, so it is dropped.
    """
    code = text.strip().upper()
    return code if len(code) <= MAX_RECEIPT_CODE_LENGTH else ""


class PurchaseState(StrEnum):
    """Where a purchase is in its life."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    UNDER_REVIEW = "under_review"
    REVERSED = "reversed"


class PaymentStatus(StrEnum):
    """What the provider says of a payment, in our words."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment as the provider verified it.

    Attributes:
        reference: Our reference, as the provider repeats it.
        amount: What was paid, which may include fees passed on to the payer.
        provider_id: The provider's own number of it.
        message: Why it failed, in the provider's words.
        card: What it was paid with, where that may be charged again.
        receipt_code: What the mobile network calls it in its message to the payer, such as
            M-Pesa's ``SKL7XYZ12A``; empty where it has told none.
    """

    reference: str
    status: PaymentStatus
    amount: Money
    provider_id: str = ""
    channel: str = ""
    message: str = ""
    card: ReusableCard | None = None
    receipt_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a purchase costs and grants.

    Attributes:
        value: The USD value of what is bought, rounded down to the cent.
        price: What the payer is asked for, in the currency of the checkout.
        rate: The exchange rate behind ``price``, where it is not USD.
        sold: Credits for the money itself.
        bonus: Credits on top.
    """

    value: Money
    price: Money
    rate: ExchangeRate | None
    sold: Credits
    bonus: Credits

    @property
    def credits(self) -> Credits:
        """Everything the purchase grants."""
        return self.sold + self.bonus


def credits_for(at_par: Credits, credits_per_usd: str) -> tuple[Credits, Credits]:
    """Split what a USD value buys into the part sold and the bonus.

    One US cent buys one credit, which is ``at_par``; what ``credits_per_usd`` gives beyond
    that is bonus (below 1 there is none and less is sold). Rounded down to the microcredit.
    """
    numerator, denominator = decimal_ratio(credits_per_usd)
    total = Credits(div_floor(at_par.microcredits * numerator, denominator))
    sold = min(at_par, total)
    return sold, total - sold


@dataclass(frozen=True, slots=True)
class MobilePayer:
    """The phone that a purchase is collected from.

    Attributes:
        network: The provider's code of the mobile network.
        phone: In E.164, ``+254710000000``; masked once it is no longer needed.
    """

    network: str
    phone: str

    @property
    def masked(self) -> MobilePayer:
        """The same with the last three digits of the phone alone."""
        return MobilePayer(self.network, f"{MASK}{self.phone[-3:]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One intent to buy credits, from the offer to its end.

    Attributes:
        reference: Our unique name of it, sent to the provider and back.
        owner_id: The person who buys.
        expires_at: Until when the page offers this price.
        paid: What the provider says was paid.
        review_reason: Why a person has to look, where one has to; why it failed, where it did.
        payer: The phone that is asked; None where the payer uses the provider's page.
        display_text: What the provider wants the payer to read, while the phone is asked; empty
            while it is not known how the provider took the last request.
        asks_for: What the provider wants the payer to type before it goes on.
        checked_at: When a waiting page last made us ask the provider.
        card_id: The saved card that is charged; empty where the payer shows one, or a phone.
        receipt_code: The mobile network's code of the payment, as ``receipt_code_of`` writes it.
    """

    reference: str
    owner_id: str
    wallet_id: str
    email: str
    offer: Offer
    created_at: datetime
    expires_at: datetime
    state: PurchaseState = PurchaseState.PENDING
    checkout_url: str = ""
    paid: Money | None = None
    provider_id: str = ""
    channel: str = ""
    review_reason: str = ""
    closed_at: datetime | None = None
    payer: MobilePayer | None = None
    display_text: str = ""
    checked_at: datetime | None = None
    card_id: str = ""
    asks_for: PayerDetail | None = None
    receipt_code: str = ""

    def awaits_detail(self, now: datetime) -> PayerDetail | None:
        """What the payer should type now; None where nothing is asked, or it is too late."""
        is_open = self.state is PurchaseState.PENDING and now < self.expires_at
        return self.asks_for if is_open else None

    @property
    def next_step_is_unknown(self) -> bool:
        """Whether a phone is charged, and the provider has not told yet what the payer is to do."""
        is_told = self.display_text or self.asks_for or self.checkout_url
        return self.state is PurchaseState.PENDING and self.payer is not None and not is_told

    @property
    def prompt_ends_at(self) -> datetime:
        """Until when the customer may still be about to pay what was asked."""
        return self.created_at + PROMPT_LIFETIME if self.payer else self.expires_at

    def is_worth_asking(self, now: datetime) -> bool:
        """Whether the provider may know more by now, and may be asked."""
        if self.state is not PurchaseState.PENDING:
            return False
        return self.payer is None or now >= self.created_at + FIRST_CHECK_AFTER

    @property
    def awaits_payment(self) -> bool:
        """Whether a payment would still count. A failure is no end: money may arrive later."""
        return self.state in (PurchaseState.PENDING, PurchaseState.FAILED)

    @property
    def lacks_receipt_code(self) -> bool:
        """Whether money has come by a phone, and the code of its network has not."""
        has_money = self.state in (PurchaseState.PAID, PurchaseState.UNDER_REVIEW)
        return has_money and self.channel == BY_PHONE and not self.receipt_code

    def is_resumable(self, now: datetime) -> bool:
        """Whether the payer can still go back to the provider's page and pay."""
        return (
            self.state is PurchaseState.PENDING
            and bool(self.checkout_url)
            and self.expires_at > now
        )

    def apply(self, payment: Payment, *, at: datetime, is_person_gone: bool = False) -> Decision:
        """Compare a verified payment with this offer.

        A paid purchase stays paid, and a late success of one that had failed still
        counts: the payer's money arrived. Too little, the wrong currency, a reversal before
        anything was granted, or a payment for an account that was closed meanwhile is kept for
        a person to review. Where the network's code comes after the money, it is added once.
        """
        if not self.awaits_payment:
            return Decision(self._with_receipt_code(payment))
        seen = replace(
            self,
            paid=payment.amount if payment.status is not PaymentStatus.PENDING else None,
            provider_id=payment.provider_id,
            channel=payment.channel,
            receipt_code=receipt_code_of(payment.receipt_code),
        )
        match payment.status:
            case PaymentStatus.PENDING:
                return Decision(self)
            case PaymentStatus.FAILED if self.state is PurchaseState.FAILED:
                return Decision(self)
            case PaymentStatus.FAILED:
                failed = replace(
                    seen,
                    state=PurchaseState.FAILED,
                    paid=None,
                    review_reason=payment.message,
                    closed_at=at,
                )
                return Decision(failed)
            case PaymentStatus.REVERSED:
                return seen.for_review("it was reversed before it was credited", at=at)
            case PaymentStatus.SUCCEEDED:
                return seen.judge_success(payment.amount, at=at, is_person_gone=is_person_gone)

    def _with_receipt_code(self, payment: Payment) -> Purchase:
        code = receipt_code_of(payment.receipt_code)
        is_the_same = bool(self.provider_id) and payment.provider_id == self.provider_id
        is_paid = payment.status is PaymentStatus.SUCCEEDED
        if not (self.lacks_receipt_code and code and is_the_same and is_paid):
            return self
        return replace(self, receipt_code=code)

    def judge_success(self, paid: Money, *, at: datetime, is_person_gone: bool = False) -> Decision:
        """Compare money that has arrived with the price that was asked."""
        price = self.offer.price
        if paid.currency != price.currency:
            return self.for_review(f"{paid} was paid where {price} was asked", at=at)
        if paid < price:
            return self.for_review(f"only {paid} of {price} was paid", at=at)
        if is_person_gone:
            return self.for_review("the account was closed before it was paid", at=at)
        done = replace(self, state=PurchaseState.PAID, review_reason="", closed_at=at)
        return Decision(done, transfers=self._transfers(at))

    def _transfers(self, at: datetime) -> tuple[Transfer, ...]:
        parts = (
            (PlatformAccount.SALES, TransferKind.PURCHASE, self.offer.sold),
            (PlatformAccount.BONUS, TransferKind.BONUS, self.offer.bonus),
        )
        return tuple(
            grant(
                self.wallet_id,
                amount,
                source=account,
                kind=kind,
                reference=f"purchase:{self.reference}:{account}",
                at=at,
            )
            for account, kind, amount in parts
            if amount > ZERO
        )

    def for_review(self, reason: str, *, at: datetime) -> Decision:
        """Keep the payment for a person to decide about, crediting nothing."""
        alert = Alert(
            key=f"review:{self.reference}",
            severity=Severity.CRITICAL,
            subject="A payment needs a decision",
            message=f"Payment {self.reference}: {reason}. Nothing was credited.",
            at=at,
        )
        held_back = replace(
            self, state=PurchaseState.UNDER_REVIEW, review_reason=reason, closed_at=at
        )
        return Decision(held_back, alerts=(alert,))


@dataclass(frozen=True, slots=True)
class Decision:
    """What a verified payment changes."""

    purchase: Purchase
    transfers: tuple[Transfer, ...] = ()
    alerts: tuple[Alert, ...] = ()
