"""What the web needs from the rest, handed over by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from creditcore.domain.documents import Document
from creditcore.ports.clock import Clock
from creditcore.ports.identity import IdentityOperators, IdentityProvider
from creditcore.ports.ids import Ids
from creditcore.ports.inference import TokenCounter, Wire
from creditcore.ports.journal import SettlementJournal
from creditcore.ports.metrics import Metrics
from creditcore.ports.model_gateway import ModelGateway
from creditcore.ports.payments import PaymentGateway
from creditcore.ports.transactions import Transactions
from creditcore.usecases.books.audit_books import AuditBooks
from creditcore.usecases.books.describe_site import DescribeSite
from creditcore.usecases.books.describe_usage import DescribeUsage
from creditcore.usecases.books.grant_credits import GrantCredits
from creditcore.usecases.books.group_commit import GroupCommit
from creditcore.usecases.books.roll_up_usage import RollUpUsage
from creditcore.usecases.calls.call_gate import CallGate
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.calls.direct_calls import DirectCalls
from creditcore.usecases.calls.keep_refusals import KeepRefusals
from creditcore.usecases.calls.price_list import PriceList
from creditcore.usecases.calls.quote_call import QuoteCall
from creditcore.usecases.calls.reconcile_usage import ReconcileUsage
from creditcore.usecases.calls.recover_settlements import RecoverSettlements
from creditcore.usecases.calls.relay_call import RelayCall
from creditcore.usecases.calls.repeat_call import RepeatCall
from creditcore.usecases.calls.write_receipt import WriteReceipt
from creditcore.usecases.jobs.manage_jobs import ManageJobs
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.keys.change_key import ChangeKey
from creditcore.usecases.keys.issue_key import IssueKey
from creditcore.usecases.keys.limit_account import LimitAccount
from creditcore.usecases.keys.mirror_keys import MirrorKeys
from creditcore.usecases.keys.read_keys import ReadKeys
from creditcore.usecases.keys.recognise_key import RecogniseKey
from creditcore.usecases.keys.upstream_keyring import UpstreamKeyring
from creditcore.usecases.monitoring.keep_alerts import KeepAlerts
from creditcore.usecases.monitoring.keep_audits import KeepAudits
from creditcore.usecases.monitoring.watch import Watch
from creditcore.usecases.payments.check_rates import CheckRates
from creditcore.usecases.payments.clear_debt import ClearDebt
from creditcore.usecases.payments.collect_mobile_money import CollectMobileMoney
from creditcore.usecases.payments.confirm_payment import ConfirmPayment
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.forget_details import ForgetDetails
from creditcore.usecases.payments.issue_documents import IssueDocuments
from creditcore.usecases.payments.order_refund import OrderRefund
from creditcore.usecases.payments.payment_inbox import PaymentInbox
from creditcore.usecases.payments.poll_payments import PollPayments
from creditcore.usecases.payments.reconcile_payments import ReconcilePayments
from creditcore.usecases.payments.refund_payment import RefundPayment
from creditcore.usecases.payments.resolve_review import ResolveReview
from creditcore.usecases.payments.sell_credits import SellCredits
from creditcore.usecases.payments.watch_balances import WatchBalances
from creditcore.usecases.payments.write_statement import WriteStatement
from creditcore.usecases.people.block_person import BlockPerson
from creditcore.usecases.people.change_profile import ChangeProfile
from creditcore.usecases.people.close_account import CloseAccount
from creditcore.usecases.people.grant_role import GrantRole
from creditcore.usecases.people.keep_flows import KeepFlows
from creditcore.usecases.people.keep_sessions import KeepSessions
from creditcore.usecases.people.manage_access import ManageAccess
from creditcore.usecases.people.move_accounts import MoveAccounts
from creditcore.usecases.people.security_log import SecurityLog
from creditcore.usecases.people.view_account import ViewAccount
from creditcore.usecases.people.welcome_person import WelcomePerson


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases and the few ports that pages read from directly.

    Attributes:
        migrate: Brings the schema up to date; returns the names of what was applied.
        print_document: Returns a receipt or credit note as PDF.
        pending_migrations: What ``migrate`` would apply.
        mover: Moves local accounts, where there is somewhere to move to.
        wires: The inference protocols by route.
        token_counters: What counts requests for nothing, by route.
    """

    transactions: Transactions
    clock: Clock
    ids: Ids
    identity: IdentityProvider
    operators: IdentityOperators
    model_gateway: ModelGateway
    payment_gateway: PaymentGateway
    wires: Mapping[str, Wire]
    token_counters: Mapping[str, TokenCounter]
    commits: GroupCommit
    journal: SettlementJournal
    metrics: Metrics
    recovery: RecoverSettlements
    mirrors: MirrorKeys
    keyring: UpstreamKeyring
    charge: ChargeUsage
    prices: PriceList
    relay: RelayCall
    direct: DirectCalls
    sales: SellCredits
    mobile_money: CollectMobileMoney
    rates: CheckRates
    forget: ForgetDetails
    payments: ConfirmPayment
    inbox: PaymentInbox
    poller: PollPayments
    refunds: RefundPayment
    refund_orders: OrderRefund
    refund_follower: FollowRefunds
    reconciliation: ReconcilePayments
    debts: ClearDebt
    gate: CallGate
    quotes: QuoteCall
    reviews: ResolveReview
    balances: WatchBalances
    documents: IssueDocuments
    statements: WriteStatement
    print_document: Callable[[Document], bytes]
    repeats: RepeatCall
    keys: IssueKey
    key_changes: ChangeKey
    account_limits: LimitAccount
    key_views: ReadKeys
    recognise: RecogniseKey
    welcome: WelcomePerson
    sessions: KeepSessions
    security_log: SecurityLog
    profiles: ChangeProfile
    flows: KeepFlows
    closing: CloseAccount
    blocks: BlockPerson
    access: ManageAccess
    viewings: ViewAccount
    mover: MoveAccounts | None
    roles: GrantRole
    mails: SendMail
    alerts: KeepAlerts
    watch: Watch
    jobs: ManageJobs
    runner: RunJobs
    grants: GrantCredits
    receipts: WriteReceipt
    audit: AuditBooks
    audits: KeepAudits
    usage: RollUpUsage
    spend: ReconcileUsage
    insight: DescribeUsage
    site: DescribeSite
    refusals: KeepRefusals
    migrate: Callable[[], list[str]]
    pending_migrations: Callable[[], list[str]]
