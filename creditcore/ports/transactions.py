"""A database transaction, as the core sees it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from creditcore.ports.ledger import LockedBooks
from creditcore.ports.store_ports import (
    Commits,
    HasActivity,
    HasAlerts,
    HasAudit,
    HasCalls,
    HasCards,
    HasCatalogue,
    HasClaims,
    HasCredentials,
    HasDailyGrants,
    HasDocuments,
    HasFiscalStamps,
    HasFlows,
    HasInvitations,
    HasJobs,
    HasKeys,
    HasLedger,
    HasLowBalance,
    HasMailRecipients,
    HasMirrors,
    HasMonitoring,
    HasOversight,
    HasPaymentEvents,
    HasPeople,
    HasPrices,
    HasPurchases,
    HasRefunds,
    HasRefusals,
    HasRepeats,
    HasReviews,
    HasSessions,
    HasStatements,
    HasTeams,
    HasTopUps,
    HasUsageHours,
    HasWeeklySummaries,
)

AnyTransaction_co = TypeVar("AnyTransaction_co", covariant=True)


class BooksTransaction(Commits, Protocol):
    """One open transaction on wallets, holds and transfers alone."""

    @property
    def ledger(self) -> LockedBooks:
        """The books."""


class LedgerTransaction(HasLedger, BooksTransaction, Protocol):
    """One open transaction on the ledger: what charging for usage needs."""


class GrantTransaction(HasActivity, LedgerTransaction, Protocol):
    """One open transaction on the ledger and the log of what operators did."""


class MembersTransaction(HasPeople, HasTeams, Protocol):
    """One open transaction on people and teams: what asking who may do what needs."""


class PeopleTransaction(HasActivity, HasPeople, Commits, Protocol):
    """One open transaction on people and the activity log: what changing accounts needs."""


class CountersTransaction(HasKeys, HasLedger, Protocol):
    """One open transaction on keys and the ledger: what counting against a limit needs."""


class KeysTransaction(GrantTransaction, MembersTransaction, CountersTransaction, Protocol):
    """One open transaction on API keys: what issuing, changing and limiting them needs."""


class PurchasesTransaction(HasPurchases, LedgerTransaction, Protocol):
    """One open transaction on purchases: what selling credits needs."""


class AlertsTransaction(HasAlerts, Commits, Protocol):
    """One open transaction on alerts: what raising and resolving them needs."""


class MailTransaction(HasJobs, HasMailRecipients, Protocol):
    """One open transaction on jobs and addresses: what enqueueing a mail needs."""


class AuditTransaction(HasAudit, Protocol):
    """One open transaction that reads the books."""


class Transaction(
    KeysTransaction,
    PurchasesTransaction,
    PeopleTransaction,
    AlertsTransaction,
    MailTransaction,
    AuditTransaction,
    HasMirrors,
    HasRepeats,
    HasCalls,
    HasRefusals,
    HasUsageHours,
    HasRefunds,
    HasReviews,
    HasCards,
    HasTopUps,
    HasLowBalance,
    HasWeeklySummaries,
    HasDocuments,
    HasFiscalStamps,
    HasStatements,
    HasPaymentEvents,
    HasInvitations,
    HasCredentials,
    HasSessions,
    HasDailyGrants,
    HasFlows,
    HasClaims,
    HasPrices,
    HasCatalogue,
    HasMonitoring,
    HasOversight,
    Protocol,
):
    """One open transaction on everything there is."""


class Begins(Protocol[AnyTransaction_co]):
    """Where transactions of one kind come from.

    A use case asks for the kind that has what it uses, so a store that offers less than
    ``Transaction`` serves those that need less.
    """

    def begin(self) -> AbstractContextManager[AnyTransaction_co]:
        """Open a transaction. They do not nest: a money step is always the outermost.

        Leaving it without ``commit`` forgets everything in it.

        Raises:
            RuntimeError: This thread has one open already.
            StoreUnavailableError: The database cannot be reached, or none of the
                pool's connections became free in time.
        """


BooksTransactions = Begins[BooksTransaction]
"""Where money steps find their transactions; every ``Transactions`` will do."""

Transactions = Begins[Transaction]
"""Where transactions on everything come from."""
