"""Prepaid credits, exact to the microcredit.

The rules of a credits ledger, free of web, SQL and payment providers: grant credits,
hold the most a call may cost, settle what it did cost. ``docs/embedding.md`` shows
another service that uses it.

Listed here is what an embedder meets: use cases, and every name in their signatures and
among the errors that they say they raise. Ports that adapters implement are in ``ports``.
"""

from creditcore.domain.activity import Activity, Actor
from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.books import Books, Footprint
from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.callers import Limited, WithoutKey
from creditcore.domain.decisions import Admission, Extension
from creditcore.domain.errors import (
    AccountNotJoinedError,
    ApiKeyNotFoundError,
    BadCredentialsError,
    CreditcoreError,
    CurrencyMismatchError,
    CurrencyNotSoldError,
    HoldNotFoundError,
    InsufficientCreditsError,
    InvalidRequestError,
    KeyRefusedError,
    LimitReachedError,
    MemberNotFoundError,
    NotFoundError,
    NothingAskedError,
    NotPermittedError,
    OutcomeUnknownError,
    OverloadedError,
    PaymentGatewayError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    PurchaseLimitError,
    PurchaseNotFoundError,
    ReferenceConflictError,
    RefusedByStoreError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
    TeamNotFoundError,
    WalletNotFoundError,
    WebhookRefusedError,
)
from creditcore.domain.holds import Basis, Call, Hold, HoldState, Outcome
from creditcore.domain.identities import Identity, Method
from creditcore.domain.keys import ApiKey, KeySecret, Scope
from creditcore.domain.ledger import PlatformAccount, Transfer, TransferKind, Wallet
from creditcore.domain.limits import Count, Counted, KeyCounter, KeyLimits, Period, SpendLimit
from creditcore.domain.money import Credits, ExchangeRate, Money, div_ceil, div_floor
from creditcore.domain.payer_details import PayerAnswer, PayerDetail
from creditcore.domain.people import Person, Role
from creditcore.domain.pricing import (
    Ceiling,
    Cost,
    ModelPrice,
    PricedTokens,
    Rates,
    Tariff,
    Tier,
    Usage,
    price_units,
)
from creditcore.domain.purchases import (
    Decision,
    MobilePayer,
    Offer,
    Payment,
    PaymentStatus,
    Purchase,
    PurchaseState,
)
from creditcore.domain.refund_book import RefundBook
from creditcore.domain.refunds import Refund, RefundKind, RefundState, ReportedRefund
from creditcore.domain.runaway import RunawayStop
from creditcore.domain.sale_terms import SaleTerms
from creditcore.domain.saved_cards import ReusableCard
from creditcore.domain.units import UnitPrice
from creditcore.ports.audit import Breach
from creditcore.ports.clock import Clock
from creditcore.ports.exchange_rates import ExchangeRates
from creditcore.ports.ids import Ids
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payment_followers import FollowedTransaction, PaymentFollower
from creditcore.ports.payments import EventKind, PaymentGateway
from creditcore.ports.refund_gateway import RefundGateway
from creditcore.ports.store_ports import HasPurchases
from creditcore.ports.transactions import (
    AuditTransaction,
    Begins,
    BooksTransaction,
    BooksTransactions,
    GrantTransaction,
    KeysTransaction,
    LedgerTransaction,
    MembersTransaction,
    PurchasesTransaction,
    Transaction,
    Transactions,
)
from creditcore.system import SystemClock, SystemIds
from creditcore.usecases.books.audit_books import AuditBooks, Report
from creditcore.usecases.books.grant_credits import GrantCredits
from creditcore.usecases.books.group_commit import GroupCommit, Step
from creditcore.usecases.books.open_wallet import OpenWallet
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.keys.issue_key import IssueKey
from creditcore.usecases.payments.collect_mobile_money import (
    CollectMobileMoney,
    CollectMobileMoneyTransaction,
)
from creditcore.usecases.payments.confirm_payment import ConfirmPayment, ConfirmPaymentTransaction
from creditcore.usecases.payments.convert_currency import ConvertCurrency, FirstRates, FixedRates
from creditcore.usecases.payments.follow_refunds import FollowRefunds, FollowRefundsTransaction
from creditcore.usecases.payments.payment_inbox import PaymentInbox, PaymentInboxTransaction
from creditcore.usecases.payments.poll_payments import PollPayments
from creditcore.usecases.payments.sell_credits import SellCredits
from creditcore.usecases.people.welcome_person import WelcomePerson, WelcomePersonTransaction

