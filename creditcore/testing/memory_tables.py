"""Everything stored, and how it is looked through."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from creditcore.domain.activity import Activity
from creditcore.domain.alerts import Alert
from creditcore.domain.catalogue import ListedModel, PastPrice, PriceRule
from creditcore.domain.credentials import Credential, MailedLink
from creditcore.domain.documents import Document, DocumentKind
from creditcore.domain.fiscal_stamps import FiscalStamp
from creditcore.domain.holds import Hold
from creditcore.domain.jobs import Job
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Transfer, Wallet
from creditcore.domain.limits import KeyCounter, KeyLimits
from creditcore.domain.low_balance import LowBalanceWatch
from creditcore.domain.mail import MailRecipient
from creditcore.domain.mirrors import KeyMirror
from creditcore.domain.money import Credits
from creditcore.domain.monitoring import Reading
from creditcore.domain.people import Person
from creditcore.domain.pricing import ModelPrice
from creditcore.domain.purchases import Purchase
from creditcore.domain.refunds import Refund
from creditcore.domain.refusals import RefusedCall
from creditcore.domain.reviews import Review
from creditcore.domain.saved_cards import CardConsent, SavedCard
from creditcore.domain.sessions import Session
from creditcore.domain.teams import Invitation, Membership, Team
from creditcore.domain.top_ups import TopUp, TopUpOrder
from creditcore.domain.weekly_summary import WeeklySummary
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.repeats import RepeatableCall
from creditcore.testing.memory_usage_hours import Identity as UsageIdentity
from creditcore.testing.memory_usage_hours import RefusalIdentity, UsageRow

Row = TypeVar("Row")


@dataclass
class MemoryTables:
    """Everything stored. Values are immutable, so a copy of the tables is a snapshot."""

    wallets: dict[str, Wallet] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    counters: dict[str, KeyCounter] = field(default_factory=dict)
    account_limits: dict[str, KeyLimits] = field(default_factory=dict)
    repeats: dict[str, RepeatableCall] = field(default_factory=dict)
    purchases: dict[str, Purchase] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    documents: dict[tuple[DocumentKind, str], Document] = field(default_factory=dict)
    fiscal_stamps: dict[str, FiscalStamp] = field(default_factory=dict)
    low_balance: dict[str, LowBalanceWatch] = field(default_factory=dict)
    weekly_summaries: dict[str, WeeklySummary] = field(default_factory=dict)
    cards: dict[str, SavedCard] = field(default_factory=dict)
    consents: dict[str, CardConsent] = field(default_factory=dict)
    top_up_orders: dict[str, TopUpOrder] = field(default_factory=dict)
    top_ups: dict[str, TopUp] = field(default_factory=dict)
    events: dict[str, PaymentEvent] = field(default_factory=dict)
    reduced_events: dict[str, datetime] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    memberships: dict[tuple[str, str], Membership] = field(default_factory=dict)
    invitations: dict[str, Invitation] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    mailed_links: dict[str, MailedLink] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    daily_grants: dict[date, Credits] = field(default_factory=dict)
    flows: dict[bytes, tuple[bytes, datetime]] = field(default_factory=dict)
    claims: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    prices: dict[str, ModelPrice] = field(default_factory=dict)
    snapshots: dict[str, ModelPrice] = field(default_factory=dict)
    listed_models: dict[str, ListedModel] = field(default_factory=dict)
    price_rules: dict[str, PriceRule] = field(default_factory=dict)
    price_changes: dict[int, PastPrice] = field(default_factory=dict)
    price_times: dict[str, datetime] = field(default_factory=dict)
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    mirrors: dict[str, KeyMirror] = field(default_factory=dict)
    mail_recipients: dict[str, MailRecipient] = field(default_factory=dict)
    activity: dict[int, Activity] = field(default_factory=dict)
    readings: dict[int, Reading] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    usage_rows: dict[UsageIdentity, UsageRow] = field(default_factory=dict)
    rolled: dict[str, datetime] = field(default_factory=dict)
    refusal_counts: dict[RefusalIdentity, int] = field(default_factory=dict)
    refused: dict[str, RefusedCall] = field(default_factory=dict)

    def copy(self) -> MemoryTables:
        """Return tables that can change without changing these."""
        return MemoryTables(**{name: dict(table) for name, table in vars(self).items()})


def latest(
    rows: list[Row],
    place: Callable[[Row], tuple[datetime, str]],
    limit: int,
    before: tuple[datetime, str] | None,
) -> list[Row]:
    """Return the last rows by their place, the latest first, beginning before one of them."""
    wanted = [row for row in rows if before is None or place(row) < before]
    return sorted(wanted, key=place, reverse=True)[:limit]


def chosen(table: dict[str, Row], names: Collection[str]) -> dict[str, Row]:
    """Return the rows of these names, as far as there are any."""
    return {name: table[name] for name in names if name in table}
