"""Each check that fails for a while raises one alert, which is delivered once, and its end once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.smtp_mail import JinjaTemplates
from creditcore import ModelPrice, Tariff
from creditcore.domain.errors import (
    IdentityUnavailableError,
    MailError,
    PaymentGatewayError,
    StoreUnavailableError,
)
from creditcore.domain.jobs import Job
from creditcore.domain.lease import Lease
from creditcore.domain.purchases import PurchaseState
from creditcore.ports.model_gateway import Catalogue
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.testing.contracts import a_key, a_purchase, a_wallet, admit, settle
from creditcore.testing.memory import FixedClock, MemoryModelGateway, MemoryTransactions
from creditcore.testing.memory_mirrors import MemoryUpstreamKeys
from creditcore.usecases.calls.keep_catalogue import KeepCatalogue
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.keys.mirror_keys import MirrorKeys
from creditcore.usecases.monitoring import checks as checks_module
from creditcore.usecases.monitoring.announce_alerts import ANNOUNCE, SEND_ALERTS, AnnounceAlerts
from creditcore.usecases.monitoring.checks import WEBHOOKS_COME_WITHIN, Checks
from creditcore.usecases.monitoring.watch import WATCH, Watch
from tests.unit.test_checks import RATES

MINUTE = timedelta(minutes=1)
LONG = 12
"""Minutes: more than an alert takes to be raised, to be resolved, and to be told of."""


class Away:
    """Something that may be away: it answers anything, or raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.is_away = False

    def find(self, *_: object) -> None:
        if self.is_away:
            raise self.error

    verify = check = find


class Models(MemoryModelGateway):
    def is_healthy(self) -> bool:
        return self.available


@dataclass
class House:
    """A gateway that watches itself, and a program that is told of alerts."""

    store: MemoryTransactions = field(default_factory=MemoryTransactions)
    clock: FixedClock = field(default_factory=FixedClock)
    database: Away = field(default_factory=lambda: Away(StoreUnavailableError()))
    models: Models = field(default_factory=Models)
    payments: Any = field(default_factory=lambda: Away(PaymentGatewayError("No answer.")))
    people: Any = field(default_factory=lambda: Away(IdentityUnavailableError()))
    mailer: Any = field(default_factory=lambda: Away(MailError("No answer.")))
    upstream: MemoryUpstreamKeys = field(default_factory=MemoryUpstreamKeys)
    told: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.take_prices()
        self.watch = Watch(transactions=self.store, clock=self.clock, checks=self.checks().all())
        templates = JinjaTemplates({})
        mails = SendMail(
            transactions=self.store, templates=templates, mailer=None, clock=self.clock
        )
        announcer = AnnounceAlerts(
            transactions=self.store, clock=self.clock, mails=mails, webhook=self, quiet=MINUTE
        )
        self.announce = announcer.announce
        self.runner = RunJobs(
            transactions=self.store, clock=self.clock, handlers={SEND_ALERTS: announcer.send}
        )

    def checks(self) -> Checks:
        return Checks(
            transactions=self,  # type: ignore[arg-type]
            clock=self.clock,
            model_gateway=self.models,
            payment_gateway=self.payments,
            operators=self.people,
            mirrors_keys=True,
            mailer=self.mailer,
            data_dir=Path(),
        )

    @contextmanager
    def begin(self) -> Iterator[Any]:
        """Open a transaction as the checks do; alerts have one that works."""
        self.database.find()
        with self.store.begin() as tx:
            yield tx

    def send(self, _: str, event: Mapping[str, Any]) -> None:
        data = event["data"]
        for what in ("raised", "resolved"):
            self.told += [(what, alert["key"]) for alert in data[what]]

    def minutes_pass(self) -> None:
        for _ in range(LONG):
            self.clock.advance(MINUTE)
            job = self.look()
            name = f"{self.clock.now():%H:%M}"
            self.announce(replace(job, kind=ANNOUNCE, business_key=name))
            self.runner.run_due(SEND_ALERTS)

    def look(self) -> Job:
        job = Job(kind=WATCH, business_key="1", run_at=self.clock.now(), lease=Lease())
        self.watch.watch(job)
        return job

    def told_of(self, check: str) -> list[str]:
        """Return what the receiver heard; of other checks only where they need the same."""
        if check != "database":
            assert {key for _, key in self.told} <= {f"monitor:{check}"}
        return [what for what, key in self.told if key == f"monitor:{check}"]

    # -- what may fail -----------------------------------------------------------------

    def take_prices(self) -> None:
        catalogue = KeepCatalogue(transactions=self.store, clock=self.clock)
        catalogue.take(Catalogue([ModelPrice(model="demo", rates=RATES)]))

    def pay(self) -> None:
        """Credit a payment without any webhook."""
        wallet = a_wallet(self.store)
        begun = self.clock.now() - 2 * WEBHOOKS_COME_WITHIN
        paid = replace(a_purchase(wallet, reference="cc-1"), state=PurchaseState.PAID)
        with self.store.begin() as tx:
            tx.purchases.add(replace(paid, created_at=begun))
            tx.commit()

    def hear(self) -> None:
        event = PaymentEvent(
            digest="d-1",
            kind=EventKind.PAID,
            name="charge.success",
            body="{}",
            reference="cc-1",
            received_at=self.clock.now(),
        )
        with self.store.begin() as tx:
            tx.payment_events.record(event)
            tx.commit()

    def mirror(self) -> None:
        mirrors = MirrorKeys(
            transactions=self.store, clock=self.clock, upstream=self.upstream, tariff=Tariff.parse()
        )
        if not self.store.committed.wallets:
            wallet = a_wallet(self.store)
            with self.store.begin() as tx:
                tx.keys.add(a_key(wallet))
                tx.commit()
        self.upstream.fails = not self.upstream.fails
        mirrors.retry_failed()
        mirrors.sync_due()

    def bury(self) -> None:
        now = self.clock.now()
        with self.store.begin() as tx:
            tx.jobs.enqueue("sync", "1", {}, run_at=now)
            tx.jobs.save(tx.jobs.lock("sync", "1").bury("It broke.", at=now))
            tx.commit()

    def discard(self) -> None:
        with self.store.begin() as tx:
            tx.jobs.save(tx.jobs.lock("sync", "1").discard(at=self.clock.now()))
            tx.commit()

    def leave_a_hold(self) -> None:
        a_wallet(self.store, posted=100)
        self.hold = admit(self.store, 10, now=self.clock.now() - timedelta(days=1))

    def end_the_hold(self) -> None:
        settle(self.store, self.hold, 1, at=self.clock.now())


