"""Transactions on SQLite or PostgreSQL: the only place that opens a database session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property

from pony.orm import db_session, rollback
from pony.orm.core import Database, RollbackException, local

from creditcore.ports.metrics import PoolUse

from .audit import PonyAudit
from .engine import Engine, engine_for
from .entities import define_entities
from .pool import BoundedPool
from .session import Session
from .tables.activity_logs import PonyActivityLog
from .tables.alerts import PonyAlerts
from .tables.calls import PonyCalls
from .tables.catalogue import PonyCatalogue
from .tables.claims import PonyClaims
from .tables.credentials import PonyCredentials
from .tables.daily_grants import PonyDailyGrants
from .tables.documents import PonyDocuments
from .tables.fiscal_stamps import PonyFiscalStamps
from .tables.flows import PonyFlows
from .tables.invitations import PonyInvitations
from .tables.jobs import PonyJobs
from .tables.key_mirrors import PonyKeyMirrors
from .tables.keys import PonyApiKeys
from .tables.ledger import PonyLedger
from .tables.low_balance import PonyLowBalanceWatches
from .tables.mail_recipients import PonyMailRecipients
from .tables.monitoring_logs import PonyMonitoringLog
from .tables.oversight import PonyOversight
from .tables.payment_events import PonyPaymentEvents
from .tables.people import PonyPeople
from .tables.prices import PonyPrices
from .tables.purchases import PonyPurchases
from .tables.refunds import PonyRefunds
from .tables.refusals import PonyRefusedCalls
from .tables.repeats import PonyRepeatableCalls
from .tables.reviews import PonyReviews
from .tables.saved_cards import PonySavedCards
from .tables.sessions import PonySessions
from .tables.statements import PonyStatements
from .tables.teams import PonyTeams
from .tables.top_ups import PonyTopUps
from .tables.usage_hours import PonyUsageHours
from .tables.weekly_summaries import PonyWeeklySummaries


class PonyTransaction:
    """One open transaction, and the ports that read and write in it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def ledger(self) -> PonyLedger:
        """Wallets, holds and transfers."""
        return PonyLedger(self._session)

    @cached_property
    def keys(self) -> PonyApiKeys:
        return PonyApiKeys(self._session)

    @cached_property
    def mirrors(self) -> PonyKeyMirrors:
        return PonyKeyMirrors(self._session)

    @cached_property
    def repeats(self) -> PonyRepeatableCalls:
        return PonyRepeatableCalls(self._session)

    @cached_property
    def calls(self) -> PonyCalls:
        return PonyCalls(self._session)

    @cached_property
    def refusals(self) -> PonyRefusedCalls:
        return PonyRefusedCalls(self._session)

    @cached_property
    def usage_hours(self) -> PonyUsageHours:
        return PonyUsageHours(self._session)

    @cached_property
    def purchases(self) -> PonyPurchases:
        return PonyPurchases(self._session)

    @cached_property
    def refunds(self) -> PonyRefunds:
        return PonyRefunds(self._session)

    @cached_property
    def reviews(self) -> PonyReviews:
        return PonyReviews(self._session)

    @cached_property
    def cards(self) -> PonySavedCards:
        return PonySavedCards(self._session)

    @cached_property
    def top_ups(self) -> PonyTopUps:
        return PonyTopUps(self._session)

    @cached_property
    def low_balance(self) -> PonyLowBalanceWatches:
        return PonyLowBalanceWatches(self._session)

    @cached_property
    def weekly_summaries(self) -> PonyWeeklySummaries:
        return PonyWeeklySummaries(self._session)

    @cached_property
    def documents(self) -> PonyDocuments:
        return PonyDocuments(self._session)

    @cached_property
    def fiscal_stamps(self) -> PonyFiscalStamps:
        return PonyFiscalStamps(self._session)

    @cached_property
    def statements(self) -> PonyStatements:
        return PonyStatements(self._session)

    @cached_property
    def payment_events(self) -> PonyPaymentEvents:
        return PonyPaymentEvents(self._session)

    @cached_property
    def people(self) -> PonyPeople:
        return PonyPeople(self._session)

    @cached_property
    def teams(self) -> PonyTeams:
        return PonyTeams(self._session)

    @cached_property
    def invitations(self) -> PonyInvitations:
        return PonyInvitations(self._session)

    @cached_property
    def credentials(self) -> PonyCredentials:
        return PonyCredentials(self._session)

    @cached_property
    def sessions(self) -> PonySessions:
        return PonySessions(self._session)

    @cached_property
    def daily_grants(self) -> PonyDailyGrants:
        return PonyDailyGrants(self._session)

    @cached_property
    def flows(self) -> PonyFlows:
        return PonyFlows(self._session)

    @cached_property
    def claims(self) -> PonyClaims:
        return PonyClaims(self._session)

    @cached_property
    def prices(self) -> PonyPrices:
        return PonyPrices(self._session)

    @cached_property
    def jobs(self) -> PonyJobs:
        return PonyJobs(self._session)

    @cached_property
    def mail_recipients(self) -> PonyMailRecipients:
        return PonyMailRecipients(self._session)

    @cached_property
    def activity(self) -> PonyActivityLog:
        """Who did what to what."""
        return PonyActivityLog(self._session)

    @cached_property
    def monitoring(self) -> PonyMonitoringLog:
        return PonyMonitoringLog(self._session)

    @cached_property
    def catalogue(self) -> PonyCatalogue:
        return PonyCatalogue(self._session)

    @cached_property
    def alerts(self) -> PonyAlerts:
        return PonyAlerts(self._session)

    @cached_property
    def oversight(self) -> PonyOversight:
        return PonyOversight(self._session)

    @cached_property
    def audit(self) -> PonyAudit:
        """What contradicts the invariants."""
        return PonyAudit(self._session)

    def commit(self) -> None:
        """Make everything in this transaction durable.

        A transaction in which a statement failed may be half done. It never commits,
        also if the caller caught the error: it raises that error again.

        Raises:
            ReferenceConflictError: A unique name was taken meanwhile.
            StoreBusyError: A race was lost; nothing happened.
            StoreUnavailableError: The outcome is unknown.
        """
        if self._session.failure is not None:
            raise self._session.failure
        with self._session.translated():
            self._session.db.commit()


