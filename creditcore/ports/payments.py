"""The payment provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from creditcore.domain.money import Money
from creditcore.domain.payer_details import PayerAnswer, PayerDetail
from creditcore.domain.purchases import Payment, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRequest:
    """What the provider is asked to collect.

    Attributes:
        reference: Ours, unique for ever.
        return_url: Where the payer's browser comes back to.
        cancel_url: Where it goes when the payer gives up.
        description: What the payer reads, in a few words.
    """

    reference: str
    amount: Money
    email: str
    return_url: str
    cancel_url: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileNetwork:
    """A network whose phones can pay.

    Attributes:
        code: The provider's code of it.
        name: As people call it: ``M-Pesa``.
        currency: What it pays in.
        country: ISO 3166 code of where its numbers are, in two letters.
    """

    code: str
    name: str
    currency: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileChargeRequest:
    """What a phone is asked to pay.

    Attributes:
        reference: Ours, unique for ever.
        network: The ``code`` of a ``MobileNetwork``.
        phone: In E.164, ``+254710000000``.
    """

    reference: str
    amount: Money
    email: str
    network: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileCharge:
    """What the provider says when it has begun to ask a phone.

    Attributes:
        status: Where the charge is; a success counts only once it is verified.
        message: What the payer should read while it is pending; why it failed.
        asks_for: What the payer has to type before it goes on.
        page_url: A page of the network's where the payer goes on; empty where there is none.
    """

    status: PaymentStatus
    message: str
    asks_for: PayerDetail | None = None
    page_url: str = ""


class FailureReason(StrEnum):
    """Why a payment failed, as far as its message tells."""

    CANCELLED = "cancelled"
    NO_ANSWER = "no_answer"
    WRONG_PIN = "wrong_pin"
    TOO_LITTLE_MONEY = "too_little_money"
    WRONG_CODE = "wrong_code"
    ANOTHER_SESSION = "another_session"
    OVER_LIMIT = "over_limit"
    BAD_NUMBER = "bad_number"
    BAD_EMAIL = "bad_email"
    BUSY = "busy"
    DECLINED = "declined"
    NEVER_SENT = "never_sent"
    OTHER = "other"


class EventKind(StrEnum):
    """What a webhook means to us, whatever the provider calls it. Stored by these words."""

    PAID = "paid"
    REFUND = "refund"
    DISPUTE = "dispute"
    OTHER = "other"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookNotice:
    """What an authenticated webhook is about. Only a hint: what counts is ``verify``.

    Attributes:
        kind: What it means; ``UNREADABLE`` where the body cannot be read.
        name: The provider's own name of the event; empty where the body cannot be read.
        reference: The payment it speaks of, in our reference; empty where it names none.
    """

    kind: EventKind
    name: str
    reference: str


class PaymentGateway(Protocol):
    """Collects money. Never called while a database transaction is open."""

    @property
    def signature_header(self) -> str:
        """The HTTP header that carries a webhook's signature."""

    @property
    def checkout_origins(self) -> Sequence[str]:
        """Origins of the provider's payment pages, such as ``https://pay.example``."""

    def minimum(self, currency: str) -> Money:
        """Return the smallest amount that the provider collects in a currency.

        Raises:
            LookupError: It collects nothing in this currency.
        """

    def start_checkout(self, request: CheckoutRequest) -> str:
        """Return the address of the provider's page where the payer pays.

        Raises:
            PaymentRejectedError: The provider refused; nothing was started.
            PaymentGatewayUnavailableError: Unknown whether it was started.
        """

    def mobile_networks(self, currency: str) -> Sequence[MobileNetwork]:
        """Return the networks whose phones pay in a currency; the most used first."""

    def charge_mobile(self, request: MobileChargeRequest) -> MobileCharge:
        """Ask a phone to pay.

        Raises:
            PaymentRejectedError: The provider refused; no phone was asked.
            PaymentGatewayUnavailableError: Unknown whether a phone is asked.
        """

    def submit_detail(self, reference: str, answer: PayerAnswer) -> MobileCharge:
        """Pass on what the payer typed, and return how the charge goes on.

        Raises:
            PaymentRejectedError: The provider did not take it; the charge is as it was.
            PaymentGatewayUnavailableError: Unknown whether it was taken.
        """

    def charge_progress(self, reference: str) -> MobileCharge:
        """Return where a charge on a phone stands, which is no proof of payment.

        Raises:
            PaymentGatewayUnavailableError: No usable answer; ask again later.
        """

    def redact(self, body: str) -> str:
        """Return a webhook without what it says of cards, phones and people."""

    def failure_reason(self, message: str) -> FailureReason:
        """Return what a message of a failed payment means; ``OTHER`` where that is unknown."""

    def verify(self, reference: str) -> Payment | None:
        """Return what the provider knows of a payment; None if it never heard of it.

        Raises:
            PaymentGatewayUnavailableError: No usable answer; ask again later.
        """

    def find(self, payment_id: str) -> Payment | None:
        """Return the payment of the provider's own number; None if there is none.

        Raises:
            PaymentGatewayUnavailableError: No usable answer; ask again later.
        """

    def payment_id_in(self, body: str) -> str:
        """Return which payment a stored webhook names, by the provider's number, or nothing."""

    def authenticate(self, body: bytes, signature: str | None) -> WebhookNotice:
        """Return what a webhook is about, if the provider signed exactly these bytes.

        Raises:
            WebhookRefusedError: It did not.
        """
