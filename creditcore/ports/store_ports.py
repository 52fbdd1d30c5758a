"""The ports of a store, each as an open transaction offers it.

A use case combines those that it uses into the transaction that it asks for, in its own module.
"""

from __future__ import annotations

from typing import Protocol

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
from creditcore.ports.ledger import Ledger
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
from creditcore.ports.weekly_summaries import WeeklySummaries


class Commits(Protocol):
    """One open transaction that can be made durable."""

    def commit(self) -> None:
        """Make everything in this transaction durable, or raise.

        Raises:
            ReferenceConflictError: A reference or another unique name was taken meanwhile.
            StoreBusyError: A race was lost; nothing happened.
            StoreUnavailableError: The outcome is unknown.
        """


class HasLedger(Protocol):
    """Offers ``ledger``."""

    @property
    def ledger(self) -> Ledger:
        """Wallets, holds and transfers."""


class HasActivity(Protocol):
    """Offers ``activity``."""

    @property
    def activity(self) -> ActivityLog:
        """Who did what to what."""


class HasPeople(Protocol):
    """Offers ``people``."""

    @property
    def people(self) -> People:
        """Profiles."""


class HasTeams(Protocol):
    """Offers ``teams``."""

    @property
    def teams(self) -> Teams:
        """Teams and their members."""


class HasKeys(Protocol):
    """Offers ``keys``."""

    @property
    def keys(self) -> ApiKeys:
        """API keys."""


class HasPurchases(Protocol):
    """Offers ``purchases``."""

    @property
    def purchases(self) -> Purchases:
        """Purchases."""


class HasAudit(Protocol):
    """Offers ``audit``."""

    @property
    def audit(self) -> AuditQueries:
        """What contradicts the invariants."""


class HasMirrors(Protocol):
    """Offers ``mirrors``."""

    @property
    def mirrors(self) -> KeyMirrors:
        """How far the model server's copies of keys are."""


class HasRepeats(Protocol):
    """Offers ``repeats``."""

    @property
    def repeats(self) -> RepeatableCalls:
        """Calls that may be repeated."""


class HasCalls(Protocol):
    """Offers ``calls``."""

    @property
    def calls(self) -> Calls:
        """Calls, to be read."""


class HasRefusals(Protocol):
    """Offers ``refusals``."""

    @property
    def refusals(self) -> RefusedCalls:
        """Calls that were refused before they began."""


class HasUsageHours(Protocol):
    """Offers ``usage_hours``."""

    @property
    def usage_hours(self) -> UsageHours:
        """What was used, by the hour."""


class HasRefunds(Protocol):
    """Offers ``refunds``."""

    @property
    def refunds(self) -> Refunds:
        """Refunds and disputes."""


class HasReviews(Protocol):
    """Offers ``reviews``."""

    @property
    def reviews(self) -> Reviews:
        """Payments to decide about."""


class HasCards(Protocol):
    """Offers ``cards``."""

    @property
    def cards(self) -> SavedCards:
        """Cards that were saved."""


class HasTopUps(Protocol):
    """Offers ``top_ups``."""

    @property
    def top_ups(self) -> TopUps:
        """Standing orders for top-ups."""


class HasLowBalance(Protocol):
    """Offers ``low_balance``."""

    @property
    def low_balance(self) -> LowBalanceWatches:
        """Who is told when which wallet runs low."""


class HasWeeklySummaries(Protocol):
    """Offers ``weekly_summaries``."""

    @property
    def weekly_summaries(self) -> WeeklySummaries:
        """Who is mailed each week what they used."""


class HasDocuments(Protocol):
    """Offers ``documents``."""

    @property
    def documents(self) -> Documents:
        """Receipts and credit notes."""


class HasFiscalStamps(Protocol):
    """Offers ``fiscal_stamps``."""

    @property
    def fiscal_stamps(self) -> FiscalStamps:
        """What tax authorities' devices said of receipts and credit notes."""


class HasStatements(Protocol):
    """Offers ``statements``."""

    @property
    def statements(self) -> Statements:
        """What a wallet's balance was, and what changed it."""


class HasPaymentEvents(Protocol):
    """Offers ``payment_events``."""

    @property
    def payment_events(self) -> PaymentEvents:
        """Webhooks as received."""


class HasInvitations(Protocol):
    """Offers ``invitations``."""

    @property
    def invitations(self) -> Invitations:
        """Invitations to teams."""


class HasCredentials(Protocol):
    """Offers ``credentials``."""

    @property
    def credentials(self) -> Credentials:
        """What local accounts are recognised by."""


class HasSessions(Protocol):
    """Offers ``sessions``."""

    @property
    def sessions(self) -> Sessions:
        """Who is signed in, in which browser."""


class HasDailyGrants(Protocol):
    """Offers ``daily_grants``."""

    @property
    def daily_grants(self) -> DailyGrants:
        """How much was given away on one day."""


class HasFlows(Protocol):
    """Offers ``flows``."""

    @property
    def flows(self) -> Flows:
        """Who is away at Google or GitHub."""


class HasClaims(Protocol):
    """Offers ``claims``."""

    @property
    def claims(self) -> Claims:
        """What may be taken so often."""


class HasPrices(Protocol):
    """Offers ``prices``."""

    @property
    def prices(self) -> Prices:
        """The price list."""


class HasCatalogue(Protocol):
    """Offers ``catalogue``."""

    @property
    def catalogue(self) -> Catalogue:
        """What the price list is made from."""


class HasJobs(Protocol):
    """Offers ``jobs``."""

    @property
    def jobs(self) -> Jobs:
        """Work that this transaction causes."""


class HasMailRecipients(Protocol):
    """Offers ``mail_recipients``."""

    @property
    def mail_recipients(self) -> MailRecipients:
        """Addresses that mails go to."""


class HasMonitoring(Protocol):
    """Offers ``monitoring``."""

    @property
    def monitoring(self) -> MonitoringLog:
        """What checks have found."""


class HasAlerts(Protocol):
    """Offers ``alerts``."""

    @property
    def alerts(self) -> Alerts:
        """What an operator must know."""


class HasOversight(Protocol):
    """Offers ``oversight``."""

    @property
    def oversight(self) -> Oversight:
        """Reads over all wallets, for operators."""