def sent_away(name: str, *, away: bool) -> Callable[[House], None]:
    return lambda house: setattr(getattr(house, name), "is_away", away)


def full(house: House, *, least: int) -> None:
    del house
    checks_module.MIN_FREE_BYTES = least


LEAST = checks_module.MIN_FREE_BYTES
TROUBLES: dict[str, tuple[Callable[[House], None], Callable[[House], None]]] = {
    "database": (sent_away("database", away=True), sent_away("database", away=False)),
    "model server": (
        lambda house: setattr(house.models, "available", False),
        lambda house: setattr(house.models, "available", True),
    ),
    "prices": (lambda house: house.clock.advance(timedelta(hours=2)), House.take_prices),
    "payments": (sent_away("payments", away=True), sent_away("payments", away=False)),
    "webhooks": (House.pay, House.hear),
    "identity": (sent_away("people", away=True), sent_away("people", away=False)),
    "key copies": (House.mirror, House.mirror),
    "mail": (sent_away("mailer", away=True), sent_away("mailer", away=False)),
    "jobs": (House.bury, House.discard),
    "holds": (House.leave_a_hold, House.end_the_hold),
    "disk": (
        lambda house: full(house, least=2**63),
        lambda house: full(house, least=LEAST),
    ),
}
"""What makes each check fail, and what ends that."""


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    # A disk that is full cannot be had: what counts as full is set back afterwards.
    monkeypatch.setattr(checks_module, "MIN_FREE_BYTES", LEAST)
    return House()


def test_there_is_a_trouble_for_each_check(house: House) -> None:
    assert list(house.checks().all()) == list(TROUBLES)


@pytest.mark.parametrize("check", TROUBLES)
def test_an_alert_is_raised_once_resolved_once_and_delivered_once(house: House, check: str) -> None:
    begin, end = TROUBLES[check]
    house.minutes_pass()
    assert house.told == []

    begin(house)
    house.minutes_pass()
    assert house.told_of(check) == ["raised"]

    end(house)
    house.minutes_pass()
    assert house.told_of(check) == ["raised", "resolved"]


@pytest.mark.parametrize("check", TROUBLES)
def test_a_trouble_of_a_moment_is_told_to_nobody(house: House, check: str) -> None:
    begin, end = TROUBLES[check]
    begin(house)
    for _ in range(2):
        house.watch.watch(
            Job(kind=WATCH, business_key="1", run_at=house.clock.now(), lease=Lease())
        )
    end(house)
    house.minutes_pass()

    assert house.told == []
