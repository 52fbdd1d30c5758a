"""The composition root: reads the settings, builds the adapters, exposes ``app``. No logic."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import gevent.monkey
from dotenv import load_dotenv
from flask import Flask

from adapters.flask_web.app import create_app
from adapters.flask_web.cli.unconfigured import unconfigured
from adapters.flask_web.server.cpu_pool import CpuPool
from adapters.flask_web.services import Services
from adapters.flask_web.settings import Settings, SettingsError
from adapters.journal import AbandonedFiles, FileJournal
from adapters.litellm.admin import AdminClient
from adapters.litellm.gateway import LiteLLMGateway
from adapters.litellm.keys import LiteLLMKeys
from adapters.litellm.relay import LiteLLMRelay
from adapters.litellm.spend_log import LiteLLMSpendLog
from adapters.local_auth import LocalIdentityOperators, LocalIdentityProvider, Passwords, Tokens
from adapters.local_auth.letters import WriteLetters
from adapters.local_auth.outbox import LINK_JOB, NOTICE_JOB
from adapters.paystack import PaystackGateway, PaystackPaymentList, PaystackRefunds
from adapters.pony_store import (
    StoreOnDemand,
    committer_for,
    install_wait_callback,
    migrate,
    pending_migrations,
)
from adapters.prometheus import PrometheusMetrics
from adapters.rate_file import RateFile
from adapters.receipt_pdf import render as render_pdf
from adapters.redis_counters.counters import RedisCounters
from adapters.smtp_mail import JinjaTemplates, MailServer, SmtpMailer
from adapters.supabase_auth import (
    ApiKey,
    GoTrueClient,
    SupabaseIdentityProvider,
    SupabaseOperators,
)
from adapters.vault import AesVault
from adapters.wires.anthropic.count_tokens import CountTokens
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.images import Images
from adapters.wires.openai.moderations import Moderations
from adapters.wires.openai.rerank import Rerank
from adapters.wires.openai.responses import Responses
from adapters.wires.openai.speech import Speech
from adapters.wires.usage import reported_usage
from creditcore import (
    AuditBooks,
    ChargeUsage,
    CollectMobileMoney,
    ConfirmPayment,
    ConvertCurrency,
    FirstRates,
    FixedRates,
    GrantCredits,
    GroupCommit,
    IssueKey,
    PaymentInbox,
    PollPayments,
    SellCredits,
    SystemClock,
    SystemIds,
)
from creditcore.domain.documents import Document, Seller
from creditcore.ports.clock import Clock
from creditcore.ports.identity import IdentityOperators, IdentityProvider
from creditcore.ports.ids import Ids
from creditcore.ports.inference import Wire
from creditcore.ports.rate_counters import RateCounters
from creditcore.ports.rates import ExchangeRates
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.ports.vault import Vault
from creditcore.usecases.books.describe_usage import DescribeUsage
from creditcore.usecases.books.roll_up_usage import RollUpUsage
from creditcore.usecases.calls.call_gate import CallGate
from creditcore.usecases.calls.direct_calls import DirectCalls
from creditcore.usecases.calls.keep_refusals import KeepRefusals
from creditcore.usecases.calls.patience import Patience
from creditcore.usecases.calls.price_list import PriceList
from creditcore.usecases.calls.process_counters import ProcessCounters
from creditcore.usecases.calls.quote_call import QuoteCall
from creditcore.usecases.calls.reconcile_usage import ReconcileUsage
from creditcore.usecases.calls.recover_settlements import RecoverSettlements
from creditcore.usecases.calls.relay_call import RelayCall
from creditcore.usecases.calls.repeat_call import RepeatCall
from creditcore.usecases.calls.report_uncounted import ReportUncounted
from creditcore.usecases.calls.write_receipt import WriteReceipt
from creditcore.usecases.jobs.manage_jobs import ManageJobs
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import MAIL_POLICY, SEND_MAIL, SendMail
from creditcore.usecases.keys.change_key import ChangeKey
from creditcore.usecases.keys.limit_account import LimitAccount
from creditcore.usecases.keys.mirror_keys import MirrorKeys
from creditcore.usecases.keys.read_keys import ReadKeys
from creditcore.usecases.keys.recognise_key import RecogniseKey
from creditcore.usecases.keys.upstream_keyring import UpstreamKeyring
from creditcore.usecases.monitoring.checks import Checks
from creditcore.usecases.monitoring.keep_alerts import KeepAlerts
from creditcore.usecases.monitoring.watch import EVERY_MINUTE, WATCH, Watch
from creditcore.usecases.payments.check_rates import CheckRates
from creditcore.usecases.payments.clear_debt import ClearDebt
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.forget_details import ForgetDetails
from creditcore.usecases.payments.issue_documents import IssueDocuments
from creditcore.usecases.payments.reconcile_payments import (
    EVERY_NIGHT,
    NIGHTLY_POLICY,
    RECONCILE,
    ReconcilePayments,
)
from creditcore.usecases.payments.refund_payment import RefundPayment
from creditcore.usecases.payments.resolve_review import ResolveReview
from creditcore.usecases.payments.tell_payers import TellPayers
from creditcore.usecases.payments.watch_balances import WatchBalances
from creditcore.usecases.payments.write_statement import WriteStatement
from creditcore.usecases.people.block_person import BlockPerson
from creditcore.usecases.people.change_profile import ChangeProfile
from creditcore.usecases.people.close_account import DELETE_IDENTITY, CloseAccount
from creditcore.usecases.people.grant_role import GrantRole
from creditcore.usecases.people.keep_flows import KeepFlows
from creditcore.usecases.people.keep_sessions import KeepSessions
from creditcore.usecases.people.manage_access import ManageAccess
from creditcore.usecases.people.move_accounts import MoveAccounts
from creditcore.usecases.people.security_log import SecurityLog
from creditcore.usecases.people.welcome_person import WelcomePerson

PAGE_CONNECTIONS = 5
UPSTREAM_CONNECTIONS = 1000


def build(environ: Mapping[str, str]) -> Flask:
    """Build the application that an environment describes.

    Raises:
        SettingsError: The environment cannot be used.
    """
    settings = Settings.from_env(environ)
    under_gevent = gevent.monkey.is_module_patched("socket")
    store = StoreOnDemand(settings.store_url, pool_size=PAGE_CONNECTIONS)
    committing: BooksTransactions = store
    # In a file there is one writer: calls and pages take turns on one connection.
    settings.make_data_dir()
    if not settings.uses_sqlite:
        if under_gevent:
            install_wait_callback()
        committing = committer_for(settings.store_url)

    clock, ids = SystemClock(), SystemIds()
    pepper = settings.auth_secret.encode()
    rates: ExchangeRates = FixedRates(settings.fixed_rates)
    if settings.currency_rates_file is not None:
        max_age = timedelta(hours=settings.currency_rates_max_age_hours)
        file = RateFile(settings.currency_rates_file, clock, max_age=max_age)
        rates = FirstRates((rates, file))
    vault = AesVault(settings.auth_secret)
    identity, operators = recognisers(settings, store, clock, ids, vault)
    admin = AdminClient(base_url=settings.litellm_base_url, master_key=settings.litellm_master_key)
    model_gateway = LiteLLMGateway(admin)
    upstream_keys = LiteLLMKeys(admin=admin, auth_secret=pepper)
    upstream = LiteLLMRelay(
        base_url=settings.litellm_base_url,
        master_key=settings.litellm_master_key,
        size=UPSTREAM_CONNECTIONS,
        head_timeout_s=settings.max_stream_seconds,
        first_byte_timeout_s=min(settings.first_token_seconds, settings.max_stream_seconds),
    )
    payment_gateway = PaystackGateway(
        settings.paystack_base_url,
        settings.paystack_secret_key,
        previous_secret_keys=tuple(filter(None, [settings.paystack_secret_key_previous])),
    )
    notices = TellPayers(mails=_mails(settings, store, clock))
    payments = ConfirmPayment(
        transactions=store, gateway=payment_gateway, clock=clock, followers=(notices,)
    )
    refund_gateway = PaystackRefunds(payment_gateway)
    refund_follower = FollowRefunds(
        transactions=store,
        payments=payments,
        gateway=payment_gateway,
        refund_gateway=refund_gateway,
        clock=clock,
        ids=ids,
        followers=(notices,),
    )
    seller = Seller(
        name=settings.company_name or "creditcore",
        address=settings.company_address,
        tax_number=settings.tax_number,
        tax_rates=settings.tax_rates,
    )
    refunds = RefundPayment(
        transactions=store, gateway=refund_gateway, refunds=refund_follower, ids=ids
    )

    sales = SellCredits(
        transactions=store,
        gateway=payment_gateway,
        payments=payments,
        converter=ConvertCurrency(rates=rates),
        clock=clock,
        ids=ids,
        terms=settings.sale_terms,
    )

    watch = Watch(
        transactions=store,
        clock=clock,
        checks=Checks(
            transactions=store,
            clock=clock,
            model_gateway=model_gateway,
            payment_gateway=payment_gateway,
            mailer=notices.mails.mailer,
            data_dir=settings.data_dir,
        ).all(),
    )
    letters = WriteLetters(
        store,
        clock,
        Tokens(settings.auth_secret),
        base_url=settings.base_url,
        send=notices.mails.deliver,
    )
    reconciliation = ReconcilePayments(
        transactions=store,
        payments=payments,
        refunds=refund_follower,
        gateway=payment_gateway,
        payment_list=PaystackPaymentList(payment_gateway),
        clock=clock,
    )
    sessions = KeepSessions(
        transactions=store, clock=clock, ids=ids, vault=vault, provider=identity
    )
    closing = CloseAccount(transactions=store, clock=clock, operators=operators)
    commits = GroupCommit(committing, clock)
    metrics = PrometheusMetrics()
    journal = FileJournal(settings.data_dir / "journal")
    charge = ChargeUsage(commits, store, clock, lifetime=settings.hold_lifetime)
    prices = PriceList(store, model_gateway, clock)
    wires: tuple[Wire, ...] = (
        ChatCompletions(),
        Completions(),
        Embeddings(),
        Messages(),
        Responses(),
        Images(),
        Speech(),
        Rerank(),
        Moderations(),
    )
    keyring = UpstreamKeyring(
        transactions=store, clock=clock, upstream=upstream_keys, wanted=settings.mirrors_keys
    )
    rates_per_minute: RateCounters = ProcessCounters(clock)
    if settings.redis_url:
        uncounted = ReportUncounted(transactions=store, clock=clock)
        rates_per_minute = RedisCounters(
            settings.redis_url, fallback=rates_per_minute, alert=uncounted.report
        )
    gate = CallGate(max_streams=settings.max_streams, rates=rates_per_minute)
    relay = RelayCall(
        charge=charge,
        journal=journal,
        metrics=metrics,
        keyring=keyring,
        prices=prices,
        upstream=upstream,
        tariff=settings.tariff,
        pepper=pepper,
        clock=clock,
        ids=ids,
        patience=Patience(longest=timedelta(seconds=settings.max_stream_seconds)),
        gate=gate,
    )
    services = Services(
        transactions=store,
        clock=clock,
        ids=ids,
        identity=identity,
        operators=operators,
        model_gateway=model_gateway,
        payment_gateway=payment_gateway,
        wires={wire.endpoint: wire for wire in wires},
        token_counters={CountTokens.endpoint: CountTokens()},
        commits=commits,
        journal=journal,
        metrics=metrics,
        recovery=RecoverSettlements(
            journals=AbandonedFiles(settings.data_dir / "journal"),
            charge=charge,
            transactions=store,
        ),
        mirrors=MirrorKeys(
            transactions=store,
            clock=clock,
            upstream=upstream_keys,
            tariff=settings.tariff,
            wanted=settings.mirrors_keys,
        ),
        keyring=keyring,
        charge=charge,
        prices=prices,
        relay=relay,
        direct=DirectCalls(
            charge=charge,
            transactions=store,
            prices=prices,
            tariff=settings.tariff,
            pepper=pepper,
            read_usage=reported_usage,
            gate=gate,
            metrics=metrics,
        ),
        sales=sales,
        mobile_money=CollectMobileMoney(
            transactions=store,
            gateway=payment_gateway,
            sales=sales,
            payments=payments,
            clock=clock,
        ),
        forget=ForgetDetails(
            transactions=store,
            gateway=payment_gateway,
            clock=clock,
            after=timedelta(days=settings.webhook_retention_days),
        ),
        rates=CheckRates(transactions=store, rates=rates, terms=settings.sale_terms, clock=clock),
        payments=payments,
        inbox=PaymentInbox(
            transactions=store,
            gateway=payment_gateway,
            payments=payments,
            refunds=refund_follower,
            clock=clock,
        ),
        refunds=refunds,
        documents=IssueDocuments(transactions=store, clock=clock, seller=seller),
        print_document=printer(),
        statements=WriteStatement(transactions=store),
        reviews=ResolveReview(
            transactions=store,
            gateway=payment_gateway,
            refund_gateway=refund_gateway,
            refunds=refunds,
            clock=clock,
            followers=(notices,),
        ),
        balances=WatchBalances(transactions=store, notices=notices, clock=clock),
        refund_follower=refund_follower,
        reconciliation=reconciliation,
        debts=ClearDebt(transactions=store, clock=clock, ids=ids),
        poller=PollPayments(transactions=store, payments=payments, clock=clock),
        gate=gate,
        repeats=RepeatCall(
            transactions=store,
            clock=clock,
            vault=vault,
            pepper=pepper,
            keeps_answers=settings.keep_answers,
        ),
        quotes=QuoteCall(transactions=store, prices=prices, tariff=settings.tariff, clock=clock),
        keys=IssueKey(
            transactions=store,
            clock=clock,
            ids=ids,
            pepper=pepper,
            defaults=settings.new_key_limits,
        ),
        account_limits=LimitAccount(transactions=store, clock=clock),
        key_changes=ChangeKey(transactions=store, clock=clock, ids=ids, pepper=pepper),
        key_views=ReadKeys(transactions=store, clock=clock),
        recognise=RecogniseKey(transactions=store, clock=clock, pepper=pepper),
        welcome=WelcomePerson(
            transactions=store,
            clock=clock,
            ids=ids,
            signup_credits=settings.signup_credits,
            credits_per_day=settings.signup_credits_per_day,
            account_limits=settings.account_limits,
        ),
        sessions=sessions,
        access=ManageAccess(
            transactions=store, clock=clock, operators=operators, sessions=sessions
        ),
        security_log=SecurityLog(transactions=store, clock=clock),
        profiles=ChangeProfile(
            transactions=store, currencies=["KES"] if settings.usd_to_kes_rate else []
        ),
        flows=KeepFlows(transactions=store, clock=clock, vault=vault),
        # Local accounts can be moved where they are not what people sign in with any more.
        mover=MoveAccounts(transactions=store, clock=clock, target=operators)
        if isinstance(operators, SupabaseOperators)
        else None,
        closing=closing,
        blocks=BlockPerson(transactions=store, clock=clock),
        roles=GrantRole(transactions=store, clock=clock),
        mails=notices.mails,
        alerts=KeepAlerts(transactions=store, clock=clock),
        watch=watch,
        jobs=ManageJobs(transactions=store, clock=clock),
        runner=RunJobs(
            transactions=store,
            clock=clock,
            # What does the jobs of each kind.
            handlers={
                SEND_MAIL: notices.mails.send,
                LINK_JOB: letters.write,
                NOTICE_JOB: letters.notify,
                DELETE_IDENTITY: closing.delete_identity,
                RECONCILE: reconciliation.reconcile_nightly,
                WATCH: watch.watch,
            },
            policies={
                **dict.fromkeys((SEND_MAIL, LINK_JOB, NOTICE_JOB), MAIL_POLICY),
                RECONCILE: NIGHTLY_POLICY,
            },
            recurring=(EVERY_MINUTE, EVERY_NIGHT),
        ),
        grants=GrantCredits(transactions=store, clock=clock),
        receipts=WriteReceipt(store),
        audit=AuditBooks(store),
        usage=RollUpUsage(store, clock),
        spend=ReconcileUsage(
            transactions=store,
            log=LiteLLMSpendLog(admin),
            longest_call=settings.hold_lifetime,
        ),
        insight=DescribeUsage(store, clock),
        refusals=KeepRefusals(transactions=store, clock=clock, pepper=pepper),
        migrate=partial(migrate, settings.store_url),
        pending_migrations=partial(pending_migrations, settings.store_url),
    )
    return create_app(services, settings)


def printer() -> Callable[[Document], bytes]:
    """Build what prints documents: away from the streams where there are any."""
    if not gevent.monkey.is_module_patched("socket"):
        return render_pdf
    pool = CpuPool(full="Too many receipts are being printed right now. Try again in a moment.")
    return lambda document: pool(partial(render_pdf, document))


def recognisers(
    settings: Settings, store: Transactions, clock: Clock, ids: Ids, vault: Vault
) -> tuple[IdentityProvider, IdentityOperators]:
    """Build who recognises people: Supabase Auth where it is configured, else our own accounts."""
    if settings.supabase_url:
        return (
            SupabaseIdentityProvider(
                GoTrueClient(settings.supabase_url, ApiKey(settings.supabase_anon_key)),
                clock,
                store,
                base_url=settings.base_url,
                methods=settings.sign_in_methods,
            ),
            SupabaseOperators(
                GoTrueClient(settings.supabase_url, ApiKey(settings.supabase_service_role_key)),
                clock,
                base_url=settings.base_url,
            ),
        )
    under_gevent = gevent.monkey.is_module_patched("socket")
    passwords = Passwords(
        # Hashing a password is CPU work of milliseconds: streams must not wait for it.
        run=CpuPool(full="Too many people are signing in right now. Try again in a moment.")
        if under_gevent
        else None
    )
    tokens = Tokens(settings.auth_secret)
    return (
        LocalIdentityProvider(
            store,
            clock,
            ids,
            passwords=passwords,
            tokens=tokens,
            vault=vault,
            sends_mail=bool(settings.mail_url),
            confirms=settings.confirms_addresses,
            issuer=settings.site_name,
        ),
        LocalIdentityOperators(
            store, clock, ids, passwords=passwords, sends_mail=bool(settings.mail_url)
        ),
    )


def _mails(settings: Settings, transactions: Transactions, clock: Clock) -> SendMail:
    site = urlsplit(settings.base_url)
    mailer = None
    if settings.mail_url:
        mailer = SmtpMailer(
            server=MailServer.parse(settings.mail_url),
            sender=settings.mail_from,
            site=site.hostname or "localhost",
            clock=clock,
        )
    templates = JinjaTemplates(
        {
            "name": settings.site_name,
            "base_url": settings.base_url,
            "support_email": settings.support_email,
            "support_url": settings.support_url,
            "company_name": settings.company_name,
            "company_address": settings.company_address,
        }
    )
    return SendMail(transactions=transactions, templates=templates, mailer=mailer, clock=clock)


load_dotenv()
try:
    app = build(os.environ)
except SettingsError as error:
    app = unconfigured(error)