class PonyTransactions:
    """Where transactions on one database come from. May be shared by threads and greenlets."""

    def __init__(self, engine: Engine, *, pool_size: int, wait_s: float) -> None:
        self._engine = engine
        self._db = Database()
        define_entities(self._db)
        self._pool = pool = BoundedPool(engine, size=engine.connections or pool_size, wait_s=wait_s)
        try:
            with Session(self._db, engine).translated():
                self._db.bind(engine.provider, *engine.address, pony_pool_mockup=pool)
                # Migrations make the tables; this compares their columns with the entities.
                self._db.generate_mapping(create_tables=False, check_tables=True)
        except BaseException:
            pool.disconnect()
            raise

    @contextmanager
    def begin(self) -> Iterator[PonyTransaction]:
        """Open a transaction; leaving it forgets everything that was not committed.

        Raises:
            RuntimeError: This thread or greenlet has one open already: Pony would
                quietly join the two, and the inner commit would do nothing.
            StoreUnavailableError: The database cannot be reached, or none of the
                pool's connections became free in time.
        """
        with self._open_session() as session:
            yield PonyTransaction(session)

    def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            StoreUnavailableError: There is none.
        """
        with self._open_session() as session:
            session.rows("SELECT 1 AS answer")

    def pool_use(self) -> PoolUse:
        """Return how far its connections are lent."""
        return self._pool.use()

    def close(self) -> None:
        """Close the idle connections."""
        self._db.disconnect()

    @contextmanager
    def _open_session(self) -> Iterator[Session]:
        if local.db_session is not None:
            raise RuntimeError("a transaction is open already, and they do not nest")
        with db_session(immediate=True):
            try:
                session = Session(self._db, self._engine)
                with session.translated():
                    self._db.get_connection()
                yield session
            finally:
                # A db_session commits when it is left in peace; only commit() may do that.
                # A connection that cannot roll back was dropped, and the server forgets
                # what it had begun.
                with suppress(RollbackException):
                    rollback()


def open_store(url: str, *, pool_size: int = 5, wait_s: float = 5.0) -> PonyTransactions:
    """Open a database whose schema is up to date.

    Args:
        url: ``sqlite:////absolute/file.db`` or ``postgresql://...``.
        pool_size: The most connections to PostgreSQL. SQLite has one.
        wait_s: How long ``begin`` waits for one of them.

    Raises:
        StoreUnavailableError: The database cannot be reached.
        StoreError: Tables or columns are missing; ``migrate`` makes them.
        ValueError: The URL names no database that is supported.
    """
    return PonyTransactions(engine_for(url), pool_size=pool_size, wait_s=wait_s)
