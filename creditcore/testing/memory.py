"""An in-memory adapter for every port.

A fake here is a real, small adapter: it enforces uniqueness, forgets what is not
committed, and lets one writer work at a time.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from creditcore.domain.activity import Activity
from creditcore.domain.alerts import Alert
from creditcore.domain.books import Books, Footprint, counters_read
from creditcore.domain.catalogue import ListedModel, PastPrice, PriceRule
from creditcore.domain.credentials import Credential, MailedLink
from creditcore.domain.documents import Document, DocumentKind
from creditcore.domain.endings import ending_of
from creditcore.domain.errors import (
    ApiKeyNotFoundError,
    EmailTakenError,
    HoldNotFoundError,
    PersonNotFoundError,
    PurchaseNotFoundError,
    ReferenceConflictError,
    StoreBusyError,
    UpstreamUnavailableError,
    WalletNotFoundError,
    WebhookRefusedError,
)
from creditcore.domain.holds import Call, Hold
from creditcore.domain.jobs import Job
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import PlatformAccount, Transfer, TransferKind, Wallet
from creditcore.domain.limits import KeyCounter, KeyLimits
from creditcore.domain.low_balance import LowBalanceWatch
from creditcore.domain.mail import MailRecipient
from creditcore.domain.mirrors import KeyMirror
from creditcore.domain.money import ZERO, Credits, Money
from creditcore.domain.monitoring import Reading
from creditcore.domain.people import Person
from creditcore.domain.pricing import ModelPrice
from creditcore.domain.purchases import MASK, Payment, PaymentStatus, Purchase, PurchaseState
from creditcore.domain.refunds import Refund
from creditcore.domain.refusals import RefusedCall
from creditcore.domain.reviews import Review
from creditcore.domain.runaway import MinuteSpend
from creditcore.domain.sale_terms import Bought
from creditcore.domain.sessions import Session
from creditcore.domain.teams import Invitation, Membership, Team
from creditcore.domain.usage_hours import NOTHING_USED, Tally, tally_of
from creditcore.ports.audit import Breach
from creditcore.ports.calls import ALL_CALLS, CallFilter, Place, WantedCalls
from creditcore.ports.model_gateway import Catalogue
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import (
    CheckoutRequest,
    EventKind,
    FailureReason,
    MobileCharge,
    MobileChargeRequest,
    MobileNetwork,
    WebhookNotice,
)
from creditcore.ports.repeats import RepeatableCall
from creditcore.testing.memory_activity import MemoryActivityLog
from creditcore.testing.memory_catalogue import MemoryCatalogue
from creditcore.testing.memory_claims import MemoryClaims
from creditcore.testing.memory_documents import MemoryDocuments
from creditcore.testing.memory_identity import (
    MemoryCredentials,
    MemoryDailyGrants,
    MemoryFlows,
    MemorySessions,
)
from creditcore.testing.memory_jobs import MemoryJobs
from creditcore.testing.memory_low_balance import MemoryLowBalanceWatches
from creditcore.testing.memory_mail import MemoryMailRecipients
from creditcore.testing.memory_mirrors import MemoryKeyMirrors, renewed
from creditcore.testing.memory_monitoring import MemoryMonitoringLog
from creditcore.testing.memory_oversight import MemoryOversight
from creditcore.testing.memory_refusals import MemoryRefusedCalls
from creditcore.testing.memory_reviews import MemoryReviews
from creditcore.testing.memory_statements import MemoryStatements
from creditcore.testing.memory_teams import MemoryInvitations, MemoryTeams
from creditcore.testing.memory_usage_hours import Identity as UsageIdentity
from creditcore.testing.memory_usage_hours import MemoryUsageHours, UsageRow

Row = TypeVar("Row")


@dataclass
class FixedClock:
    """A clock that moves when it is told to.

    Attributes:
        at: The time of day, which may also be set, forwards or back.
        elapsed: How much time has passed, which cannot.
    """

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    elapsed: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.at

    def monotonic(self) -> float:
        """Return how many seconds have passed."""
        return self.elapsed.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by
        self.elapsed += by


class SequentialIds:
    """Names that count upwards."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """Return the next UUID-shaped name."""
        return f"00000000-0000-7000-8000-{next(self._numbers):012d}"

    def new_reference(self, prefix: str) -> str:
        """Return the next reference."""
        return f"{prefix}-{next(self._numbers)}"


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
    low_balance: dict[str, LowBalanceWatch] = field(default_factory=dict)
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
    refused: dict[str, RefusedCall] = field(default_factory=dict)

    def copy(self) -> MemoryTables:
        """Return tables that can change without changing these."""
        return MemoryTables(**{name: dict(table) for name, table in vars(self).items()})


class MemoryTransactions:
    """One writer at a time works on a copy; only commit() makes the copy the truth."""

    def __init__(self) -> None:
        self.committed = MemoryTables()
        self._writing = threading.Lock()
        self._mine = threading.local()

    @contextmanager
    def begin(self) -> Iterator[MemoryTransaction]:
        """Open a transaction; a second one waits until it has ended."""
        if getattr(self._mine, "open", False):
            raise RuntimeError("a transaction is open already")
        with self._writing:
            self._mine.open = True
            try:
                yield MemoryTransaction(self)
            finally:
                self._mine.open = False


class MemoryTransaction:
    """One open transaction."""

    def __init__(self, store: MemoryTransactions) -> None:
        self._store = store
        tables = store.committed.copy()
        self._tables = tables
        self.ledger = MemoryLedger(tables)
        self.keys = MemoryApiKeys(tables)
        self.calls = MemoryCalls(tables)
        self.refusals = MemoryRefusedCalls(tables.refused)
        self.repeats = MemoryRepeatableCalls(tables)
        self.usage_hours = MemoryUsageHours(tables.holds, tables.usage_rows, tables.rolled)
        self.purchases = MemoryPurchases(tables)
        self.refunds = MemoryRefunds(tables)
        self.reviews = MemoryReviews(tables.reviews)
        self.low_balance = MemoryLowBalanceWatches(tables.low_balance, tables.wallets)
        self.statements = MemoryStatements(tables.wallets, tables.transfers, tables.holds)
        self.documents = MemoryDocuments(tables.documents, tables.purchases, tables.refunds)
        self.payment_events = MemoryPaymentEvents(tables)
        self.people = MemoryPeople(tables)
        self.teams = MemoryTeams(tables.teams, tables.memberships)
        self.invitations = MemoryInvitations(tables.invitations)
        self.credentials = MemoryCredentials(tables.people, tables.credentials, tables.mailed_links)
        self.sessions = MemorySessions(tables.sessions)
        self.flows = MemoryFlows(tables.flows)
        self.claims = MemoryClaims(tables.claims)
        self.daily_grants = MemoryDailyGrants(tables.daily_grants)
        self.prices = MemoryPrices(tables)
        self.catalogue = MemoryCatalogue(
            tables.listed_models, tables.price_rules, tables.price_changes, tables.price_times
        )
        self.jobs = MemoryJobs(tables.jobs)
        self.monitoring = MemoryMonitoringLog(tables.readings)
        self.activity = MemoryActivityLog(tables.activity)
        self.mirrors = MemoryKeyMirrors(tables.mirrors, tables.keys, tables.transfers)
        self.mail_recipients = MemoryMailRecipients(tables.mail_recipients)
        self.alerts = MemoryAlerts(tables)
        self.audit = MemoryAudit(tables)
        self.oversight = MemoryOversight(tables)

    def commit(self) -> None:
        """Make the copy the truth."""
        self._store.committed = self._tables.copy()


@dataclass
class MemoryLedger:
    """Wallets, holds and transfers."""

    tables: MemoryTables

    def add_wallet(self, wallet: Wallet) -> None:
        """Add a wallet; an owner has one."""
        wallet.require_empty()
        taken = any(other.owner_id == wallet.owner_id for other in self.tables.wallets.values())
        if taken or wallet.id in self.tables.wallets:
            raise ReferenceConflictError(wallet.id)
        self.tables.wallets[wallet.id] = wallet

    def find_wallet(self, wallet_id: str) -> Wallet:
        """Return a wallet."""
        if wallet_id not in self.tables.wallets:
            raise WalletNotFoundError(wallet_id)
        return self.tables.wallets[wallet_id]

    def find_wallet_of(self, owner_id: str) -> Wallet:
        """Return an owner's wallet."""
        for wallet in self.tables.wallets.values():
            if wallet.owner_id == owner_id:
                return wallet
        raise WalletNotFoundError(owner_id)

    def find_wallets_of(self, owner_ids: Collection[str]) -> Mapping[str, Wallet]:
        """Return the wallets of these owners."""
        found = self.tables.wallets.values()
        return {wallet.owner_id: wallet for wallet in found if wallet.owner_id in owner_ids}

    def lock(self, footprint: Footprint) -> Books:
        """Return the books; the one writer has everything locked already."""
        keys = {
            key.key_hash: key
            for key in self.tables.keys.values()
            if key.key_hash in footprint.key_hashes
        }
        wanted = {*footprint.wallet_ids, *(key.wallet_id for key in keys.values())}
        holds = _chosen(self.tables.holds, [*footprint.hold_references, *footprint.new_references])
        counted = counters_read(footprint, keys.values(), holds.values())
        return Books(
            keys=keys,
            wallets=_chosen(self.tables.wallets, wanted),
            holds=holds,
            counters=_chosen(self.tables.counters, counted),
            transfers=_chosen(self.tables.transfers, footprint.transfer_references),
        )

    def write(self, books: Books) -> None:
        """Write what changed."""
        for reference in books.new_holds:
            if reference in self.tables.holds:
                raise ReferenceConflictError(reference)
        for reference, (before, _) in books.changed_holds.items():
            if self.tables.holds.get(reference) != before:
                raise StoreBusyError("A hold was changed by somebody else; nothing was written.")
        for name, (counter, _) in books.changed_counters.items():
            if self.tables.counters.get(name) != counter:
                raise StoreBusyError("A counter was changed by somebody else.")
        for transfer in books.new_transfers:
            if transfer.reference in self.tables.transfers:
                raise ReferenceConflictError(transfer.reference)
            self.tables.transfers[transfer.reference] = transfer
        self.tables.holds.update(books.new_holds)
        self.tables.holds.update({name: hold for name, (_, hold) in books.changed_holds.items()})
        self.tables.wallets.update(books.changed_wallets)
        self.tables.counters.update(
            {name: now for name, (_, now) in books.changed_counters.items()}
        )
        for alert in books.new_alerts:
            self.tables.alerts.setdefault(alert.key, alert)

    def expired_holds(self, *, now: datetime, limit: int) -> Sequence[Hold]:
        """Return overdue holds, oldest first."""
        overdue = [
            hold for hold in self.tables.holds.values() if hold.is_open and hold.expires_at <= now
        ]
        return sorted(overdue, key=lambda hold: hold.expires_at)[:limit]

    def transfers_of(
        self, wallet_id: str, *, limit: int, before: tuple[datetime, str] | None = None
    ) -> Sequence[Transfer]:
        """Return a wallet's latest transfers beside those of calls."""
        of_calls = (TransferKind.CHARGE, TransferKind.WRITE_OFF)
        found = [
            transfer
            for transfer in self.tables.transfers.values()
            if transfer.wallet_id == wallet_id and transfer.kind not in of_calls
        ]
        return _latest(found, lambda row: (row.at, row.reference), limit, before)


