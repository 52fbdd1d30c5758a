"""However many workers look at once, a week is mailed once, on every store."""

from __future__ import annotations

from datetime import timedelta

from adapters.smtp_mail import JinjaTemplates
from creditcore.domain.jobs import JobState
from creditcore.domain.people import Person
from creditcore.domain.weekly_summary import WeeklySummary
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts import NOON, a_wallet, at_once
from creditcore.testing.contracts.usage_hours import Made, make
from creditcore.testing.memory import FixedClock
from creditcore.testing.memory_mail import MemoryMailer
from creditcore.usecases.books.describe_usage import DescribeUsage
from creditcore.usecases.books.summarise_weeks import SummariseWeeks
from creditcore.usecases.jobs.send_mail import SEND_MAIL, SendMail

WALLETS = ("wallet-1", "wallet-2", "wallet-3")
WORKERS = 4
A_WEEK = timedelta(days=7)


def test_workers_that_look_at_once_send_one_mail_to_each(any_store: Transactions) -> None:
    clock = FixedClock(NOON + A_WEEK)
    for wallet_id in WALLETS:
        owner_id = a_wallet(any_store, posted=1000, wallet_id=wallet_id).owner_id
        with any_store.begin() as tx:
            tx.people.add(Person(id=owner_id, email=f"{wallet_id}@example.com", created_at=NOON))
            tx.weekly_summaries.save(WeeklySummary(person_id=owner_id, due_at=clock.at))
            tx.commit()
        make(any_store, Made(reference=wallet_id, wallet_id=wallet_id, key_id=None))
    weeks = SummariseWeeks(
        transactions=any_store,
        insight=DescribeUsage(transactions=any_store, clock=clock),
        mails=SendMail(
            transactions=any_store,
            templates=JinjaTemplates({}),
            mailer=MemoryMailer(),
            clock=clock,
        ),
        clock=clock,
        credits_per_usd="2",
    )

    counts = at_once(WORKERS, lambda _: weeks.send_due())

    assert sum(count for count in counts if isinstance(count, int)) == len(WALLETS), counts
    with any_store.begin() as tx:
        waiting = tx.jobs.listing(limit=99, states=[JobState.WAITING], kind=SEND_MAIL)
        addresses = sorted(str(job.payload["to"]) for job in waiting)
        assert addresses == [f"{name}@example.com" for name in WALLETS]
        assert not tx.weekly_summaries.due(now=clock.at, limit=9)
