"""An in-memory adapter for every port.

A fake here is a real, small adapter: it enforces uniqueness, forgets what is not
committed, and lets one writer work at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from creditcore.testing.memory_activity import MemoryActivityLog
from creditcore.testing.memory_alerts import MemoryAlerts
from creditcore.testing.memory_audit import MemoryAudit
from creditcore.testing.memory_calls import MemoryCalls
from creditcore.testing.memory_cards import MemorySavedCards, MemoryTopUps
from creditcore.testing.memory_catalogue import MemoryCatalogue
from creditcore.testing.memory_claims import MemoryClaims
from creditcore.testing.memory_clock import FixedClock, SequentialIds
from creditcore.testing.memory_documents import MemoryDocuments
from creditcore.testing.memory_fiscal_stamps import MemoryFiscalStamps
from creditcore.testing.memory_gateways import MemoryModelGateway, MemoryPaymentGateway
from creditcore.testing.memory_identity import (
    MemoryCredentials,
    MemoryDailyGrants,
    MemoryFlows,
    MemorySessions,
)
from creditcore.testing.memory_jobs import MemoryJobs
from creditcore.testing.memory_keys import MemoryApiKeys, MemoryRepeatableCalls
from creditcore.testing.memory_ledger import MemoryLedger
from creditcore.testing.memory_low_balance import MemoryLowBalanceWatches
from creditcore.testing.memory_mail import MemoryMailRecipients
from creditcore.testing.memory_mirrors import MemoryKeyMirrors
from creditcore.testing.memory_monitoring import MemoryMonitoringLog
from creditcore.testing.memory_oversight import MemoryOversight
from creditcore.testing.memory_payments import MemoryPaymentEvents, MemoryPurchases, MemoryRefunds
from creditcore.testing.memory_people import MemoryPeople
from creditcore.testing.memory_prices import MemoryPrices
from creditcore.testing.memory_refusals import MemoryRefusedCalls
from creditcore.testing.memory_reviews import MemoryReviews
from creditcore.testing.memory_statements import MemoryStatements
from creditcore.testing.memory_tables import MemoryTables
from creditcore.testing.memory_teams import MemoryInvitations, MemoryTeams
from creditcore.testing.memory_usage_hours import MemoryUsageHours
from creditcore.testing.memory_weekly_summaries import MemoryWeeklySummaries

__all__ = [
    "FixedClock",
    "MemoryModelGateway",
    "MemoryPaymentGateway",
    "MemoryTables",
    "MemoryTransaction",
    "MemoryTransactions",
    "SequentialIds",
]


class MemoryTransactions:
    """One writer at a time works on a copy; only commit() makes the copy the truth."""

    def __init__(self) -> None:
        self.committed = MemoryTables()
        self._writing = threading.Lock()
        self._mine = threading.local()

    @contextmanager
    def begin(self) -> Iterator[MemoryTransaction]:
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
        self.usage_hours = MemoryUsageHours(
            tables.holds, tables.usage_rows, tables.rolled, tables.refusal_counts
        )
        self.purchases = MemoryPurchases(tables)
        self.refunds = MemoryRefunds(tables)
        self.reviews = MemoryReviews(tables.reviews)
        self.cards = MemorySavedCards(tables.cards, tables.consents)
        self.top_ups = MemoryTopUps(tables.top_up_orders, tables.top_ups, tables.wallets)
        self.low_balance = MemoryLowBalanceWatches(tables.low_balance, tables.wallets)
        self.weekly_summaries = MemoryWeeklySummaries(tables.weekly_summaries)
        self.statements = MemoryStatements(tables.wallets, tables.transfers, tables.holds)
        self.documents = MemoryDocuments(
            tables.documents, tables.purchases, tables.refunds, tables.fiscal_stamps
        )
        self.fiscal_stamps = MemoryFiscalStamps(tables.fiscal_stamps)
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