def _latest(
    rows: list[Row],
    place: Callable[[Row], tuple[datetime, str]],
    limit: int,
    before: tuple[datetime, str] | None,
) -> list[Row]:
    wanted = [row for row in rows if before is None or place(row) < before]
    return sorted(wanted, key=place, reverse=True)[:limit]


def _is_among(hold: Hold, which: CallFilter) -> bool:
    call = hold.call or Call(model="")
    wanted = (which.key_id, which.model, which.endpoint, which.state, which.failed)
    found = (call.key_id, call.model, call.endpoint, hold.state, hold.outcome.error is not None)
    return (
        all(want is None or want == have for want, have in zip(wanted, found, strict=True))
        and (which.since is None or hold.created_at >= which.since)
        and (which.until is None or hold.created_at < which.until)
    )


def _chosen(table: dict[str, Row], names: Collection[str]) -> dict[str, Row]:
    return {name: table[name] for name in names if name in table}


@dataclass
class MemoryApiKeys:
    """API keys."""

    tables: MemoryTables

    def add(self, key: ApiKey) -> None:
        """Add a key."""
        if key.id in self.tables.keys or self.find_by_hash(key.key_hash) is not None:
            raise ReferenceConflictError(key.id)
        self.tables.keys[key.id] = key
        self.tables.mirrors[key.id] = renewed(None, key.id)

    def list_of(self, owner_id: str) -> Sequence[ApiKey]:
        """Return an owner's keys."""
        found = [key for key in self.tables.keys.values() if key.owner_id == owner_id]
        return sorted(found, key=lambda key: key.created_at, reverse=True)

    def held_by(self, person_id: str) -> Sequence[ApiKey]:
        """Return the keys of teams that a person holds."""
        found = [key for key in self.tables.keys.values() if key.holder_id == person_id != ""]
        return sorted(found, key=lambda key: (key.created_at, key.id), reverse=True)

    def page_of(
        self,
        owner_id: str,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        holder_id: str = "",
    ) -> Sequence[ApiKey]:
        """Return some of an owner's keys."""
        found = [
            key
            for key in self.tables.keys.values()
            if key.owner_id == owner_id and holder_id in {"", key.holder_id}
        ]
        return _latest(found, lambda key: (key.created_at, key.id), limit, before)

    def find(self, key_id: str, *, owner_id: str) -> ApiKey:
        """Return one of an owner's keys."""
        return self.lock(key_id, owner_id=owner_id)

    def of_wallet(self, wallet_id: str) -> Sequence[ApiKey]:
        """Return the keys that draw on a wallet."""
        found = [key for key in self.tables.keys.values() if key.wallet_id == wallet_id]
        return sorted((key for key in found if key.revoked_at is None), key=lambda key: key.id)

    def with_stops(self, *, after: str, limit: int) -> Sequence[ApiKey]:
        """Return running keys with a stop."""
        found = [
            key
            for key in self.tables.keys.values()
            if key.stop and key.id > after and key.paused_at is None and key.revoked_at is None
        ]
        return sorted(found, key=lambda key: key.id)[:limit]

    def account_limits(self, wallet_id: str) -> KeyLimits | None:
        """Return what the keys of a wallet may use together."""
        return self.tables.account_limits.get(wallet_id)

    def wallets_without_limits(self, *, limit: int) -> Sequence[str]:
        """Return ids of wallets whose keys have no limits together."""
        return sorted(self.tables.wallets.keys() - self.tables.account_limits.keys())[:limit]

    def set_account_limits(self, wallet_id: str, limits: KeyLimits) -> None:
        """Keep what the keys of a wallet may use together."""
        self.tables.account_limits[wallet_id] = limits

    def lock(self, key_id: str, *, owner_id: str) -> ApiKey:
        """Return one of an owner's keys."""
        key = self.tables.keys.get(key_id)
        if key is None or key.owner_id != owner_id:
            raise ApiKeyNotFoundError(key_id)
        return key

    def save(self, key: ApiKey) -> None:
        """Write a changed key."""
        self.tables.keys[key.id] = key
        self.tables.mirrors[key.id] = renewed(self.tables.mirrors[key.id], key.id)

    def find_by_hash(self, key_hash: bytes) -> ApiKey | None:
        """Return the key with this hash."""
        for key in self.tables.keys.values():
            if key.key_hash == key_hash:
                return key
        return None

    def counters(self, counter_ids: Collection[str]) -> dict[str, KeyCounter]:
        """Return counters."""
        return _chosen(self.tables.counters, counter_ids)

    def set_counter(self, counter: KeyCounter) -> None:
        """Write a counter."""
        self.tables.counters[counter.id] = counter


