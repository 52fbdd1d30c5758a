"""What a gateway can do, in one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from creditcore.domain.fiscal_stamps import StampedDocument
from creditcore.ports.call_traces import CallTraces
from creditcore.ports.clock import Clock
from creditcore.ports.identity import IdentityOperators, IdentityProvider
from creditcore.ports.ids import Ids
from creditcore.ports.inference import FormWire, Wire
from creditcore.ports.journal import SettlementJournal
from creditcore.ports.metrics import Measure, Metrics
from creditcore.ports.model_gateway import ModelGateway
from creditcore.ports.payments import PaymentGateway
from creditcore.ports.token_counters import TokenCounter
from creditcore.ports.transactions import Transactions
from creditcore.services.books import BookServices
from creditcore.services.calls import CallServices
from creditcore.services.keys import KeyServices
from creditcore.services.operations import OperationServices
from creditcore.services.payments import PaymentServices
from creditcore.services.people import PeopleServices
from creditcore.services.ports import Ports
from creditcore.services.rules import Rules
from creditcore.services.teams import TeamServices
from creditcore.usecases.jobs.send_mail import SendMail


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases by subject, and the few ports that pages and commands read from directly.

    Attributes:
        wires: The inference protocols by route.
        pools: What a process has only so much of.
        forms: Those of them whose requests are forms with a file.
        token_counters: The free counters of requests by route.
        print_document: Returns a receipt or credit note as PDF, with its fiscal stamp.
        migrate: Brings the schema up to date; returns the names of what was applied.
        pending_migrations: What ``migrate`` would apply.
    """

    calls: CallServices
    keys: KeyServices
    payments: PaymentServices
    people: PeopleServices
    teams: TeamServices
    books: BookServices
    operations: OperationServices

    transactions: Transactions
    clock: Clock
    ids: Ids
    identity: IdentityProvider
    operators: IdentityOperators
    model_gateway: ModelGateway
    payment_gateway: PaymentGateway
    journal: SettlementJournal
    metrics: Metrics
    pools: Sequence[Measure]
    traces: CallTraces
    wires: Mapping[str, Wire]
    forms: Mapping[str, FormWire]
    token_counters: Mapping[str, TokenCounter]
    print_document: Callable[[StampedDocument], bytes]
    migrate: Callable[[], list[str]]
    pending_migrations: Callable[[], list[str]]

    @classmethod
    def of(cls, ports: Ports, rules: Rules) -> Self:
        """Build every use case; nothing is asked of a port yet."""
        mails = SendMail(
            transactions=ports.transactions,
            templates=ports.templates,
            mailer=ports.mailer,
            clock=ports.clock,
        )
        keys = KeyServices.of(ports, rules, mails=mails)
        payments = PaymentServices.of(ports, rules, mails=mails)
        teams = TeamServices.of(ports, rules, mails=mails)
        people = PeopleServices.of(ports, rules, cards=payments.cards)
        books = BookServices.of(ports, rules, mails=mails)
        calls = CallServices.of(ports, rules, keys=keys)
        return cls(
            calls=calls,
            keys=keys,
            payments=payments,
            people=people,
            teams=teams,
            books=books,
            operations=OperationServices.of(
                ports,
                rules,
                calls=calls,
                keys=keys,
                people=people,
                teams=teams,
                payments=payments,
                books=books,
                mails=mails,
            ),
            transactions=ports.transactions,
            clock=ports.clock,
            ids=ports.ids,
            identity=ports.identity,
            operators=ports.operators,
            model_gateway=ports.model_gateway,
            payment_gateway=ports.payment_gateway,
            journal=ports.journal,
            metrics=ports.metrics,
            pools=(*ports.pools, calls.waiting_commits),
            traces=ports.traces,
            wires={wire.endpoint: wire for wire in (*ports.wires, *ports.forms)},
            forms={wire.endpoint: wire for wire in ports.forms},
            token_counters={counter.endpoint: counter for counter in ports.token_counters},
            print_document=ports.print_document,
            migrate=ports.migrate,
            pending_migrations=ports.pending_migrations,
        )
