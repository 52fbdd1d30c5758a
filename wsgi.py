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
from adapters.flask_web.server.cpu_pool import CpuPool, hub_threads
from adapters.flask_web.settings import Settings, SettingsError
from adapters.journal import AbandonedFiles, FileJournal
from adapters.litellm.admin import AdminClient
from adapters.litellm.gateway import LiteLLMGateway
from adapters.litellm.keys import LiteLLMKeys
from adapters.litellm.relay import LiteLLMRelay
from adapters.litellm.spend_log import LiteLLMSpendLog
from adapters.litellm.token_counter import LiteLLMTokenCounter
from adapters.local_auth import LocalIdentityOperators, LocalIdentityProvider, Passwords, Tokens
from adapters.local_auth.letters import WriteLetters
from adapters.local_auth.outbox import LINK_JOB, NOTICE_JOB
from adapters.paystack import (
    PaystackCards,
    PaystackGateway,
    PaystackPaymentList,
    PaystackRefunds,
)
from adapters.pony_store import (
    StoreOnDemand,
    clock_for,
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
from adapters.webhooks import PublicWebhooks, StandardWebhook
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
from adapters.wires.openai.transcriptions import Transcriptions
from adapters.wires.usage import reported_usage
from creditcore import FirstRates, FixedRates, SystemClock, SystemIds
from creditcore.domain.documents import Seller
from creditcore.domain.fiscal_stamps import StampedDocument
from creditcore.ports.call_traces import CallTraces, NoTraces
from creditcore.ports.exchange_rates import ExchangeRates
from creditcore.ports.identity import IdentityOperators, IdentityProvider
from creditcore.ports.mail import Mailer
from creditcore.ports.rate_counters import RateCounters
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.ports.vault import Vault
from creditcore.services import Ports, Rules, Services
from creditcore.services.ports import Deliver, WallClock
from creditcore.usecases.calls.process_counters import ProcessCounters
from creditcore.usecases.calls.report_uncounted import ReportUncounted
from creditcore.usecases.jobs.run_jobs import JobHandler

PAGE_CONNECTIONS = 5
UPSTREAM_CONNECTIONS = 1000


def build(environ: Mapping[str, str]) -> Flask:
    """Build the application that an environment describes.

    Raises:
        SettingsError: The environment cannot be used.
    """
    settings = Settings.from_env(environ)
    settings.make_data_dir()
    services = Services.of(ports_of(settings), rules_of(settings))
    return create_app(services, settings)


def ports_of(settings: Settings) -> Ports:
    """Build the adapters: what stands at each port."""
    clock, ids = clock_for(settings.store_url, SystemClock()), SystemIds()
    store = StoreOnDemand(settings.store_url, pool_size=PAGE_CONNECTIONS)
    vault = AesVault(
        settings.auth_secret,
        previous_secrets=tuple(filter(None, [settings.auth_secret_previous])),
    )
    printing = _cpu_pool("receipts", full="Too many receipts are being printed right now.")
    hashing = _cpu_pool("passwords", full="Too many people are signing in right now.")
    identity, operators = _recognisers(settings, store, clock, ids, vault, hashing=hashing)
    admin = AdminClient(base_url=settings.litellm_base_url, master_key=settings.litellm_master_key)
    paystack = PaystackGateway(
        settings.paystack_base_url,
        settings.paystack_secret_key,
        previous_secret_keys=tuple(filter(None, [settings.paystack_secret_key_previous])),
    )
    upstream = LiteLLMRelay(
        base_url=settings.litellm_base_url,
        master_key=settings.litellm_master_key,
        size=UPSTREAM_CONNECTIONS,
        head_timeout_s=settings.max_stream_seconds,
        first_byte_timeout_s=min(settings.first_token_seconds, settings.max_stream_seconds),
    )
    journals = settings.data_dir / "journal"

    def letters(deliver: Deliver) -> Mapping[str, JobHandler]:
        tokens = Tokens(settings.auth_secret)
        write = WriteLetters(store, clock, tokens, base_url=settings.base_url, send=deliver)
        return {LINK_JOB: write.write, NOTICE_JOB: write.notify}

    return Ports(
        transactions=store,
        committing=_committing(settings, store),
        clock=clock,
        ids=ids,
        vault=vault,
        data_dir=settings.data_dir,
        migrate=partial(migrate, settings.store_url),
        pending_migrations=partial(pending_migrations, settings.store_url),
        identity=identity,
        operators=operators,
        # Local accounts can be moved where they are not what people sign in with any more.
        account_import=operators if isinstance(operators, SupabaseOperators) else None,
        letters=letters,
        templates=_templates(settings),
        mailer=_mailer(settings, clock),
        metrics=PrometheusMetrics(),
        pools=(
            store.pool_use,
            upstream.pool_use,
            *(pool.use for pool in (printing, hashing) if pool is not None),
            hub_threads,
        ),
        traces=_traces(settings),
        wires=(
            ChatCompletions(),
            Completions(),
            Embeddings(),
            Messages(),
            Responses(),
            Images(),
            Speech(),
            Rerank(),
            Moderations(),
        ),
        forms=(Transcriptions(),),
        token_counters=(CountTokens(),),
        model_gateway=LiteLLMGateway(admin),
        prompt_counts=LiteLLMTokenCounter.at(
            settings.litellm_base_url, settings.litellm_master_key
        ),
        # Another one, so that requests that take too long never stop the counts of calls.
        request_counts=LiteLLMTokenCounter.at(
            settings.litellm_base_url, settings.litellm_master_key
        ),
        upstream=upstream,
        upstream_keys=LiteLLMKeys(admin=admin, auth_secret=settings.auth_secret.encode()),
        spend_log=LiteLLMSpendLog(admin),
        rates_per_minute=_rates_per_minute(settings, store, clock),
        journal=FileJournal(journals),
        abandoned_journals=AbandonedFiles(journals),
        alert_webhook=_alert_webhook(settings, clock),
        key_webhooks=PublicWebhooks(clock=clock, anywhere=not settings.is_production),
        exchange_rates=_exchange_rates(settings, clock),
        payment_gateway=paystack,
        refund_gateway=PaystackRefunds(paystack),
        card_gateway=PaystackCards(paystack),
        payment_list=PaystackPaymentList(paystack),
        print_document=_printer(printing),
        read_usage=reported_usage,
    )


def rules_of(settings: Settings) -> Rules:
    """Return what the operator has decided."""
    return Rules(
        pepper=settings.auth_secret.encode(),
        base_url=settings.base_url,
        tariff=settings.tariff,
        longest_stream=timedelta(seconds=settings.max_stream_seconds),
        hold_lifetime=settings.hold_lifetime,
        max_streams=settings.max_streams,
        mirrors_keys=settings.mirrors_keys,
        keeps_answers=settings.keep_answers,
        site=settings.site_name,
        payment_return_url=f"{settings.base_url}/payments/paystack",
        sale_terms=settings.sale_terms,
        seller=Seller(
            name=settings.company_name or "creditcore",
            address=settings.company_address,
            tax_number=settings.tax_number,
            tax_rates=settings.tax_rates,
            stamped_since=settings.fiscal_stamps,
        ),
        details_kept=timedelta(days=settings.webhook_retention_days),
        profile_currencies=["KES"] if settings.usd_to_kes_rate else [],
        new_key_limits=settings.new_key_limits,
        account_limits=settings.account_limits,
        alert_addresses=settings.alert_email,
        alert_quiet=timedelta(minutes=settings.alert_quiet_minutes),
        signup_credits=settings.signup_credits,
        signup_credits_per_day=settings.signup_credits_per_day,
    )


def _cpu_pool(name: str, *, full: str) -> CpuPool | None:
    """Return where work of the processor is done away from the streams, where there are any."""
    if not gevent.monkey.is_module_patched("socket"):
        return None
    return CpuPool(name, full=f"{full} Try again in a moment.")


def _printer(pool: CpuPool | None) -> Callable[[StampedDocument], bytes]:
    if pool is None:
        return render_pdf
    return lambda document: pool(partial(render_pdf, document))


def _committing(settings: Settings, store: Transactions) -> BooksTransactions:
    if settings.uses_sqlite:
        # In a file there is one writer: calls and pages take turns on one connection.
        return store
    if gevent.monkey.is_module_patched("socket"):
        install_wait_callback()
    return committer_for(settings.store_url)


def _exchange_rates(settings: Settings, clock: WallClock) -> ExchangeRates:
    fixed = FixedRates(settings.fixed_rates)
    if settings.currency_rates_file is None:
        return fixed
    max_age = timedelta(hours=settings.currency_rates_max_age_hours)
    return FirstRates((fixed, RateFile(settings.currency_rates_file, clock, max_age=max_age)))


def _rates_per_minute(settings: Settings, store: Transactions, clock: WallClock) -> RateCounters:
    counters = ProcessCounters(clock=clock)
    if not settings.redis_url:
        return counters
    uncounted = ReportUncounted(transactions=store, clock=clock)
    return RedisCounters(settings.redis_url, fallback=counters, alert=uncounted.report)


def _recognisers(
    settings: Settings,
    store: Transactions,
    clock: WallClock,
    ids: SystemIds,
    vault: Vault,
    *,
    hashing: CpuPool | None,
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
                linking=settings.supabase_linking,
                site_name=settings.site_name,
            ),
            SupabaseOperators(
                GoTrueClient(settings.supabase_url, ApiKey(settings.supabase_service_role_key)),
                clock,
                base_url=settings.base_url,
            ),
        )
    # Hashing a password is CPU work of milliseconds: streams must not wait for it.
    passwords = Passwords(run=hashing)
    return (
        LocalIdentityProvider(
            store,
            clock,
            ids,
            passwords=passwords,
            tokens=Tokens(settings.auth_secret),
            vault=vault,
            sends_mail=bool(settings.mail_url),
            confirms=settings.confirms_addresses,
            issuer=settings.site_name,
        ),
        LocalIdentityOperators(
            store, clock, ids, passwords=passwords, sends_mail=bool(settings.mail_url)
        ),
    )