@dataclass
class MemoryRepeatableCalls:
    """Tokens of the last day."""

    tables: MemoryTables

    def claim(self, call: RepeatableCall, *, forget_before: datetime) -> RepeatableCall:
        """Return the call that a token stands for."""
        earlier = self.tables.repeats.get(call.id)
        if earlier is None or earlier.created_at < forget_before:
            self.tables.repeats[call.id] = call
        return self.tables.repeats[call.id]

    def keep(self, call_id: str, *, status: int, answer: bytes) -> None:
        """Keep what a call answered."""
        if (call := self.find_by_call(call_id)) is not None:
            self.tables.repeats[call.id] = replace(call, status=status, answer=answer)

    def find_by_call(self, call_id: str) -> RepeatableCall | None:
        """Return the token that stands for a call."""
        return next((row for row in self.tables.repeats.values() if row.call_id == call_id), None)

    def forget(self, *, before: datetime, limit: int) -> int:
        """Delete old tokens."""
        old = [name for name, row in self.tables.repeats.items() if row.created_at < before]
        for name in old[:limit]:
            del self.tables.repeats[name]
        return len(old[:limit])


@dataclass
class MemoryCalls:
    """Calls, to be read."""

    tables: MemoryTables

    def recent(self, wallet_id: str, *, limit: int) -> Sequence[Hold]:
        """Return a wallet's latest calls."""
        return self.page_of(wallet_id, limit=limit)

    def page_of(
        self,
        wallet_id: str,
        *,
        limit: int,
        which: CallFilter = ALL_CALLS,
        before: tuple[datetime, str] | None = None,
    ) -> Sequence[Hold]:
        """Return some of a wallet's calls."""
        found = [
            hold
            for hold in self.tables.holds.values()
            if hold.wallet_id == wallet_id and _is_among(hold, which)
        ]
        return _latest(found, lambda hold: (hold.created_at, hold.reference), limit, before)

    def spend_by_minute(
        self, wallet_id: str, counter_id: str, *, since: datetime, until: datetime
    ) -> Sequence[MinuteSpend]:
        """Return what the calls of a key were charged, by minute."""
        secrets = {key.id for key in self.tables.keys.values() if key.counter_id == counter_id}
        found: dict[datetime, Credits] = {}
        for hold in self.tables.holds.values():
            is_its_own = hold.wallet_id == wallet_id and hold.call and hold.call.key_id in secrets
            if is_its_own and hold.charged and hold.closed_at and since <= hold.closed_at < until:
                minute = hold.closed_at.replace(second=0, microsecond=0)
                found[minute] = found.get(minute, ZERO) + hold.charged
        return [MinuteSpend(minute, found[minute]) for minute in sorted(found)]

    def tallies_by_endpoint(
        self, wallet_id: str, *, since: datetime, until: datetime
    ) -> dict[str, Tally]:
        """Return what calls came to, by their route."""
        tallies: dict[str, Tally] = {}
        for hold in self.tables.holds.values():
            if hold.wallet_id != wallet_id or hold.closed_at is None or hold.call is None:
                continue
            if since <= hold.closed_at < until:
                name = hold.call.endpoint
                tallies[name] = tallies.get(name, NOTHING_USED) + tally_of(hold)
        return tallies

    def older(
        self, wanted: WantedCalls, *, than: Place | None = None, limit: int
    ) -> Sequence[Hold]:
        """Return the latest of some calls, or those before a place; newest first."""
        found = [hold for hold in self._wanted(wanted) if than is None or _place(hold) < than]
        return found[:limit]

    def newer(self, wanted: WantedCalls, *, than: Place, limit: int) -> Sequence[Hold]:
        """Return those of some calls that come next after a place; newest first."""
        return [hold for hold in self._wanted(wanted) if _place(hold) > than][-limit:]

    def first_began_at(self, wallet_id: str) -> datetime | None:
        """Return when the first call of a wallet began; None where there is none."""
        mine = [hold for hold in self.tables.holds.values() if hold.wallet_id == wallet_id]
        return min((hold.created_at for hold in mine), default=None)

    def _wanted(self, wanted: WantedCalls) -> list[Hold]:
        found = [hold for hold in self.tables.holds.values() if _is_wanted(hold, wanted)]
        return sorted(found, key=_place, reverse=True)

    def find(self, reference: str, *, wallet_id: str) -> Hold:
        """Return one call of a wallet."""
        hold = self.tables.holds.get(reference)
        if hold is None or hold.wallet_id != wallet_id:
            raise HoldNotFoundError(reference)
        return hold

    def find_all(self, references: Collection[str]) -> Mapping[str, Hold]:
        """Return the calls that have these names."""
        holds = self.tables.holds
        return {name: holds[name] for name in references if name in holds}

    def closed_after(
        self, closed_at: datetime, reference: str, *, before: datetime, limit: int
    ) -> Sequence[Hold]:
        """Return calls in the order in which they ended."""
        ended = [
            (hold.closed_at, hold.reference)
            for hold in self.tables.holds.values()
            if hold.closed_at is not None
        ]
        wanted = sorted(end for end in ended if (closed_at, reference) < end < (before, ""))
        return [self.tables.holds[name] for _, name in wanted[:limit]]


