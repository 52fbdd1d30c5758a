"""The use cases that keep a gateway running: jobs, mails, checks and alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from creditcore.services.books import BookServices
from creditcore.services.calls import CallServices
from creditcore.services.keys import KeyServices
from creditcore.services.payments import PaymentServices
from creditcore.services.people import PeopleServices
from creditcore.services.ports import Ports
from creditcore.services.rules import Rules
from creditcore.services.teams import TeamServices
from creditcore.usecases.calls.reconcile_nightly import EVERY_NIGHT as USAGE_NIGHTLY
from creditcore.usecases.calls.reconcile_nightly import NIGHTLY_POLICY as USAGE_POLICY
from creditcore.usecases.calls.reconcile_nightly import RECONCILE_USAGE, ReconcileNightly
from creditcore.usecases.jobs.manage_jobs import ManageJobs
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import MAIL_POLICY, SEND_MAIL, SendMail
from creditcore.usecases.keys.tell_webhook import TELL_WEBHOOK
from creditcore.usecases.monitoring.announce_alerts import ANNOUNCE, SEND_ALERTS, AnnounceAlerts
from creditcore.usecases.monitoring.announce_alerts import EVERY_MINUTE as NEWS
from creditcore.usecases.monitoring.checks import Checks
from creditcore.usecases.monitoring.heal import Heal
from creditcore.usecases.monitoring.keep_alerts import KeepAlerts
from creditcore.usecases.monitoring.keep_audits import AUDIT, AUDIT_POLICY, EVERY_DAY
from creditcore.usecases.monitoring.watch import EVERY_MINUTE, WATCH, Watch
from creditcore.usecases.payments.keep_cards import FORGET_CARD
from creditcore.usecases.payments.reconcile_payments import (
    EVERY_NIGHT,
    NIGHTLY_POLICY,
    RECONCILE,
)
from creditcore.usecases.people.close_account import DELETE_IDENTITY
from creditcore.usecases.teams.invite_members import INVITATION_JOB


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationServices:
    """What runs beside requests, and what tells the operator about it."""

    jobs: ManageJobs
    runner: RunJobs
    mails: SendMail
    alerts: KeepAlerts
    announcer: AnnounceAlerts
    watch: Watch

    @classmethod
    def of(
        cls,
        ports: Ports,
        rules: Rules,
        *,
        calls: CallServices,
        keys: KeyServices,
        people: PeopleServices,
        teams: TeamServices,
        payments: PaymentServices,
        books: BookServices,
        mails: SendMail,
    ) -> Self:
        """Build them."""
        store, clock = ports.transactions, ports.clock
        watch = Watch(
            transactions=store,
            clock=clock,
            checks=Checks(
                transactions=store,
                clock=clock,
                model_gateway=ports.model_gateway,
                payment_gateway=ports.payment_gateway,
                operators=ports.operators,
                mirrors_keys=rules.mirrors_keys,
                mailer=ports.mailer,
                data_dir=ports.data_dir,
            ).all(),
            heal=Heal(
                transactions=store,
                clock=clock,
                remedies={
                    "holds": calls.expiry.expire,
                    "prices": calls.prices.refresh,
                    "key copies": keys.mirrors.retry_failed,
                },
            ).heal,
        )
        announcer = AnnounceAlerts(
            transactions=store,
            clock=clock,
            mails=mails,
            # Without a mail server the webhook alone is told.
            addresses=tuple(rules.alert_addresses) if mails.is_configured else (),
            webhook=ports.alert_webhook,
            quiet=rules.alert_quiet,
        )
        nightly = ReconcileNightly(transactions=store, clock=clock, usage=books.spend)
        letters = ports.letters(mails.deliver)
        return cls(
            jobs=ManageJobs(transactions=store, clock=clock),
            runner=RunJobs(
                transactions=store,
                clock=clock,
                # What does the jobs of each kind.
                handlers={
                    SEND_MAIL: mails.send,
                    TELL_WEBHOOK: keys.webhooks.deliver,
                    **letters,
                    INVITATION_JOB: teams.invitations.mail,
                    DELETE_IDENTITY: people.closing.delete_identity,
                    FORGET_CARD: payments.cards.forget,
                    RECONCILE: payments.reconciliation.reconcile_nightly,
                    RECONCILE_USAGE: nightly.run,
                    WATCH: watch.watch,
                    ANNOUNCE: announcer.announce,
                    SEND_ALERTS: announcer.send,
                    AUDIT: books.audits.run,
                },
                policies={
                    **dict.fromkeys((SEND_MAIL, INVITATION_JOB, *letters), MAIL_POLICY),
                    RECONCILE: NIGHTLY_POLICY,
                    RECONCILE_USAGE: USAGE_POLICY,
                    AUDIT: AUDIT_POLICY,
                },
                recurring=(EVERY_MINUTE, NEWS, EVERY_NIGHT, USAGE_NIGHTLY, EVERY_DAY),
            ),
            mails=mails,
            alerts=KeepAlerts(transactions=store, clock=clock),
            announcer=announcer,
            watch=watch,
        )
