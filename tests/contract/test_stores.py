"""Every store keeps the contracts: memory, SQLite, PostgreSQL."""

from __future__ import annotations

import pytest

from creditcore.ports.transactions import Transactions
from creditcore.testing import contracts


@pytest.fixture
def transactions(any_store: Transactions) -> Transactions:
    return any_store


class TestLedger(contracts.LedgerContract):
    pass


class TestChargeUsage(contracts.ChargeUsageContract):
    pass


class TestApiKeys(contracts.ApiKeysContract):
    pass


class TestCalls(contracts.CallsContract):
    pass


class TestPurchases(contracts.PurchasesContract):
    pass


class TestPeople(contracts.PeopleContract):
    pass


class TestPrices(contracts.PricesContract):
    pass


class TestAlerts(contracts.AlertsContract):
    pass


class TestAudit(contracts.AuditContract):
    pass
