"""Keys that run away are paused, and a stop can be tried on the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.smtp_mail import JinjaTemplates
from creditcore import ApiKey, Credits, IssueKey
from creditcore.domain.activity import Act
from creditcore.domain.errors import InvalidRequestError, NotPermittedError
from creditcore.domain.keys import Scope
from creditcore.domain.money import ZERO
from creditcore.domain.people import Person
from creditcore.domain.runaway import PAUSED_BY_STOP, MinuteSpend, Trial, try_stop
from creditcore.testing.contracts import MINUTE, NOON, a_wallet, admit, settle
from creditcore.testing.memory import FixedClock, MemoryTransactions, SequentialIds
from creditcore.testing.memory_mail import MemoryMailer
from creditcore.usecases.jobs.send_mail import SEND_MAIL, SendMail
from creditcore.usecases.keys.change_key import ChangeKey, KeyChanges
from creditcore.usecases.keys.stop_runaways import StopRunaways
from creditcore.usecases.keys.tell_webhook import TELL_WEBHOOK, TellWebhook

OWNER = "owner-of-wallet-1"
START = NOON.replace(second=0, microsecond=0)
SITE = dict.fromkeys(
    ("name", "base_url", "support_email", "support_url", "company_name", "company_address"), ""
)


def spend(*minutes: tuple[int, int]) -> list[MinuteSpend]:
    return [MinuteSpend(START + at * MINUTE, Credits(charged)) for at, charged in minutes]


def minutes_of(trial: Trial) -> list[int]:
    return [(at - START) // MINUTE for at in trial.fired]


@pytest.mark.parametrize(
    ("charges", "fired", "highest"),
    [
        ([], [], 0),
        ([(0, 9)], [], 9),
        ([(0, 10)], [0], 10),
        ([(0, 5), (59, 5)], [59], 10),
        ([(0, 5), (60, 5)], [], 5),
        # It begins anew after each time.
        ([(0, 10), (1, 9), (2, 1)], [0, 2], 20),
        ([(0, 6), (30, 3), (61, 3), (89, 4)], [89], 10),
    ],
)
def test_a_stop_fires_when_so_much_was_spent_within_sixty_minutes(
    charges: list[tuple[int, int]], fired: list[int], highest: int
) -> None:
    trial = try_stop(spend(*charges), Credits(10))

    assert (minutes_of(trial), trial.highest) == (fired, Credits(highest))


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 9)), unique_by=lambda each: each[0]),
    st.integers(1, 40),
)
def test_it_fires_just_where_an_hour_reaches_it(
    charges: list[tuple[int, int]], per_hour: int
) -> None:
    charges.sort()

    trial = try_stop(spend(*charges), Credits(per_hour))

    hours = [sum(charged for at, charged in charges if end - 60 < at <= end) for end, _ in charges]
    assert trial.highest == Credits(max(hours, default=0))
    assert bool(trial.fired) is (max(hours, default=0) >= per_hour)


class Receiver:
    """A program that is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str, Mapping[str, object]]] = []

    def check(self, url: str) -> None:
        assert url.startswith("https://")

    def send(self, url: str, secret: str, message_id: str, event: Mapping[str, object]) -> None:
        self.told.append((url, secret, message_id, event))


