"""The use cases of payments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from creditcore.services.ports import Ports
from creditcore.services.rules import Rules
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.payments.charge_card import ChargeCard
from creditcore.usecases.payments.check_rates import CheckRates
from creditcore.usecases.payments.clear_debt import ClearDebt
from creditcore.usecases.payments.collect_mobile_money import CollectMobileMoney
from creditcore.usecases.payments.confirm_payment import ConfirmPayment
from creditcore.usecases.payments.convert_currency import ConvertCurrency
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.follow_top_ups import FollowTopUps
from creditcore.usecases.payments.forget_details import ForgetDetails
from creditcore.usecases.payments.issue_documents import IssueDocuments
from creditcore.usecases.payments.keep_cards import KeepCards
from creditcore.usecases.payments.order_refund import OrderRefund
from creditcore.usecases.payments.payment_inbox import PaymentInbox
from creditcore.usecases.payments.poll_payments import PollPayments
from creditcore.usecases.payments.reconcile_payments import ReconcilePayments
from creditcore.usecases.payments.refund_payment import RefundPayment
from creditcore.usecases.payments.resolve_review import ResolveReview
from creditcore.usecases.payments.sell_credits import SellCredits
from creditcore.usecases.payments.stamp_documents import StampDocuments
from creditcore.usecases.payments.tell_payers import TellPayers
from creditcore.usecases.payments.top_up_wallets import TopUpWallets
from creditcore.usecases.payments.watch_balances import WatchBalances
from creditcore.usecases.payments.write_statement import WriteStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentServices:
    """From the offer of a purchase to its receipt, its refund and its debt."""

    sales: SellCredits
    rates: CheckRates
    mobile_money: CollectMobileMoney
    confirmation: ConfirmPayment
    inbox: PaymentInbox
    poller: PollPayments
    refunds: RefundPayment
    refund_orders: OrderRefund
    refund_follower: FollowRefunds
    reviews: ResolveReview
    balances: WatchBalances
    cards: KeepCards
    top_ups: TopUpWallets
    debts: ClearDebt
    reconciliation: ReconcilePayments
    documents: IssueDocuments
    stamps: StampDocuments
    statements: WriteStatement
    forget: ForgetDetails

    @classmethod
    def of(cls, ports: Ports, rules: Rules, *, mails: SendMail) -> Self:
        """Build them."""
        store, clock, ids, gateway = (
            ports.transactions,
            ports.clock,
            ports.ids,
            ports.payment_gateway,
        )
        notices = TellPayers(mails=mails, seller=rules.seller)
        cards = KeepCards(
            transactions=store,
            gateway=ports.card_gateway,
            vault=ports.vault,
            notices=notices,
            clock=clock,
            ids=ids,
            site=rules.site,
        )
        top_up_follower = FollowTopUps(notices=notices, clock=clock)
        followers = (cards, top_up_follower, notices)
        confirmation = ConfirmPayment(
            transactions=store, gateway=gateway, clock=clock, followers=followers
        )
        follower = FollowRefunds(
            transactions=store,
            payments=confirmation,
            gateway=gateway,
            refund_gateway=ports.refund_gateway,
            clock=clock,
            ids=ids,
            followers=followers,
        )
        refunds = RefundPayment(
            transactions=store, gateway=ports.refund_gateway, refunds=follower, ids=ids
        )
        sales = SellCredits(
            transactions=store,
            gateway=gateway,
            payments=confirmation,
            converter=ConvertCurrency(rates=ports.exchange_rates),
            clock=clock,
            ids=ids,
            terms=rules.sale_terms,
        )
        charges = ChargeCard(
            transactions=store,
            gateway=ports.card_gateway,
            sales=sales,
            payments=confirmation,
            cards=cards,
            clock=clock,
            return_url=rules.payment_return_url,
        )
        return cls(
            sales=sales,
            rates=CheckRates(
                transactions=store, rates=ports.exchange_rates, terms=rules.sale_terms, clock=clock
            ),
            mobile_money=CollectMobileMoney(
                transactions=store,
                gateway=gateway,
                sales=sales,
                payments=confirmation,
                clock=clock,
            ),
            confirmation=confirmation,
            inbox=PaymentInbox(
                transactions=store,
                gateway=gateway,
                payments=confirmation,
                refunds=follower,
                clock=clock,
            ),
            poller=PollPayments(transactions=store, payments=confirmation, clock=clock),
            refunds=refunds,
            refund_orders=OrderRefund(transactions=store, refunds=refunds, clock=clock),
            refund_follower=follower,
            reviews=ResolveReview(
                transactions=store,
                gateway=gateway,
                refund_gateway=ports.refund_gateway,
                refunds=refunds,
                clock=clock,
                followers=followers,
            ),
            cards=cards,
            top_ups=TopUpWallets(
                transactions=store,
                charges=charges,
                sales=sales,
                follower=top_up_follower,
                notices=notices,
                clock=clock,
                ids=ids,
                site=rules.site,
            ),
            balances=WatchBalances(transactions=store, notices=notices, clock=clock),
            debts=ClearDebt(transactions=store, clock=clock, ids=ids),
            reconciliation=ReconcilePayments(
                transactions=store,
                payments=confirmation,
                refunds=follower,
                gateway=gateway,
                payment_list=ports.payment_list,
                clock=clock,
            ),
            documents=IssueDocuments(transactions=store, clock=clock, seller=rules.seller),
            stamps=StampDocuments(transactions=store, clock=clock, seller=rules.seller),
            statements=WriteStatement(transactions=store),
            forget=ForgetDetails(
                transactions=store, gateway=gateway, clock=clock, after=rules.details_kept
            ),
        )