def _place(hold: Hold) -> Place:
    return Place(hold.created_at, hold.reference)


def _is_wanted(hold: Hold, wanted: WantedCalls) -> bool:
    call = hold.call
    ended = wanted.ended
    at = hold.closed_at or hold.created_at
    return (
        hold.wallet_id == wanted.wallet_id
        and wanted.key_id in {None, (call.key_id if call else None) or ""}
        and wanted.model in {None, call.model if call else None}
        and wanted.ending in {None, ending_of(hold)}
        and hold.charged >= wanted.at_least
        and (ended is None or ended.since <= at < ended.until)
        and (wanted.began_from is None or hold.created_at >= wanted.began_from)
        and hold.reference.startswith(wanted.search)
    )


@dataclass
class MemoryPurchases:
    """Purchases."""

    tables: MemoryTables

    def add(self, purchase: Purchase) -> None:
        """Add a purchase."""
        if purchase.reference in self.tables.purchases:
            raise ReferenceConflictError(purchase.reference)
        self.tables.purchases[purchase.reference] = purchase

    def find(self, reference: str) -> Purchase:
        """Return a purchase."""
        if reference not in self.tables.purchases:
            raise PurchaseNotFoundError(reference)
        return self.tables.purchases[reference]

    def lock(self, reference: str) -> Purchase:
        """Return a purchase."""
        return self.find(reference)

    def save(self, purchase: Purchase) -> None:
        """Write a changed purchase."""
        self.tables.purchases[purchase.reference] = purchase

    def list_of(
        self, owner_id: str, *, limit: int, before: tuple[datetime, str] | None = None
    ) -> Sequence[Purchase]:
        """Return an owner's latest purchases."""
        found = [row for row in self.tables.purchases.values() if row.owner_id == owner_id]
        return _latest(found, lambda row: (row.created_at, row.reference), limit, before)

    def mask_phones(self, *, created_before: datetime, limit: int) -> int:
        """Keep only the last three digits of phones that paid."""
        found = [
            row
            for row in self.tables.purchases.values()
            if row.payer and MASK not in row.payer.phone and row.created_at < created_before
        ][:limit]
        for row in found:
            masked = row.payer.masked if row.payer else None
            self.tables.purchases[row.reference] = replace(row, payer=masked)
        return len(found)

    def bought(self, owner_id: str, *, since: datetime, now: datetime) -> Bought:
        """Return what a person bought, or may still pay, of what was begun since then."""
        begun = [
            row
            for row in self.tables.purchases.values()
            if row.owner_id == owner_id and row.created_at >= since
        ]
        cents = sum(row.offer.value.minor_units for row in begun if _has_value(row, now))
        return Bought(len(begun), Money(cents, "USD"))

    def among(self, references: Collection[str]) -> Mapping[str, Purchase]:
        """Return which of these are purchases."""
        return _chosen(self.tables.purchases, references)

    def paid_between(
        self, since: datetime, until: datetime, *, after: str, limit: int
    ) -> Sequence[Purchase]:
        """Return purchases of a period that were credited."""
        found = [
            row
            for row in self.tables.purchases.values()
            if row.state in (PurchaseState.PAID, PurchaseState.REVERSED)
            and since <= row.created_at < until
            and row.reference > after
        ]
        return sorted(found, key=lambda row: row.reference)[:limit]

    def pending(self, *, created_before: datetime, limit: int) -> Sequence[Purchase]:
        """Return purchases that wait for their payment."""
        found = [
            row
            for row in self.tables.purchases.values()
            if row.state is PurchaseState.PENDING and row.created_at <= created_before
        ]
        return sorted(found, key=lambda row: row.created_at, reverse=True)[:limit]