class House:
    """Keys, calls that they made, and what looks after them."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryTransactions(), FixedClock(NOON)
        a_wallet(self.store, posted=1000)
        with self.store.begin() as tx:
            tx.people.add(Person(id=OWNER, email="amina@example.com", created_at=NOON))
            tx.commit()
        ids = SequentialIds()
        self.mailer = MemoryMailer()
        self.mails = SendMail(
            transactions=self.store,
            templates=JinjaTemplates(SITE),
            mailer=self.mailer,
            clock=self.clock,
        )
        self.issuing = IssueKey(transactions=self.store, clock=self.clock, ids=ids, pepper=b"p")
        self.changing = ChangeKey(transactions=self.store, clock=self.clock, ids=ids, pepper=b"p")
        self.receiver = Receiver()
        self.webhooks = TellWebhook(clock=self.clock, webhooks=self.receiver, pepper=b"p")
        self.stops = StopRunaways(
            transactions=self.store, clock=self.clock, mails=self.mails, webhooks=self.webhooks
        )
        self.calls = 0

    def issue(self, stop: int | None = 10) -> ApiKey:
        per_hour = None if stop is None else Credits(stop)
        return self.issuing.issue(OWNER, name="app", stop_per_hour=per_hour)[0]

    def spend(self, key: ApiKey, *charges: int) -> None:
        for charge in charges:
            self.calls += 1
            name = f"call-{self.calls}"
            hold = admit(self.store, charge, reference=name, now=self.clock.at, key=key)
            settle(self.store, hold, charge, at=self.clock.at)
        self.clock.advance(timedelta(seconds=1))

    def change(self, key: ApiKey, **changes: object) -> ApiKey:
        wanted = KeyChanges(**changes)  # type: ignore[arg-type]
        return self.changing.change(key.id, wanted, owner_id=OWNER)

    def key(self, key: ApiKey) -> ApiKey:
        return self.store.committed.keys[key.id]

    @property
    def mail_jobs(self) -> Sequence[object]:
        return [job for job in self.store.committed.jobs.values() if job.kind == SEND_MAIL]


@pytest.fixture
def house() -> House:
    return House()


def test_a_key_that_runs_away_is_paused_once_and_its_owner_told(house: House) -> None:
    key, calm = house.issue(), house.issue()
    house.spend(key, 4, 6)
    house.spend(calm, 9)

    assert [house.stops.look() for _ in range(3)] == [1, 0, 0]

    paused = house.key(key)
    assert (paused.paused_at, paused.paused_by) == (house.clock.at, PAUSED_BY_STOP)
    assert paused.revision == key.revision + 1
    assert house.key(calm).paused_at is None
    [act] = [act for act in house.store.committed.activity.values() if act.act == Act.KEY_STOPPED]
    assert act.target == f"key:{key.id}"
    [job] = house.store.committed.jobs.values()
    house.mails.send(job)
    [mail] = house.mailer.sent.values()
    assert mail.to == "amina@example.com"
    assert "The key app was paused" in mail.content.subject
    assert f"/dashboard/keys/{key.id}?account={key.owner_id}\n" in mail.content.text
    assert f"/dashboard/calls?key={key.id}&account={key.owner_id}\n" in mail.content.text


def test_what_is_older_than_an_hour_or_than_the_stop_does_not_count(house: House) -> None:
    key = house.issue(stop=None)
    house.spend(key, 50)
    key = house.change(key, stop_per_hour=Credits(10))
    house.spend(key, 9)
    assert house.stops.look() == 0

    house.clock.advance(timedelta(hours=1))
    house.spend(key, 9)
    assert house.stops.look() == 0

    house.spend(key, 1)
    assert house.stops.look() == 1


def test_a_resumed_key_counts_anew(house: House) -> None:
    key = house.issue()
    house.spend(key, 10)
    house.stops.look()

    resumed = house.change(key, paused=False)
    house.spend(resumed, 9)

    assert (resumed.paused_at, resumed.paused_by) == (None, "")
    assert house.stops.look() == 0
    house.spend(resumed, 1)
    assert house.stops.look() == 1
    assert len(house.mail_jobs) == 2


def test_all_secrets_of_a_rotated_key_count_together(house: House) -> None:
    key = house.issue()
    new, _ = house.changing.rotate(key.id, owner_id=OWNER, overlap=timedelta(hours=24))
    house.spend(key, 5)
    house.spend(new, 5)

    assert house.stops.look() == 2


def test_a_stop_that_is_saved_again_goes_on_and_one_that_is_changed_begins_anew(
    house: House,
) -> None:
    key = house.issue()
    house.spend(key, 9)

    same = house.change(key, stop_per_hour=Credits(10), name="other")
    higher = house.change(key, stop_per_hour=Credits(11))

    assert same.stop == key.stop
    assert higher.stop is not None
    assert higher.stop.since == house.clock.at
    assert house.change(key, stop_per_hour=None).stop is None


def test_the_address_that_a_stop_names_is_told_once_committed(house: House) -> None:
    hook = "https://example.com/hook"
    key = house.change(house.issue(), stop_webhook=hook)
    house.spend(key, 10)
    house.stops.look()
    [job] = [job for job in house.store.committed.jobs.values() if job.kind == TELL_WEBHOOK]

    for _ in range(2):
        house.webhooks.deliver(job)

    [(url, secret, name, event), again] = house.receiver.told
    assert again == (url, secret, name, event)
    assert (url, event["type"]) == (hook, "key.stopped")
    new, _ = house.changing.rotate(key.id, owner_id=OWNER)
    assert secret == house.webhooks.secret_of(new)
    assert new.stop is not None
    assert new.stop.webhook == hook


def test_an_address_stays_when_the_stop_is_changed_and_goes_with_it(house: House) -> None:
    key = house.change(house.issue(), stop_webhook="https://example.com/hook")

    higher = house.change(key, stop_per_hour=Credits(20))

    assert higher.stop is not None
    assert higher.stop.webhook == "https://example.com/hook"
    assert house.change(key, stop_per_hour=None).stop is None
    with pytest.raises(InvalidRequestError, match="stop"):
        house.change(key, stop_webhook="https://example.com/hook")


def test_a_stop_is_tried_on_what_was_spent(house: House) -> None:
    key = house.issue(stop=10)
    house.clock.advance(timedelta(days=-31))
    house.spend(key, 90)
    house.clock.advance(timedelta(days=2))
    house.spend(key, 8)
    house.clock.advance(timedelta(days=29))
    house.spend(key, 12)

    trials = [
        house.stops.try_on_the_past(key.id, per_hour, owner_id=OWNER)
        for per_hour in (Credits(8), None, Credits(13))
    ]

    assert [len(trial.fired) for trial in trials] == [2, 1, 0]
    assert {trial.highest for trial in trials} == {Credits(12)}
    with pytest.raises(InvalidRequestError):
        house.stops.try_on_the_past(key.id, ZERO, owner_id=OWNER)


def test_a_key_with_a_stop_gives_none_that_would_escape_it(house: House) -> None:
    giver, _ = house.issuing.issue(
        OWNER, name="robot", scopes=tuple(Scope), stop_per_hour=Credits(10)
    )

    with pytest.raises(NotPermittedError):
        house.issuing.issue(OWNER, name="more", by=giver)
