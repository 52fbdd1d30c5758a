"""Mail people what they used in the week before, if they want that and used anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Protocol

from creditcore.domain.errors import PersonNotFoundError
from creditcore.domain.figures import change, dollar_text, per_mille
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Wallet
from creditcore.domain.people import Person
from creditcore.domain.runway import Runway
from creditcore.domain.usage_hours import Tally
from creditcore.domain.weekly_summary import WeeklySummary, week_before
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import Commits, HasKeys, HasLedger, HasPeople, HasWeeklySummaries
from creditcore.ports.transactions import Begins, MailTransaction
from creditcore.ports.usage_hours import NO_KEY, UsageOf
from creditcore.usecases.books.describe_usage import DescribeUsage, UsageReport
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.payments.tell_payers import dollars

_PER_ROUND = 100
_LISTED = 3
_DECIMALS = 8
"""Of a dollar, in microcredits."""
_SHOWN = Context(prec=28, rounding=ROUND_HALF_EVEN)


class SummariseWeeksTransaction(
    HasKeys, HasLedger, HasPeople, HasWeeklySummaries, MailTransaction, Commits, Protocol
):
    """What weekly summaries are written from, and written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummariseWeeks:
    """Keep who wants a weekly summary, and mail it from Monday at seven in their zone.

    Attributes:
        credits_per_usd: Decimal text; by this a sum of balance is the money paid for it.
    """

    transactions: Begins[SummariseWeeksTransaction]
    insight: DescribeUsage
    mails: SendMail
    clock: Clock
    credits_per_usd: str

    def is_wanted_by(self, person_id: str) -> bool:
        """Whether a person is mailed each week."""
        with self.transactions.begin() as tx:
            return tx.weekly_summaries.find(person_id) is not None

    @property
    def sends_mail(self) -> bool:
        """Whether mails leave this site at all."""
        return self.mails.is_configured

    def choose(self, person_id: str, *, wanted: bool) -> None:
        """Mail a person from the next Monday on, or no more; a repeat changes nothing.

        Raises:
            PersonNotFoundError: No person has this id.
        """
        with self.transactions.begin() as tx:
            person = tx.people.lock(person_id)
            if person is None:
                raise PersonNotFoundError(person_id)
            if (tx.weekly_summaries.lock(person_id) is not None) == wanted:
                return
            if wanted:
                tx.weekly_summaries.save(
                    WeeklySummary.begin(person_id, now=self.clock.now(), zone=person.zone)
                )
            else:
                tx.weekly_summaries.remove(person_id)
            tx.commit()

    def send_due(self) -> int:
        """Mail those who are due; return how many mails will leave.

        Any number of workers may do this at once: a week is told of once. Each person who was
        looked at is due a week later, so that the next round finds the others.
        """
        if not self.mails.is_configured:
            return 0
        now = self.clock.now()
        with self.transactions.begin() as tx:
            due = tx.weekly_summaries.due(now=now, limit=_PER_ROUND)
        return sum(self._send(summary, now) for summary in due)

    def _send(self, summary: WeeklySummary, now: datetime) -> bool:
        with self.transactions.begin() as tx:
            person = tx.people.find(summary.person_id)
            wallet = tx.ledger.find_wallets_of([summary.person_id]).get(summary.person_id)
            keys = tx.keys.list_of(summary.person_id)
        if person is None or person.is_gone:
            return self._forget(summary.person_id)
        report = None
        if wallet and not person.blocked and not summary.is_early(now=now, zone=person.zone):
            # Outside the transaction that locks the row: adding up may take a while.
            report = self.insight.describe(UsageOf(wallet.id), week_before(now, person.zone))
        values = self._values(report, wallet, keys) if wallet and report else {}
        with self.transactions.begin() as tx:
            if tx.weekly_summaries.lock(person.id) != summary:
                # Another worker was here, or the person wants it no more.
                return False
            tx.weekly_summaries.save(summary.advance(now=now, zone=person.zone))
            is_sent = bool(values) and self._enqueue(tx, person, values)
            tx.commit()
        return is_sent

    def _forget(self, person_id: str) -> bool:
        with self.transactions.begin() as tx:
            tx.weekly_summaries.remove(person_id)
            tx.commit()
        return False

    def _enqueue(
        self, tx: SummariseWeeksTransaction, person: Person, values: Mapping[str, object]
    ) -> bool:
        event = f"{person.id}:{values['since']}"
        values = {"account": person.id, **values}
        return self.mails.enqueue(tx, "weekly_summary", to=person.email, event=event, values=values)

    def _values(
        self, report: UsageReport, wallet: Wallet, keys: Sequence[ApiKey]
    ) -> Mapping[str, object]:
        """Return what the mail says; nothing of a week without calls."""
        used, before, week = report.total, report.before, report.period
        if not used.calls:
            return {}
        names = {key.id: f"{key.name or 'Unnamed'} \u2026{key.last_four}" for key in keys}
        names[NO_KEY] = "Playground"
        return {
            "since": f"{week.first}",
            "until": f"{week.last}",
            "week": f"{_day(week.first)} to {_day(week.last)} {week.last:%Y}",
            "starts_late": week.starts_late,
            "paid": self._paid(used.charge),
            "balance": dollar_text(_usd(used.charge)),
            "paid_change": change(used.charge, before.charge, self._paid(before.charge)),
            "calls": f"{used.calls:,}",
            "calls_change": change(used.calls, before.calls, f"{before.calls:,}"),
            "success": per_mille(used.success_per_mille),
            "success_before": per_mille(before.success_per_mille) if before.calls else "",
            "models": self._listed(report.by_model(), str),
            "keys": self._listed(
                report.by_key(), lambda key_id: names.get(key_id, "A key that is gone")
            ),
            "left": dollars(wallet.available),
            "left_paid": self._paid(wallet.available.microcredits),
            "lasts": _lasts(self.insight.runway(wallet)),
        }

    def _listed(
        self, tallies: Mapping[str, Tally], name_of: Callable[[str], str]
    ) -> list[list[str]]:
        """Return the most expensive, each with its name, its calls and what was paid."""
        called = [(name, tally) for name, tally in tallies.items() if tally.calls]
        return [
            [
                name_of(name),
                f"{tally.calls:,} {'call' if tally.calls == 1 else 'calls'}",
                self._paid(tally.charge),
            ]
            for name, tally in called[:_LISTED]
        ]

    def _paid(self, microcredits: int) -> str:
        # To 28 digits, as on pages; it is shown, and no sum is computed from it.
        return dollar_text(_SHOWN.divide(_usd(microcredits), Decimal(self.credits_per_usd)))


def _usd(microcredits: int) -> Decimal:
    return Decimal(microcredits).scaleb(-_DECIMALS)


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"


def _lasts(lasts: Runway) -> str:
    """Return how long the balance lasts; nothing where it is too early to say."""
    if lasts.days is None:
        return ""
    if lasts.is_long:
        return "more than a year"
    return f"about {lasts.days} {'day' if lasts.days == 1 else 'days'}"