def _has_value(purchase: Purchase, now: datetime) -> bool:
    if purchase.state is PurchaseState.PENDING:
        return purchase.expires_at > now
    return purchase.state in (PurchaseState.PAID, PurchaseState.UNDER_REVIEW)


@dataclass
class MemoryRefunds:
    """Refunds and disputes."""

    tables: MemoryTables

    def of(self, purchase_reference: str) -> Sequence[Refund]:
        """Return the refunds of a payment."""
        return self._oldest(lambda row: row.purchase == purchase_reference)

    def save(self, refund: Refund) -> None:
        """Write a refund; the provider's number is unique."""
        for other in self.tables.refunds.values():
            same = (other.kind, other.provider_id) == (refund.kind, refund.provider_id)
            if refund.provider_id and same and other.id != refund.id:
                raise ReferenceConflictError(refund.provider_id)
        self.tables.refunds[refund.id] = refund

    def under_way(self, *, updated_before: datetime, limit: int) -> Sequence[Refund]:
        """Return refunds that have not ended."""
        found = self._oldest(lambda row: row.is_under_way and row.updated_at <= updated_before)
        return sorted(found, key=lambda row: (row.updated_at, row.id))[:limit]

    def _oldest(self, wanted: Callable[[Refund], bool]) -> list[Refund]:
        found = [row for row in self.tables.refunds.values() if wanted(row)]
        return sorted(found, key=lambda row: (row.created_at, row.id))


