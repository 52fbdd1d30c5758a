"""Every adapter that a gateway stands on, as the core sees it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from creditcore.domain.fiscal_stamps import StampedDocument
from creditcore.ports.account_import import AccountImport
from creditcore.ports.alert_webhook import AlertWebhook
from creditcore.ports.call_traces import CallTraces
from creditcore.ports.card_gateway import CardGateway
from creditcore.ports.clock import Clock, MonotonicClock
from creditcore.ports.exchange_rates import ExchangeRates
from creditcore.ports.identity import IdentityOperators, IdentityProvider
from creditcore.ports.ids import Ids
from creditcore.ports.inference import FormWire, Wire
from creditcore.ports.journal import AbandonedJournals, SettlementJournal
from creditcore.ports.key_webhooks import KeyWebhooks
from creditcore.ports.mail import Mailer, MailTemplates
from creditcore.ports.metrics import Measure, Metrics
from creditcore.ports.model_gateway import ModelGateway
from creditcore.ports.payment_list import PaymentList
from creditcore.ports.payments import PaymentGateway
from creditcore.ports.prompt_counts import PromptCounts
from creditcore.ports.rate_counters import RateCounters
from creditcore.ports.refund_gateway import RefundGateway
from creditcore.ports.spend_log import SpendLog
from creditcore.ports.token_counters import RequestCounts, TokenCounter
from creditcore.ports.transactions import BooksTransactions, Transactions
from creditcore.ports.upstream import Upstream
from creditcore.ports.upstream_keys import UpstreamKeys
from creditcore.ports.vault import Vault
from creditcore.usecases.calls.direct_calls import UsageReader
from creditcore.usecases.jobs.run_jobs import JobHandler


class WallClock(Clock, MonotonicClock, Protocol):
    """Tells the time and measures how long things take."""


class Deliver(Protocol):
    """Renders a mail and hands it to the mail server, or raises."""

    def __call__(
        self, mail_id: str, template: str, to: str, values: Mapping[str, object], /
    ) -> None:
        """Deliver it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The adapters of a gateway.

    Attributes:
        transactions: The store.
        committing: Where group commits find their transactions; the store itself will do.
        account_import: Where local accounts can be moved to; None where there is no such place.
        letters: The jobs in which the identity adapter writes its mails, given what delivers one.
        mailer: None where no mail is sent.
        pools: What a process has only so much of, as the adapters know it.
        prompt_counts: Who counts prompts where credits are short.
        request_counts: Who counts requests whose clients ask how large they are.
        alert_webhook: What is told of alerts; None for nothing.
        read_usage: Reads the usage that a model server reports, of any protocol.
        print_document: Returns a receipt or credit note as PDF, with its fiscal stamp.
        data_dir: The folder whose disk must not run full.
        migrate: Brings the schema up to date; returns the names of what was applied.
        pending_migrations: What ``migrate`` would apply.
    """

    transactions: Transactions
    committing: BooksTransactions
    clock: WallClock
    ids: Ids
    vault: Vault
    data_dir: Path
    migrate: Callable[[], list[str]]
    pending_migrations: Callable[[], list[str]]

    identity: IdentityProvider
    operators: IdentityOperators
    account_import: AccountImport | None
    letters: Callable[[Deliver], Mapping[str, JobHandler]]

    templates: MailTemplates
    mailer: Mailer | None
    metrics: Metrics
    pools: Sequence[Measure]
    traces: CallTraces

    read_usage: UsageReader
    wires: Collection[Wire]
    forms: Collection[FormWire]
    token_counters: Collection[TokenCounter]
    model_gateway: ModelGateway
    prompt_counts: PromptCounts
    request_counts: RequestCounts
    upstream: Upstream
    upstream_keys: UpstreamKeys
    spend_log: SpendLog
    rates_per_minute: RateCounters
    journal: SettlementJournal
    abandoned_journals: AbandonedJournals

    exchange_rates: ExchangeRates
    alert_webhook: AlertWebhook | None
    key_webhooks: KeyWebhooks
    payment_gateway: PaymentGateway
    refund_gateway: RefundGateway
    card_gateway: CardGateway
    payment_list: PaymentList
    print_document: Callable[[StampedDocument], bytes]