__all__ = [
    "AccountNotJoinedError",
    "Activity",
    "Actor",
    "Admission",
    "Alert",
    "ApiKey",
    "ApiKeyNotFoundError",
    "AuditBooks",
    "AuditTransaction",
    "BadCredentialsError",
    "Basis",
    "Begins",
    "Books",
    "BooksTransaction",
    "BooksTransactions",
    "Breach",
    "BuyerDetails",
    "Call",
    "Ceiling",
    "ChargeUsage",
    "Clock",
    "CollectMobileMoney",
    "CollectMobileMoneyTransaction",
    "ConfirmPayment",
    "ConfirmPaymentTransaction",
    "ConvertCurrency",
    "Cost",
    "Count",
    "Counted",
    "CreditcoreError",
    "Credits",
    "CurrencyMismatchError",
    "CurrencyNotSoldError",
    "Decision",
    "EventKind",
    "ExchangeRate",
    "ExchangeRates",
    "Extension",
    "FirstRates",
    "FixedRates",
    "FollowRefunds",
    "FollowRefundsTransaction",
    "FollowedTransaction",
    "Footprint",
    "GrantCredits",
    "GrantTransaction",
    "GroupCommit",
    "HasPurchases",
    "Hold",
    "HoldNotFoundError",
    "HoldState",
    "Identity",
    "Ids",
    "InsufficientCreditsError",
    "InvalidRequestError",
    "IssueKey",
    "KeyCounter",
    "KeyLimits",
    "KeyRefusedError",
    "KeySecret",
    "KeysTransaction",
    "LedgerTransaction",
    "LimitReachedError",
    "Limited",
    "MemberNotFoundError",
    "MembersTransaction",
    "Method",
    "MobilePayer",
    "ModelPrice",
    "Money",
    "NotFoundError",
    "NotPermittedError",
    "NothingAskedError",
    "Offer",
    "OpenWallet",
    "Outcome",
    "OutcomeUnknownError",
    "OverloadedError",
    "PayerAnswer",
    "PayerDetail",
    "Payment",
    "PaymentEvent",
    "PaymentFollower",
    "PaymentGateway",
    "PaymentGatewayError",
    "PaymentGatewayUnavailableError",
    "PaymentInbox",
    "PaymentInboxTransaction",
    "PaymentRejectedError",
    "PaymentStatus",
    "Period",
    "Person",
    "PlatformAccount",
    "PollPayments",
    "PricedTokens",
    "Purchase",
    "PurchaseLimitError",
    "PurchaseNotFoundError",
    "PurchaseState",
    "PurchasesTransaction",
    "Rates",
    "ReferenceConflictError",
    "Refund",
    "RefundBook",
    "RefundGateway",
    "RefundKind",
    "RefundState",
    "RefusedByStoreError",
    "Report",
    "ReportedRefund",
    "ReusableCard",
    "Role",
    "RunawayStop",
    "SaleTerms",
    "Scope",
    "SellCredits",
    "Severity",
    "SpendLimit",
    "Step",
    "StoreBusyError",
    "StoreError",
    "StoreUnavailableError",
    "SystemClock",
    "SystemIds",
    "Tariff",
    "TeamNotFoundError",
    "Tier",
    "Transaction",
    "Transactions",
    "Transfer",
    "TransferKind",
    "UnitPrice",
    "Usage",
    "Wallet",
    "WalletNotFoundError",
    "WebhookRefusedError",
    "WelcomePerson",
    "WelcomePersonTransaction",
    "WithoutKey",
    "div_ceil",
    "div_floor",
    "price_units",
]