@dataclass
class MemoryPaymentEvents:
    """Webhooks as received."""

    tables: MemoryTables

    def record(self, event: PaymentEvent) -> PaymentEvent:
        """Keep an event once, and count its deliveries."""
        kept = self.tables.events.get(event.digest)
        kept = replace(kept, deliveries=kept.deliveries + 1) if kept else event
        self.tables.events[event.digest] = kept
        return kept

    def lock_due(self, *, now: datetime) -> PaymentEvent | None:
        """Return the event that has been due for longest."""
        due = [
            (event.due_at, event.digest)
            for event in self.tables.events.values()
            if event.due_at is not None and event.due_at <= now
        ]
        return self.tables.events[min(due)[1]] if due else None

    def save(self, event: PaymentEvent) -> None:
        """Write how often an event was tried, and when it is due."""
        kept = self.tables.events[event.digest]
        self.tables.events[event.digest] = replace(
            kept, attempts=event.attempts, due_at=event.due_at
        )

    def complete(self, *, received_before: datetime, limit: int) -> Sequence[PaymentEvent]:
        """Return events that are done and still have all they came with, oldest first."""
        found = [
            event
            for event in self.tables.events.values()
            if event.due_at is None
            and event.received_at < received_before
            and event.digest not in self.tables.reduced_events
        ]
        return sorted(found, key=lambda event: event.received_at)[:limit]

    def reduce(self, digest: str, *, body: str, at: datetime) -> None:
        """Replace the body of an event by what is left of it."""
        self.tables.events[digest] = replace(self.tables.events[digest], body=body)
        self.tables.reduced_events[digest] = at


