"""A database transaction, as the core sees it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from creditcore.ports.activity import ActivityLog
from creditcore.ports.alerts import Alerts
from creditcore.ports.audit import AuditQueries
from creditcore.ports.calls import Calls
from creditcore.ports.catalogue import Catalogue
from creditcore.ports.claims import Claims
from creditcore.ports.credentials import Credentials
from creditcore.ports.daily_grants import DailyGrants
from creditcore.ports.documents import Documents
from creditcore.ports.fiscal_stamps import FiscalStamps
from creditcore.ports.flows import Flows
from creditcore.ports.jobs import Jobs
from creditcore.ports.key_mirrors import KeyMirrors
from creditcore.ports.keys import ApiKeys
from creditcore.ports.ledger import Ledger, LockedBooks
from creditcore.ports.low_balance import LowBalanceWatches
from creditcore.ports.mail import MailRecipients
from creditcore.ports.monitoring import MonitoringLog
from creditcore.ports.oversight import Oversight
from creditcore.ports.payment_events import PaymentEvents
from creditcore.ports.people import People
from creditcore.ports.prices import Prices
from creditcore.ports.purchases import Purchases
from creditcore.ports.refunds import Refunds
from creditcore.ports.refusals import RefusedCalls
from creditcore.ports.repeats import RepeatableCalls
from creditcore.ports.reviews import Reviews
from creditcore.ports.saved_cards import SavedCards
from creditcore.ports.sessions import Sessions
from creditcore.ports.statements import Statements
from creditcore.ports.teams import Invitations, Teams
from creditcore.ports.top_ups import TopUps
from creditcore.ports.usage_hours import UsageHours

AnyTransaction_co = TypeVar("AnyTransaction_co", covariant=True)


class BooksTransaction(Protocol):
    """One open transaction on wallets, holds and transfers alone."""

    @property
    def ledger(self) -> LockedBooks:
        """The books."""

    def commit(self) -> None:
        """Make everything in this transaction durable, or raise.

        Raises:
            ReferenceConflictError: A reference or another unique name was taken meanwhile.
            StoreBusyError: A race was lost; nothing happened.
            StoreUnavailableError: The outcome is unknown.
        """


class LedgerTransaction(BooksTransaction, Protocol):
    """One open transaction on the ledger: what charging for usage needs."""

    @property
    def ledger(self) -> Ledger:
        """Wallets, holds and transfers."""


class GrantTransaction(LedgerTransaction, Protocol):
    """One open transaction on the ledger and the log of what operators did."""

    @property
    def activity(self) -> ActivityLog:
        """Who did what to what."""


class MembersTransaction(Protocol):
    """One open transaction on people and teams: what asking who may do what needs."""

    @property
    def people(self) -> People:
        """Profiles."""

    @property
    def teams(self) -> Teams:
        """Teams and their members."""


class KeysTransaction(GrantTransaction, MembersTransaction, Protocol):
    """One open transaction on API keys: what issuing, changing and limiting them needs."""

    @property
    def keys(self) -> ApiKeys:
        """API keys."""


class PurchasesTransaction(GrantTransaction, Protocol):
    """One open transaction on purchases: what selling credits needs."""

    @property
    def purchases(self) -> Purchases:
        """Purchases."""


class AuditTransaction(Protocol):
    """One open transaction that reads the books."""

    @property
    def audit(self) -> AuditQueries:
        """What contradicts the invariants."""


class Transaction(KeysTransaction, PurchasesTransaction, AuditTransaction, Protocol):
    """One open transaction on everything there is."""

    @property
    def mirrors(self) -> KeyMirrors:
        """How far the model server's copies of keys are."""

    @property
    def repeats(self) -> RepeatableCalls:
        """Calls that may be repeated."""

    @property
    def calls(self) -> Calls:
        """Calls, to be read."""

    @property
    def refusals(self) -> RefusedCalls:
        """Calls that were refused before they began."""

    @property
    def usage_hours(self) -> UsageHours:
        """What was used, by the hour."""

    @property
    def refunds(self) -> Refunds:
        """Refunds and disputes."""

    @property
    def reviews(self) -> Reviews:
        """Payments to decide about."""

    @property
    def cards(self) -> SavedCards:
        """Cards that were saved."""

    @property
    def top_ups(self) -> TopUps:
        """Standing orders for top-ups."""

    @property
    def low_balance(self) -> LowBalanceWatches:
        """Who is told when which wallet runs low."""

    @property
    def documents(self) -> Documents:
        """Receipts and credit notes."""

    @property
    def fiscal_stamps(self) -> FiscalStamps:
        """What tax authorities' devices said of them."""

    @property
    def statements(self) -> Statements:
        """What a wallet's balance was, and what changed it."""

    @property
    def payment_events(self) -> PaymentEvents:
        """Webhooks as received."""

    @property
    def invitations(self) -> Invitations:
        """Invitations to teams."""

    @property
    def credentials(self) -> Credentials:
        """What local accounts are recognised by."""

    @property
    def sessions(self) -> Sessions:
        """Who is signed in, in which browser."""

    @property
    def daily_grants(self) -> DailyGrants:
        """How much was given away on one day."""

    @property
    def flows(self) -> Flows:
        """Who is away at Google or GitHub."""

    @property
    def claims(self) -> Claims:
        """What may be taken so often."""

    @property
    def prices(self) -> Prices:
        """The price list."""

    @property
    def catalogue(self) -> Catalogue:
        """What the price list is made from."""

    @property
    def jobs(self) -> Jobs:
        """Work that this transaction causes."""

    @property
    def mail_recipients(self) -> MailRecipients:
        """Addresses that mails go to."""

    @property
    def monitoring(self) -> MonitoringLog:
        """What checks have found."""

    @property
    def alerts(self) -> Alerts:
        """What an operator must know."""

    @property
    def oversight(self) -> Oversight:
        """Reads over all wallets, for operators."""


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
