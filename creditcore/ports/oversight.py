"""What an operator reads of all accounts: sums over all wallets, lists, and one search."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from creditcore.domain.holds import Hold
from creditcore.domain.ledger import TransferKind, Wallet
from creditcore.domain.money import ZERO, Credits, Money
from creditcore.domain.people import Person
from creditcore.domain.periods import Span
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.domain.teams import Team
from creditcore.domain.usage_hours import Tally
from creditcore.ports.calls import Place
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.usage_hours import ErrorCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Takings:
    """What came in through the payment provider in one currency.

    Attributes:
        payments: Credited payments, those that went back later included.
        paid: In minor units of the currency.
        refunded: What went back of it, or is on its way, in minor units.
        value_cents: What the payments were worth in US cents when they were made.
        refunded_cents: The same part of that which went back, rounded down.
    """

    currency: str
    payments: int
    paid: int
    refunded: int = 0
    value_cents: int = 0
    refunded_cents: int = 0

    @property
    def net(self) -> Money:
        """What is left of it."""
        return Money(self.paid - self.refunded, self.currency)

    @property
    def gone(self) -> Money:
        """What went back."""
        return Money(self.refunded, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletTotals:
    """All wallets added up.

    Attributes:
        posted: What people may still spend, held credits included: the liability.
        owed: What wallets owe after refunds.
    """

    wallets: int = 0
    posted: Credits = ZERO
    held: Credits = ZERO
    owed: Credits = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHolds:
    """Calls that run now, or never reported back.

    Attributes:
        oldest_at: When the first of them began.
    """

    number: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxDepth:
    """Webhooks that are not processed yet, and when the latest of all came."""

    waiting: int = 0
    oldest_received_at: datetime | None = None
    latest_received_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPayments:
    """Payments that were begun and have no end yet.

    Attributes:
        oldest_at: When the first of them began.
    """

    number: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A person with their wallet; None where they have none yet."""

    person: Person
    wallet: Wallet | None


@dataclass(frozen=True, slots=True)
class TeamAccount:
    """A team with its wallet, and how many people are in it."""

    team: Team
    wallet: Wallet
    members: int


class FoundKind(StrEnum):
    """What a search found."""

    PERSON = "person"
    TEAM = "team"
    KEY = "key"
    CALL = "call"
    REFUSED_CALL = "refused call"
    PAYMENT = "payment"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that a search found.

    Attributes:
        id: Its own name.
        label: What people call it: an address, a key's name, a model.
        owner_id: Whose it is: a person's or team's id; empty where that is unknown.
    """

    kind: FoundKind
    id: str
    label: str
    owner_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WantedFailures:
    """Which failed calls are asked for: those that ended in a span, of all or of one kind.

    Attributes:
        model, error: None asks for all.
    """

    span: Span
    model: str | None = None
    error: str | None = None


class Oversight(Protocol):
    """Reads over all wallets. Operators alone ask for them."""

    def totals(self) -> WalletTotals:
        """Return all wallets added up."""

    def credits_in(self, span: Span | None = None) -> Mapping[TransferKind, Credits]:
        """Return what wallets got beside calls, by kind, in a span or ever.

        What was taken from them counts against it: reversals and repayments are negative.
        """

    def takings(self, span: Span | None = None) -> Sequence[Takings]:
        """Return what was paid, by currency: payments that were credited in a span, or ever.

        A refund counts in the span in which it began, whenever the payment was made.
        """

    def usage(self, spans: Sequence[Span]) -> Sequence[Mapping[str, Tally]]:
        """Return what all wallets used in each span, by model; spans are as in ``UsageHours``."""

    def failures(self, spans: Sequence[Span]) -> Sequence[ErrorCount]:
        """Return how many calls of all wallets failed in each span, by model and error."""

    def failed_calls(
        self, wanted: WantedFailures, *, limit: int, before: Place | None = None
    ) -> Sequence[Hold]:
        """Return calls that failed, the latest to end first: those before a place.

        A place has when a call ended.
        """

    def active_wallets(self, span: Span) -> int:
        """Return how many wallets had a call that ended in a span of whole hours."""

    def open_holds(self) -> OpenHolds:
        """Return how many calls hold credits now, and since when."""

    def inbox(self) -> InboxDepth:
        """Return how many webhooks wait."""

    def open_payments(self) -> OpenPayments:
        """Return how many payments wait for their end."""

    def accounts(self, *, limit: int, before: Place | None = None) -> Sequence[Account]:
        """Return people, the latest to join first: those before a place."""

    def teams(self, *, limit: int, before: Place | None = None) -> Sequence[TeamAccount]:
        """Return teams, deleted ones too, the latest made first: those before a place."""

    def used_by(self, wallet_ids: Collection[str], *, since: datetime) -> Mapping[str, Tally]:
        """Return what some wallets used since a whole hour, by wallet, as far as rolled up."""

    def purchases(
        self, *, limit: int, before: Place | None = None, state: PurchaseState | None = None
    ) -> Sequence[Purchase]:
        """Return payments of all owners, the latest begun first: those before a place."""

    def events(
        self, *, limit: int, before: Place | None = None, only_waiting: bool = False
    ) -> Sequence[PaymentEvent]:
        """Return webhooks, the latest received first: those before a place.

        A place's reference is the event's digest.
        """

    def event(self, digest: str) -> PaymentEvent:
        """Return one webhook.

        Raises:
            WebhookNotFoundError: None has this digest.
        """

    def search(self, text: str, *, limit: int) -> Sequence[Found]:
        """Find things by one text, which is all or the beginning of a name.

        E-mail addresses, names of teams and references of payments are found by how they
        begin; ids of people, teams, wallets, keys and calls whole; keys by their shown prefix
        or last four characters; payments by the provider's number and the mobile network's
        code as well.
        """