@dataclass
class MemoryPeople:
    """Profiles."""

    tables: MemoryTables

    def add(self, person: Person) -> None:
        """Add a person."""
        if self.find_by_email(person.email) is not None or person.id in self.tables.people:
            raise EmailTakenError
        self.tables.people[person.id] = person

    def find(self, person_id: str) -> Person | None:
        """Return a person."""
        return self.tables.people.get(person_id)

    def find_by_email(self, email: str) -> Person | None:
        """Return the person with an address."""
        for person in self.tables.people.values():
            if person.email == email:
                return person
        return None

    def find_by_subject(self, subject: str) -> Person | None:
        """Return the person whom the identity provider knows by an id."""
        for person in self.tables.people.values():
            if person.provider_subject == subject:
                return person
        return None

    def lock(self, person_id: str) -> Person | None:
        """Return a person."""
        return self.find(person_id)

    def save(self, person: Person) -> None:
        """Write a changed person."""
        if person.id not in self.tables.people:
            raise PersonNotFoundError(person.id)
        for other in self.tables.people.values():
            taken = other.email == person.email or (
                other.subject and other.subject == person.subject
            )
            if other.id != person.id and taken:
                raise ReferenceConflictError(person.id)
        self.tables.people[person.id] = person


@dataclass
class MemoryPrices:
    """The price list."""

    tables: MemoryTables

    def all(self) -> Sequence[ModelPrice]:
        """Return every price."""
        return sorted(self.tables.prices.values(), key=lambda price: price.model)

    def replace_all(self, prices: Sequence[ModelPrice], *, at: datetime) -> None:  # noqa: ARG002
        """Make this the list."""
        self.tables.prices.clear()
        self.tables.prices.update({price.model: price for price in prices})
        self.tables.snapshots.update({price.snapshot: price for price in prices})

    def find_snapshot(self, snapshot: str) -> ModelPrice | None:
        """Return a price as it was."""
        return self.tables.snapshots.get(snapshot)


@dataclass
class MemoryAlerts:
    """Alerts for the operator."""

    tables: MemoryTables

    def add(self, alert: Alert) -> None:
        """Raise an alert once."""
        self.tables.alerts.setdefault(alert.key, alert)

    def recent(
        self, *, limit: int, only_open: bool = False, before: Place | None = None
    ) -> Sequence[Alert]:
        """Return the latest alerts."""
        chosen = [row for row in self.tables.alerts.values() if row.is_open or not only_open]
        return _latest(chosen, lambda row: (row.at, row.key), limit, before)

    def lock(self, key: str) -> Alert | None:
        """Return an alert."""
        return self.tables.alerts.get(key)

    def save(self, alert: Alert) -> None:
        """Write a changed alert."""
        self.tables.alerts[alert.key] = alert