def _mailer(settings: Settings, clock: WallClock) -> Mailer | None:
    if not settings.mail_url:
        return None
    return SmtpMailer(
        server=MailServer.parse(settings.mail_url),
        sender=settings.mail_from,
        site=urlsplit(settings.base_url).hostname or "localhost",
        clock=clock,
    )


def _alert_webhook(settings: Settings, clock: WallClock) -> StandardWebhook | None:
    if not settings.alert_webhook_url:
        return None
    return StandardWebhook(
        url=settings.alert_webhook_url, secret=settings.alert_webhook_secret, clock=clock
    )


def _traces(settings: Settings) -> CallTraces:
    if not settings.sends_traces:
        return NoTraces()
    try:
        from adapters.otel import OtelTraces
    except ImportError:
        return NoTraces("OTEL_EXPORTER_OTLP_ENDPOINT needs the packages of the group 'otel'.")
    return OtelTraces()


def _templates(settings: Settings) -> JinjaTemplates:
    return JinjaTemplates(
        {
            "name": settings.site_name,
            "base_url": settings.base_url,
            "support_email": settings.support_email,
            "support_url": settings.support_url,
            "company_name": settings.company_name,
            "company_address": settings.company_address,
        }
    )


load_dotenv()
try:
    app = build(os.environ)
except SettingsError as error:
    app = unconfigured(error)
