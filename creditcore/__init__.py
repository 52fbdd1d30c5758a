"""Prepaid credits, exact to the microcredit.

The rules of a credits ledger, free of web, SQL and payment providers: grant credits,
hold the most a call may cost, settle what it did cost. ``docs/embedding.md`` shows
another service that uses it.
"""

from creditcore.domain.decisions import Admission
from creditcore.domain.errors import (
    CreditcoreError,
    InsufficientCreditsError,
    InvalidRequestError,
    KeyRefusedError,
    NotFoundError,
    ReferenceConflictError,
    StoreError,
)
from creditcore.domain.holds import Basis, Call, Hold, HoldState, Outcome
from creditcore.domain.keys import ApiKey, KeySecret
from creditcore.domain.ledger import PlatformAccount, Transfer, TransferKind, Wallet
from creditcore.domain.money import Credits, ExchangeRate, Money, div_ceil, div_floor
from creditcore.domain.pricing import Ceiling, ModelPrice, Rates, Tariff, Tier, Usage, price_units
from creditcore.domain.purchases import (
    MobilePayer,
    Offer,
    Payment,
    PaymentStatus,
    Purchase,
    PurchaseState,
)
from creditcore.domain.sale_terms import SaleTerms
from creditcore.system import SystemClock, SystemIds
from creditcore.usecases.books.audit_books import AuditBooks
from creditcore.usecases.books.grant_credits import GrantCredits
from creditcore.usecases.books.group_commit import GroupCommit
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.keys.issue_key import IssueKey
from creditcore.usecases.payments.collect_mobile_money import CollectMobileMoney
from creditcore.usecases.payments.confirm_payment import ConfirmPayment
from creditcore.usecases.payments.convert_currency import ConvertCurrency, FirstRates, FixedRates
from creditcore.usecases.payments.payment_inbox import PaymentInbox
from creditcore.usecases.payments.poll_payments import PollPayments
from creditcore.usecases.payments.sell_credits import SellCredits

__all__ = [
    "Admission",
    "ApiKey",
    "AuditBooks",
    "Basis",
    "Call",
    "Ceiling",
    "ChargeUsage",
    "CollectMobileMoney",
    "ConfirmPayment",
    "ConvertCurrency",
    "CreditcoreError",
    "Credits",
    "ExchangeRate",
    "FirstRates",
    "FixedRates",
    "GrantCredits",
    "GroupCommit",
    "Hold",
    "HoldState",
    "InsufficientCreditsError",
    "InvalidRequestError",
    "IssueKey",
    "KeyRefusedError",
    "KeySecret",
    "MobilePayer",
    "ModelPrice",
    "Money",
    "NotFoundError",
    "Offer",
    "Outcome",
    "Payment",
    "PaymentInbox",
    "PaymentStatus",
    "PlatformAccount",
    "PollPayments",
    "Purchase",
    "PurchaseState",
    "Rates",
    "ReferenceConflictError",
    "SaleTerms",
    "SellCredits",
    "StoreError",
    "SystemClock",
    "SystemIds",
    "Tariff",
    "Tier",
    "Transfer",
    "TransferKind",
    "Usage",
    "Wallet",
    "div_ceil",
    "div_floor",
    "price_units",
]
