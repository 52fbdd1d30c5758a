"""What every adapter of a port promises, as tests.

Subclass a contract in a test module and give it a ``transactions`` fixture: an empty
store. Where money steps take another way into that store, give it a ``books`` fixture
too. These pass on memory, SQLite and PostgreSQL; run them on a store of your own.
"""

from __future__ import annotations

from creditcore.testing.contracts.activity import ActivityContract
from creditcore.testing.contracts.alerts import AlertsContract
from creditcore.testing.contracts.audit import AuditContract
from creditcore.testing.contracts.calls import CallsContract
from creditcore.testing.contracts.cards import SavedCardsContract, TopUpsContract
from creditcore.testing.contracts.catalogue import CatalogueContract
from creditcore.testing.contracts.charge_usage import ChargeUsageContract
from creditcore.testing.contracts.claims import ClaimsContract
from creditcore.testing.contracts.credentials import CredentialsContract
from creditcore.testing.contracts.daily_grants import DailyGrantsContract
from creditcore.testing.contracts.failures import FailuresContract
from creditcore.testing.contracts.fiscal_stamps import FiscalStampsContract
from creditcore.testing.contracts.flows import FlowsContract
from creditcore.testing.contracts.identity import IdentityContract
from creditcore.testing.contracts.identity_house import IdentityHouse
from creditcore.testing.contracts.jobs import JobsContract
from creditcore.testing.contracts.key_limits import KeyLimitsContract
from creditcore.testing.contracts.key_mirrors import KeyMirrorsContract
from creditcore.testing.contracts.keys import ApiKeysContract
from creditcore.testing.contracts.ledger import LedgerContract
from creditcore.testing.contracts.low_balance import LowBalanceContract
from creditcore.testing.contracts.mail import MailContract
from creditcore.testing.contracts.member_limits import MemberLimitsContract
from creditcore.testing.contracts.monitoring import MonitoringContract
from creditcore.testing.contracts.open_wallet import OpenWalletContract
from creditcore.testing.contracts.oversight import OversightContract
from creditcore.testing.contracts.people import PeopleContract
from creditcore.testing.contracts.prices import PricesContract
from creditcore.testing.contracts.purchases import PurchasesContract
from creditcore.testing.contracts.refunds import RefundsContract
from creditcore.testing.contracts.refusals import RefusedCallsContract
from creditcore.testing.contracts.repeats import RepeatableCallsContract
from creditcore.testing.contracts.samples import (
    MINUTE,
    NOON,
    a_key,
    a_purchase,
    a_wallet,
    admit,
    at_once,
    grow,
    settle,
)
from creditcore.testing.contracts.sessions import SessionsContract
from creditcore.testing.contracts.teams import TeamsContract
from creditcore.testing.contracts.usage_by_endpoint import UsageByEndpointContract
from creditcore.testing.contracts.usage_hours import UsageHoursContract
from creditcore.testing.contracts.usage_told_apart import UsageToldApartContract
from creditcore.testing.contracts.usage_without_keys import UsageWithoutKeysContract
from creditcore.testing.contracts.weekly_summaries import WeeklySummariesContract

__all__ = [
    "MINUTE",
    "NOON",
    "ActivityContract",
    "AlertsContract",
    "ApiKeysContract",
    "AuditContract",
    "CallsContract",
    "CatalogueContract",
    "ChargeUsageContract",
    "ClaimsContract",
    "CredentialsContract",
    "DailyGrantsContract",
    "FailuresContract",
    "FiscalStampsContract",
    "FlowsContract",
    "IdentityContract",
    "IdentityHouse",
    "JobsContract",
    "KeyLimitsContract",
    "KeyMirrorsContract",
    "LedgerContract",
    "LowBalanceContract",
    "MailContract",
    "MemberLimitsContract",
    "MonitoringContract",
    "OpenWalletContract",
    "OversightContract",
    "PeopleContract",
    "PricesContract",
    "PurchasesContract",
    "RefundsContract",
    "RefusedCallsContract",
    "RepeatableCallsContract",
    "SavedCardsContract",
    "SessionsContract",
    "TeamsContract",
    "TopUpsContract",
    "UsageByEndpointContract",
    "UsageHoursContract",
    "UsageToldApartContract",
    "UsageWithoutKeysContract",
    "WeeklySummariesContract",
    "a_key",
    "a_purchase",
    "a_wallet",
    "admit",
    "at_once",
    "grow",
    "settle",
]