@dataclass
class MemoryAudit:
    """Looks for contradictions in the tables."""

    tables: MemoryTables

    def breaches(self, invariant: str, *, limit: int) -> Sequence[Breach]:
        """Return rows that break an invariant."""
        check = {
            "I1": self._posted,
            "I2": self._held,
            "I5": self._charged_once,
            "I4": self._granted_once,
            "I9": self._owed,
            "I10": self._reversed,
        }.get(invariant)
        return [] if check is None else list(itertools.islice(check(), limit))

    def counts(self) -> dict[str, int]:
        """Return how many rows were looked at."""
        names = ("wallets", "transfers", "holds", "purchases")
        return {name: len(getattr(self.tables, name)) for name in names}

    def _posted(self) -> Iterator[Breach]:
        for wallet in self.tables.wallets.values():
            moved = sum(
                transfer.amount.microcredits * ((transfer.to_account == wallet.id) * 2 - 1)
                for transfer in self.tables.transfers.values()
                if wallet.id in (transfer.from_account, transfer.to_account)
            )
            if moved != wallet.posted.microcredits:
                yield _breach("I1", f"wallets {wallet.id}", wallet.posted, Credits(moved))

    def _held(self) -> Iterator[Breach]:
        for wallet in self.tables.wallets.values():
            held = sum(
                hold.amount.microcredits
                for hold in self.tables.holds.values()
                if hold.is_open and hold.wallet_id == wallet.id
            )
            if held != wallet.held.microcredits:
                yield _breach("I2", f"wallets {wallet.id}", wallet.held, Credits(held))

    def _charged_once(self) -> Iterator[Breach]:
        for hold in self.tables.holds.values():
            transfer = self.tables.transfers.get(f"charge:{hold.reference}")
            moved = transfer.amount if transfer else ZERO
            if moved != hold.charged or (hold.is_open and transfer):
                yield _breach("I5", f"usage_logs {hold.reference}", hold.charged, moved)

    def _granted_once(self) -> Iterator[Breach]:
        for purchase in self.tables.purchases.values():
            paid = purchase.state in (PurchaseState.PAID, PurchaseState.REVERSED)
            for account, amount in (
                (PlatformAccount.SALES, purchase.offer.sold),
                (PlatformAccount.BONUS, purchase.offer.bonus),
            ):
                reference = f"purchase:{purchase.reference}:{account}"
                transfer = self.tables.transfers.get(reference)
                moved = transfer.amount if transfer else ZERO
                due = amount if paid else ZERO
                if moved != due:
                    yield _breach("I4", f"transfers {reference}", moved, due)

    def _owed(self) -> Iterator[Breach]:
        for wallet in self.tables.wallets.values():
            owed = sum(
                transfer.amount.microcredits
                * (
                    (transfer.from_account == PlatformAccount.RECEIVABLE)
                    - (transfer.to_account == PlatformAccount.RECEIVABLE)
                )
                for transfer in self.tables.transfers.values()
                if transfer.wallet_id == wallet.id
            )
            if owed != wallet.owed.microcredits:
                yield _breach("I9", f"wallets {wallet.id}", wallet.owed, Credits(owed))

    def _reversed(self) -> Iterator[Breach]:
        for refund in self.tables.refunds.values():
            moved = sum(
                transfer.amount.microcredits
                * ((transfer.to_account == PlatformAccount.REFUNDS) * 2 - 1)
                for transfer in self.tables.transfers.values()
                if transfer.reference.startswith(f"refund:{refund.id}:")
            )
            if moved != refund.credits.microcredits:
                yield _breach("I10", f"refunds {refund.id}", refund.credits, Credits(moved))
        for purchase in self.tables.purchases.values():
            refunds = [row for row in self.tables.refunds.values() if row.in_force]
            total = sum((r.credits for r in refunds if r.purchase == purchase.reference), ZERO)
            whole = purchase.state is PurchaseState.REVERSED
            if total > purchase.offer.credits or (whole and total != purchase.offer.credits):
                yield _breach(
                    "I10", f"transactions {purchase.reference}", total, purchase.offer.credits
                )


def _breach(invariant: str, row: str, stored: Credits, expected: Credits) -> Breach:
    return Breach(
        invariant,
        row,
        f"stored {stored.microcredits}, expected {expected.microcredits} microcredits",
    )


@dataclass
class MemoryPaymentGateway:
    """A payment provider that knows what it is told.

    Attributes:
        checkouts: What it was asked to collect, by reference.
        charges: Which phones it was asked to charge, by reference.
        charge_answer: What it answers to that.
        payments: What it reports of each reference.
        repeated: Further payments under a reference that it reports by their numbers alone.
        secret: What ``authenticate`` takes for a signature.
    """

    checkouts: dict[str, CheckoutRequest] = field(default_factory=dict)
    charges: dict[str, MobileChargeRequest] = field(default_factory=dict)
    charge_answer: MobileCharge = field(
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

    def redact(self, body: str) -> str:
        """Keep the name of the event alone."""
        return body.partition(" ")[0]

    def failure_reason(self, message: str) -> FailureReason:
        """Take the reason's own word for the message."""
        return FailureReason(message) if message in set(FailureReason) else FailureReason.OTHER

    def verify(self, reference: str) -> Payment | None:
        """Return what was told of a payment."""
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
        """Return the list."""
        if not self.available:
            raise UpstreamUnavailableError
        return Catalogue(self.prices, self.unpriced)

    def is_healthy(self) -> bool:
        """It always is."""
        return True
