"""The payment provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from creditcore.domain.money import Money
from creditcore.domain.purchases import Payment


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

    def verify(self, reference: str) -> Payment | None:
        """Return what the provider knows of a payment; None if it never heard of it.

        Raises:
            PaymentGatewayUnavailableError: No usable answer; ask again later.
        """

    def authenticate(self, body: bytes, signature: str | None) -> WebhookNotice:
        """Return what a webhook is about, if the provider signed exactly these bytes.

        Raises:
            WebhookRefusedError: It did not.
        """
