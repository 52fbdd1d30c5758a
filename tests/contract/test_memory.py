"""The in-memory adapter keeps the contracts."""

from __future__ import annotations

import pytest

from creditcore.testing import contracts
from creditcore.testing.memory import MemoryTransactions


@pytest.fixture
def transactions() -> MemoryTransactions:
    return MemoryTransactions()


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
