"""The use cases of the books as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from creditcore.services.ports import Ports
from creditcore.services.rules import Rules
from creditcore.usecases.books.audit_books import AuditBooks
from creditcore.usecases.books.describe_site import DescribeSite
from creditcore.usecases.books.describe_usage import DescribeUsage
from creditcore.usecases.books.grant_credits import GrantCredits
from creditcore.usecases.books.roll_up_usage import RollUpUsage
from creditcore.usecases.books.summarise_weeks import SummariseWeeks
from creditcore.usecases.calls.reconcile_usage import ReconcileUsage
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.monitoring.keep_audits import KeepAudits


@dataclass(frozen=True, slots=True, kw_only=True)
class BookServices:
    """Grants, audits and what the usage amounts to."""

    grants: GrantCredits
    audit: AuditBooks
    audits: KeepAudits
    usage: RollUpUsage
    insight: DescribeUsage
    site: DescribeSite
    weeks: SummariseWeeks
    spend: ReconcileUsage

    @classmethod
    def of(cls, ports: Ports, rules: Rules, *, mails: SendMail) -> Self:
        """Build them."""
        store, clock = ports.transactions, ports.clock
        audit = AuditBooks(transactions=store)
        insight = DescribeUsage(transactions=store, clock=clock)
        return cls(
            grants=GrantCredits(transactions=store, clock=clock),
            audit=audit,
            audits=KeepAudits(transactions=store, clock=clock, audit=audit),
            usage=RollUpUsage(transactions=store, clock=clock),
            insight=insight,
            site=DescribeSite(transactions=store, clock=clock),
            weeks=SummariseWeeks(
                transactions=store,
                insight=insight,
                mails=mails,
                clock=clock,
                credits_per_usd=rules.sale_terms.credits_per_usd,
            ),
            spend=ReconcileUsage(
                transactions=store, log=ports.spend_log, longest_call=rules.hold_lifetime
            ),
        )
