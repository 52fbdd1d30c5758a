"""Every store keeps the contracts: memory, SQLite, PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.testing import contracts
from tests.stores import StoreAndCommitter, postgres_store_and_committer


@pytest.fixture
def transactions(any_store: Transactions) -> Transactions:
    return any_store


class TestLedger(contracts.LedgerContract):
    pass


class TestChargeUsage(contracts.ChargeUsageContract):
    pass


class ThroughTheCommitter:
    """Money steps on PostgreSQL take their own connection, as the gateway's do."""

    @pytest.fixture
    def store_and_committer(self) -> Iterator[StoreAndCommitter]:
        with postgres_store_and_committer() as both:
            yield both

    @pytest.fixture
    def transactions(self, store_and_committer: StoreAndCommitter) -> Transactions:
        return store_and_committer.store

    @pytest.fixture
    def books(self, store_and_committer: StoreAndCommitter) -> BooksTransactions:
        return store_and_committer.committer


class TestLedgerThroughTheCommitter(ThroughTheCommitter, contracts.LedgerContract):
    pass


class TestChargeUsageThroughTheCommitter(ThroughTheCommitter, contracts.ChargeUsageContract):
    pass


class TestKeyLimits(contracts.KeyLimitsContract):
    pass


class TestKeyLimitsThroughTheCommitter(ThroughTheCommitter, contracts.KeyLimitsContract):
    pass


class TestRepeatableCalls(contracts.RepeatableCallsContract):
    pass


class TestApiKeys(contracts.ApiKeysContract):
    pass


class TestKeyMirrors(contracts.KeyMirrorsContract):
    pass


class TestClaims(contracts.ClaimsContract):
    pass


class TestCalls(contracts.CallsContract):
    pass


class TestRefusedCalls(contracts.RefusedCallsContract):
    pass


class TestUsageHours(contracts.UsageHoursContract):
    pass


class TestUsageToldApart(contracts.UsageToldApartContract):
    pass


class TestUsageByEndpoint(contracts.UsageByEndpointContract):
    pass


class TestUsageWithoutKeys(contracts.UsageWithoutKeysContract):
    pass


class TestFailures(contracts.FailuresContract):
    pass


class TestOpenWallet(contracts.OpenWalletContract):
    pass


class TestPurchases(contracts.PurchasesContract):
    pass


class TestRefunds(contracts.RefundsContract):
    pass


class TestRefundsThroughTheCommitter(ThroughTheCommitter, contracts.RefundsContract):
    pass


class TestFiscalStamps(contracts.FiscalStampsContract):
    pass


class TestSavedCards(contracts.SavedCardsContract):
    pass


class TestTopUps(contracts.TopUpsContract):
    pass


class TestLowBalance(contracts.LowBalanceContract):
    pass


class TestWeeklySummaries(contracts.WeeklySummariesContract):
    pass


class TestOversight(contracts.OversightContract):
    pass


class TestPeople(contracts.PeopleContract):
    pass


class TestCredentials(contracts.CredentialsContract):
    pass


class TestDailyGrants(contracts.DailyGrantsContract):
    pass


class TestFlows(contracts.FlowsContract):
    pass


class TestSessions(contracts.SessionsContract):
    pass


class TestPrices(contracts.PricesContract):
    pass


class TestCatalogue(contracts.CatalogueContract):
    pass


class TestJobs(contracts.JobsContract):
    pass


class TestMail(contracts.MailContract):
    pass


class TestActivity(contracts.ActivityContract):
    pass


class TestMonitoring(contracts.MonitoringContract):
    pass


class TestAlerts(contracts.AlertsContract):
    pass


class TestAudit(contracts.AuditContract):
    pass


class TestTeams(contracts.TeamsContract):
    pass


class TestMemberLimits(contracts.MemberLimitsContract):
    pass


class TestMemberLimitsThroughTheCommitter(ThroughTheCommitter, contracts.MemberLimitsContract):
    pass
