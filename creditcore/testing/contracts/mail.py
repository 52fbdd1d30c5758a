"""Mails: enqueued with their cause, bounded, suppressed."""

from __future__ import annotations

from datetime import timedelta

from creditcore.domain.errors import MailRefusedError, MailUnavailableError
from creditcore.domain.jobs import JobState
from creditcore.domain.mail import MAX_MAILS_AN_HOUR
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, at_once
from creditcore.testing.memory import FixedClock
from creditcore.testing.memory_mail import MemoryMailer, PlainTemplates
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import SEND_MAIL, SendMail

AMINA = "amina@example.com"


class MailContract:
    """Mails of a store's people."""

    def test_a_mail_leaves_once_and_its_values_are_erased(self, transactions: Transactions) -> None:
        house = _House(transactions)

        assert house.enqueue("welcome", "p-1")
        assert not house.enqueue("welcome", "p-1")
        assert (house.run(), house.run()) == (1, 0)

        [mail] = house.mailer.sent.values()
        assert (mail.to, mail.content.subject, mail.content.text) == (AMINA, "welcome", "n: 1")
        with transactions.begin() as tx:
            [job] = tx.jobs.listing(limit=10)
        assert (job.state, job.payload) == (JobState.DONE, {})

    def test_a_cause_that_is_forgotten_sends_nothing(self, transactions: Transactions) -> None:
        house = _House(transactions)

        with transactions.begin() as tx:
            assert house.mails.enqueue(tx, "welcome", to=AMINA, event="p-1", values={})

        assert house.run() == 0

    def test_an_address_gets_so_many_an_hour(self, transactions: Transactions) -> None:
        house = _House(transactions)

        sent = [house.enqueue("reset", str(number)) for number in range(MAX_MAILS_AN_HOUR + 2)]
        elsewhere = house.enqueue("reset", "other", to="baraka@example.com")
        house.clock.advance(timedelta(hours=1))
        later = house.enqueue("reset", "later")

        assert sent == [True] * MAX_MAILS_AN_HOUR + [False] * 2
        assert elsewhere
        assert later

    def test_many_at_once_get_no_more(self, transactions: Transactions) -> None:
        house = _House(transactions)

        def flood(index: int) -> int:
            return sum(house.enqueue("reset", f"{index}-{number}") for number in range(8))

        assert sum(int(str(found)) for found in at_once(4, flood)) == MAX_MAILS_AN_HOUR

    def test_an_address_that_refuses_for_good_gets_no_more_until_it_is_released(
        self, transactions: Transactions
    ) -> None:
        house = _House(transactions)
        house.mailer.faults[AMINA] = MailRefusedError("550 5.1.1 no such user \ud83d")
        for event in ("1", "2"):
            house.enqueue("receipt", event)

        assert house.run() == 2
        assert not house.enqueue("receipt", "3")
        with transactions.begin() as tx:
            [refused] = tx.mail_recipients.refused(limit=10)
        assert refused.refusal.startswith("550 5.1.1 no such user")
        assert refused.refused_at == NOON

        house.mailer.faults.clear()
        assert house.mails.release(AMINA)
        assert not house.mails.release(AMINA)
        assert house.enqueue("receipt", "4")
        assert house.run() == 1
        assert len(house.mailer.sent) == 1

    def test_a_server_that_is_away_for_an_hour_loses_nothing(
        self, transactions: Transactions
    ) -> None:
        house = _House(transactions)
        house.mailer.faults[AMINA] = MailUnavailableError("The mail server does not answer.")
        for event in ("1", "2", "3"):
            house.enqueue("receipt", event)

        for _ in range(60):
            assert house.run() == 0
            house.clock.advance(MINUTE)
        house.mailer.faults.clear()
        house.clock.advance(timedelta(hours=1))

        assert house.run() == 3
        assert len(house.mailer.sent) == 3

    def test_an_address_that_needs_quoting_is_suppressed(self, transactions: Transactions) -> None:
        house = _House(transactions)
        house.enqueue("welcome", "1", to="a,b@example.com")

        assert house.run() == 1
        assert house.mailer.sent == {}
        assert not house.enqueue("welcome", "2", to="a,b@example.com")

    def test_without_a_server_nothing_is_enqueued(self, transactions: Transactions) -> None:
        house = _House(transactions, configured=False)

        assert not house.mails.is_configured
        assert not house.enqueue("welcome", "1")
        with transactions.begin() as tx:
            assert tx.jobs.listing(limit=10) == []


class _House:
    """Mails, and a worker that sends them."""

    def __init__(self, transactions: Transactions, *, configured: bool = True) -> None:
        self.transactions = transactions
        self.clock = FixedClock(NOON)
        self.mailer = MemoryMailer()
        self.mails = SendMail(
            transactions=transactions,
            templates=PlainTemplates(),
            mailer=self.mailer if configured else None,
            clock=self.clock,
        )
        self.jobs = RunJobs(
            transactions=transactions,
            clock=self.clock,
            handlers={SEND_MAIL: self.mails.send},
            jitter=lambda: 0.0,
        )

    def enqueue(self, template: str, event: str, *, to: str = AMINA) -> bool:
        """Enqueue a mail in a transaction of its own."""
        with self.transactions.begin() as tx:
            new = self.mails.enqueue(tx, template, to=to, event=event, values={"n": 1})
            tx.commit()
        return new

    def run(self) -> int:
        """Send the mails that are due."""
        return self.jobs.run_due(SEND_MAIL)
