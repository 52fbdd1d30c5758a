"""Operators hear of each alert once, of its end once, and of a storm in a handful of messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from adapters.smtp_mail import JinjaTemplates
from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.errors import AlertsUndeliveredError
from creditcore.domain.jobs import Job
from creditcore.domain.lease import Lease
from creditcore.domain.mail import Mail
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.testing.memory_mail import MemoryMailer
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import SEND_MAIL, SendMail
from creditcore.usecases.monitoring.announce_alerts import (
    ANNOUNCE,
    MAX_NAMED,
    SEND_ALERTS,
    AnnounceAlerts,
)
from creditcore.usecases.monitoring.keep_alerts import raise_alert, resolve_alert

MINUTE = timedelta(minutes=1)
QUIET = timedelta(minutes=15)
SITE = {
    "name": "Jua",
    "base_url": "https://jua.example",
    "support_email": "",
    "support_url": "",
    "company_name": "",
    "company_address": "",
}


class Receiver:
    """A program that is told, and may refuse at first."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Mapping[str, object]]] = []
        self.refusals = 0

    def send(self, message_id: str, event: Mapping[str, object]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise AlertsUndeliveredError("Not now.")
        self.told.append((message_id, event))


class House:
    """A store with alerts, and those who are told of them."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryTransactions(), FixedClock()
        self.mailer, self.receiver = MemoryMailer(), Receiver()
        mails = SendMail(
            transactions=self.store,
            templates=JinjaTemplates(SITE),
            mailer=self.mailer,
            clock=self.clock,
        )
        self.announcer = AnnounceAlerts(
            transactions=self.store,
            clock=self.clock,
            mails=mails,
            addresses=("ops@jua.example",),
            webhook=self.receiver,
            quiet=QUIET,
        )
        self.runner = RunJobs(
            transactions=self.store,
            clock=self.clock,
            handlers={SEND_MAIL: mails.send, SEND_ALERTS: self.announcer.send},
        )

    def raise_(self, key: str = "monitor:database") -> None:
        now = self.clock.now()
        alert = Alert(
            key=key, severity=Severity.CRITICAL, subject=f"{key} fails", message="Look.", at=now
        )
        with self.store.begin() as tx:
            raise_alert(tx, alert)
            tx.commit()

    def resolve(self, key: str = "monitor:database") -> None:
        with self.store.begin() as tx:
            resolve_alert(tx, key, at=self.clock.now())
            tx.commit()

    def a_minute(self) -> None:
        """Pass a minute, in which two workers look for news, and what they found is sent."""
        self.clock.advance(MINUTE)
        now = self.clock.now()
        job = Job(kind=ANNOUNCE, business_key=f"{now:%H:%M:%S}", run_at=now, lease=Lease())
        for _ in range(2):
            self.announcer.announce(job)
        for kind in (SEND_MAIL, SEND_ALERTS):
            self.runner.run_due(kind)

    @property
    def mails(self) -> list[Mail]:
        return list(self.mailer.sent.values())

    @property
    def keys(self) -> list[tuple[list[str], list[str]]]:
        """Return the keys that each webhook message names, raised and resolved."""
        found = []
        for _, event in self.receiver.told:
            data = event["data"]
            assert isinstance(data, dict)
            raised = [alert["key"] for alert in data["raised"]]
            found.append((raised, [alert["key"] for alert in data["resolved"]]))
        return found


@pytest.fixture
def house() -> House:
    return House()


def test_an_alert_is_told_once_each_way_and_its_end_once(house: House) -> None:
    house.raise_()
    for _ in range(40):
        house.a_minute()
    house.resolve()
    for _ in range(40):
        house.a_minute()

    assert house.keys == [(["monitor:database"], []), ([], ["monitor:database"])]
    [raised, over] = house.mails
    assert raised.to == "ops@jua.example"
    assert raised.content.subject == "Jua: 1 new alert: monitor:database fails"
    assert "Look." in raised.content.text
    assert over.content.subject == "Jua: 1 over"


def test_what_was_over_before_it_was_told_is_never_told(house: House) -> None:
    house.raise_("other:1")
    house.a_minute()
    house.raise_()
    house.resolve()
    for _ in range(40):
        house.a_minute()

    assert house.keys == [(["other:1"], [])]


def test_what_an_operator_knows_already_is_not_told(house: House) -> None:
    house.raise_()
    with house.store.begin() as tx:
        alert = tx.alerts.lock("monitor:database")
        assert alert is not None
        tx.alerts.save(alert.acknowledge(at=house.clock.now(), by="p-1"))
        tx.commit()
    house.a_minute()

    assert not house.receiver.told


def test_ten_thousand_flaps_make_no_storm(house: House) -> None:
    for flap in range(10_000):
        house.raise_()
        house.clock.advance(timedelta(seconds=0.18))
        if flap % 333 == 0:
            house.a_minute()
        house.resolve()

    hour = house.clock.now() - FixedClock().now()
    assert 1 < len(house.receiver.told) <= hour / QUIET + 1
    assert len(house.mails) == len(house.receiver.told)


def test_many_alerts_at_once_are_one_message(house: House) -> None:
    for number in range(300):
        house.raise_(f"write_off:{number}")
    house.a_minute()

    [(_, event)] = house.receiver.told
    data = event["data"]
    assert isinstance(data, dict)
    assert (len(data["raised"]), data["raised_count"]) == (MAX_NAMED, 300)
    [mail] = house.mails
    assert "and 275 more" in mail.content.text


def test_the_same_trouble_tomorrow_is_news_again(house: House) -> None:
    house.raise_()
    house.a_minute()
    house.resolve()
    house.clock.advance(QUIET)
    house.a_minute()
    house.clock.advance(timedelta(days=1))
    house.raise_()
    house.a_minute()

    assert [raised for raised, _ in house.keys] == [["monitor:database"], [], ["monitor:database"]]


def test_a_receiver_that_is_away_gets_the_same_message_later(house: House) -> None:
    house.receiver.refusals = 1
    house.raise_()
    house.a_minute()
    assert not house.receiver.told
    house.clock.advance(timedelta(hours=1))
    house.a_minute()

    assert len(house.receiver.told) == 1
    assert house.receiver.told[0][0].startswith("msg_")


def test_a_test_goes_everywhere_now(house: House) -> None:
    assert house.announcer.send_test() == ["webhook", "ops@jua.example"]
    assert house.receiver.told[0][1]["type"] == "alerts.test"
    assert len(house.mails) == 1


def test_where_no_operator_is_to_be_told_nothing_is_enqueued(house: House) -> None:
    deaf = AnnounceAlerts(transactions=house.store, clock=house.clock, mails=house.announcer.mails)
    house.raise_()
    deaf.announce(Job(kind=ANNOUNCE, business_key="1", run_at=house.clock.now(), lease=Lease()))

    assert not house.store.committed.jobs
    with pytest.raises(AlertsUndeliveredError, match="ALERT_EMAIL"):
        deaf.send_test()
