"""A payment provider and a model server that know what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from creditcore.domain.errors import UpstreamUnavailableError, WebhookRefusedError
from creditcore.domain.money import Money
from creditcore.domain.payer_details import PayerAnswer
from creditcore.domain.pricing import ModelPrice
from creditcore.domain.purchases import Payment, PaymentStatus
from creditcore.ports.model_gateway import Catalogue
from creditcore.ports.payments import (
    CheckoutRequest,
    EventKind,
    FailureReason,
    MobileCharge,
    MobileChargeRequest,
    MobileNetwork,
    WebhookNotice,
)


@dataclass
class MemoryPaymentGateway:
    """A payment provider that knows what it is told.

    Attributes:
        checkouts: What it was asked to collect, by reference.
        charges: Which phones it was asked to charge, by reference.
        charge_answer: What it answers to that.
        answers: What payers typed, with the references, in the order in which it came.
        submit_answer: What it answers to that.
        payments: What it reports of each reference.
        repeated: Further payments under a reference that it reports by their numbers alone.
        secret: What ``authenticate`` takes for a signature.
    """

    checkouts: dict[str, CheckoutRequest] = field(default_factory=dict)
    charges: dict[str, MobileChargeRequest] = field(default_factory=dict)
    charge_answer: MobileCharge = field(
        default=MobileCharge(status=PaymentStatus.PENDING, message="Look at your phone.")
    )
    answers: list[tuple[str, PayerAnswer]] = field(default_factory=list)
    submit_answer: MobileCharge = field(
        default=MobileCharge(status=PaymentStatus.PENDING, message="Look at your phone.")
    )
    payments: dict[str, Payment] = field(default_factory=dict)
    repeated: list[Payment] = field(default_factory=list)
    secret: str = "signed"  # noqa: S105 - a stand-in

    @property
    def signature_header(self) -> str:
        """Where ``secret`` is sent."""
        return "X-Signature"

    @property
    def checkout_origins(self) -> Sequence[str]:
        """Where its checkouts are."""
        return ("https://pay.example",)

    def minimum(self, currency: str) -> Money:
        """Return one whole unit of any currency."""
        return Money(100, currency)

    def start_checkout(self, request: CheckoutRequest) -> str:
        """Remember the checkout."""
        self.checkouts[request.reference] = request
        return f"https://pay.example/{request.reference}"

    def mobile_networks(self, currency: str) -> Sequence[MobileNetwork]:
        """Return one network, which pays in shillings."""
        if currency != "KES":
            return ()
        return (MobileNetwork(code="mpesa", name="M-Pesa", currency="KES", country="KE"),)

    def charge_mobile(self, request: MobileChargeRequest) -> MobileCharge:
        """Remember the charge, and answer as told."""
        self.charges[request.reference] = request
        return self.charge_answer

    def submit_detail(self, reference: str, answer: PayerAnswer) -> MobileCharge:
        """Remember what was typed, and answer as told."""
        self.answers.append((reference, answer))
        return self.submit_answer

    def charge_progress(self, reference: str) -> MobileCharge:
        """Repeat the answer to the last request about a charge."""
        was_answered = any(reference == answered for answered, _ in self.answers)
        return self.submit_answer if was_answered else self.charge_answer

    def redact(self, body: str) -> str:
        """Keep the name of the event alone."""
        return body.partition(" ")[0]

    def failure_reason(self, message: str) -> FailureReason:
        """Take the reason's own word for the message."""
        return FailureReason(message) if message in set(FailureReason) else FailureReason.OTHER

    def verify(self, reference: str) -> Payment | None:
        return self.payments.get(reference)

    def find(self, payment_id: str) -> Payment | None:
        """Return the payment of a number, among those that were told of and the repeated ones."""
        known = (*self.payments.values(), *self.repeated)
        return next((row for row in known if row.provider_id == payment_id), None)

    def payment_id_in(self, body: str) -> str:
        """Return the third word of a webhook ``name reference id``."""
        words = body.split(" ")
        return words[2] if len(words) > 2 else ""

    def authenticate(self, body: bytes, signature: str | None) -> WebhookNotice:
        """Take a webhook ``name reference ...``; the kind is the name up to a dot."""
        if signature != self.secret:
            raise WebhookRefusedError("The signature does not match.")
        name, _, rest = body.decode(errors="ignore").partition(" ")
        if not name:
            return WebhookNotice(kind=EventKind.UNREADABLE, name="", reference="")
        word = name.partition(".")[0]
        kind = EventKind(word) if word in set(EventKind) else EventKind.OTHER
        return WebhookNotice(kind=kind, name=name, reference=rest.partition(" ")[0])


@dataclass
class MemoryModelGateway:
    """A model server with a fixed price list."""

    prices: list[ModelPrice] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)
    available: bool = True

    def fetch_catalogue(self) -> Catalogue:
        if not self.available:
            raise UpstreamUnavailableError
        return Catalogue(self.prices, self.unpriced)

    def is_healthy(self) -> bool:
        """It always is."""
        return True
