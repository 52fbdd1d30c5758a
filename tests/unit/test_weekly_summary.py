"""Who wants it is mailed once a week what they used, from Monday at seven where they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from adapters.smtp_mail import JinjaTemplates
from creditcore.domain.errors import PersonNotFoundError
from creditcore.domain.mail import Mail
from creditcore.domain.people import Person
from creditcore.domain.weekly_summary import WeeklySummary, week_before
from creditcore.testing.contracts import NOON, a_key, a_wallet
from creditcore.testing.contracts.usage_hours import ENDS, Made, make
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.testing.memory_mail import MemoryMailer
from creditcore.usecases.books.describe_usage import DescribeUsage
from creditcore.usecases.books.summarise_weeks import SummariseWeeks
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import SEND_MAIL, SendMail
from tests.unit.test_tell_payers import SITE

AMINA = Person(
    id="owner-of-wallet-1",
    email="amina@example.com",
    created_at=NOON,
    timezone="Africa/Nairobi",
)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
NAIROBI, NEW_YORK = ZoneInfo("Africa/Nairobi"), ZoneInfo("America/New_York")
MONDAY = datetime(2026, 6, 8, 4, tzinfo=UTC)
"""Seven in Nairobi, after the week of noon."""


@dataclass
class House:
    store: MemoryTransactions
    clock: FixedClock
    mailer: MemoryMailer
    weeks: SummariseWeeks
    runner: RunJobs

    def move(self, **changes: object) -> None:
        with self.store.begin() as tx:
            person = tx.people.lock(AMINA.id)
            assert person is not None
            tx.people.save(replace(person, **changes))  # type: ignore[arg-type]
            tx.commit()

    def due_at(self) -> datetime | None:
        with self.store.begin() as tx:
            found = tx.weekly_summaries.find(AMINA.id)
        return found.due_at if found else None

    def mails(self) -> list[Mail]:
        """Look who is due, send what waits, and return everything that was sent."""
        self.weeks.send_due()
        self.runner.run_due(SEND_MAIL)
        return list(self.mailer.sent.values())


@pytest.fixture
def house() -> House:
    """Amina, who called once in the week of noon, on a Monday, and wants the summary."""
    return a_house()


def a_house(mailer: MemoryMailer | None = None, *, sends: bool = True) -> House:
    store, clock = MemoryTransactions(), FixedClock(NOON)
    mailer = mailer or MemoryMailer()
    wallet = a_wallet(store, posted=2_000_000_000)
    with store.begin() as tx:
        tx.people.add(AMINA)
        tx.keys.add(a_key(wallet))
        tx.commit()
    mails = SendMail(
        transactions=store,
        templates=JinjaTemplates(SITE),
        mailer=mailer if sends else None,
        clock=clock,
    )
    weeks = SummariseWeeks(
        transactions=store,
        insight=DescribeUsage(transactions=store, clock=clock),
        mails=mails,
        clock=clock,
        credits_per_usd="2",
    )
    runner = RunJobs(transactions=store, clock=clock, handlers={SEND_MAIL: mails.send})
    weeks.choose(AMINA.id, wanted=True)
    make(store, Made(cost=100, model="<b>demo</b>"))
    return House(store, clock, mailer, weeks, runner)


@pytest.mark.parametrize(
    ("zone", "now", "due_at"),
    [
        (NAIROBI, datetime(2026, 6, 8, 3, 59, tzinfo=UTC), datetime(2026, 6, 8, 4, tzinfo=UTC)),
        (NAIROBI, datetime(2026, 6, 8, 4, tzinfo=UTC), datetime(2026, 6, 15, 4, tzinfo=UTC)),
        # Sunday in New York, where Monday has begun in UTC.
        (NEW_YORK, datetime(2026, 6, 8, 2, tzinfo=UTC), datetime(2026, 6, 8, 11, tzinfo=UTC)),
        # Clocks go on there on 14 March 2027, and back on 7 November.
        (NEW_YORK, datetime(2027, 3, 9, tzinfo=UTC), datetime(2027, 3, 15, 11, tzinfo=UTC)),
        (NEW_YORK, datetime(2027, 3, 8, 11, tzinfo=UTC), datetime(2027, 3, 8, 12, tzinfo=UTC)),
        (NEW_YORK, datetime(2027, 11, 3, tzinfo=UTC), datetime(2027, 11, 8, 12, tzinfo=UTC)),
    ],
)
def test_it_is_due_on_the_next_monday_at_seven(
    zone: ZoneInfo, now: datetime, due_at: datetime
) -> None:
    summary = WeeklySummary.begin("amina", now=now, zone=zone)

    assert summary.due_at == due_at
    assert summary.advance(now=due_at, zone=zone).due_at.astimezone(zone).hour == 7
    assert not summary.is_early(now=due_at, zone=zone)


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2027, 3, 15, 11, tzinfo=UTC), 167),
        (datetime(2027, 11, 8, 12, tzinfo=UTC), 169),
        (datetime(2026, 6, 8, 11, tzinfo=UTC), 168),
    ],
)
def test_the_week_is_that_of_the_zone_whose_clock_may_change(now: datetime, hours: int) -> None:
    week = week_before(now, NEW_YORK)

    assert (week.first.weekday(), week.last.weekday()) == (0, 6)
    assert week.last == now.date() - DAY
    assert week.span.until - week.span.since == hours * HOUR
    assert week.before.until == week.span.since


def test_before_seven_the_last_week_is_not_told_of() -> None:
    assert week_before(MONDAY - SECOND, NAIROBI).first == date(2026, 5, 25)
    assert week_before(MONDAY, NAIROBI).first == date(2026, 6, 1)


def test_the_week_is_mailed_with_its_figures(house: House) -> None:
    make(house.store, Made(reference="call-2", key_id=None, outcome=ENDS[9], cost=0))
    make(house.store, Made(reference="call-3", began=NOON - 7 * DAY, cost=50))
    house.clock.at = MONDAY - SECOND
    assert not house.mails()

    house.clock.at = MONDAY
    [mail] = house.mails()

    assert mail.to == AMINA.email
    assert mail.content.subject == "Your week: $0.0000005 paid, 2 calls"
    plain = mail.content.text.replace("\u00a0", " ")
    for line in (
        "What your own account used from 1 June to 7 June 2026.",
        "Spent: $0.0000005 paid, $0.000001 of balance (+100 %, was $0.00000025 the week before)",
        "Calls: 2 (+100 %, was 1 the week before)",
        "Success: 50.0 % (was 100.0 % the week before)",
        "- <b>demo</b>: $0.0000005 paid, 1 call",
        "- laptop \u2026wxyz: $0.0000005 paid, 1 call",
        "- Playground: $0.00 paid, 1 call",
        "Left now: $19.99 of balance, $10.00 paid.",
        "/dashboard/analytics?range=custom&from=2026-06-01&to=2026-06-07&account=owner-of-wallet-1",
        "/dashboard/general#notices",
    ):
        assert line in plain, plain
    assert "&lt;b&gt;demo&lt;/b&gt;" in mail.content.html
    assert "from=2026-06-01&amp;to=2026-06-07&amp;account=owner-of-wallet-1" in mail.content.html


def test_each_week_is_mailed_once_whatever_is_switched_off_and_on(house: House) -> None:
    house.clock.at = MONDAY - SECOND
    house.weeks.choose(AMINA.id, wanted=False)
    house.weeks.choose(AMINA.id, wanted=True)
    house.weeks.choose(AMINA.id, wanted=True)
    house.clock.at = MONDAY
    assert len(house.mails()) == 1
    assert len(house.mails()) == 1
    with house.store.begin() as tx:
        tx.weekly_summaries.save(WeeklySummary(person_id=AMINA.id, due_at=MONDAY))
        tx.commit()

    assert len(house.mails()) == 1
    assert house.due_at() == MONDAY + 7 * DAY


def test_of_two_workers_that_see_the_same_person_one_sends(house: House) -> None:
    house.clock.at = MONDAY
    [summary] = _due(house)
    house.weeks.send_due()

    assert not house.weeks._send(summary, MONDAY)
    assert len(house.mails()) == 1


def _due(house: House) -> list[WeeklySummary]:
    with house.store.begin() as tx:
        return list(tx.weekly_summaries.due(now=house.clock.at, limit=9))


def test_a_week_without_calls_is_not_mailed(house: House) -> None:
    house.clock.at = MONDAY + 7 * DAY

    assert not house.mails()
    assert house.due_at() == MONDAY + 14 * DAY


def test_after_a_pause_of_the_workers_only_the_last_week_is_mailed(house: House) -> None:
    make(house.store, Made(reference="call-2", began=NOON + 15 * DAY))
    house.clock.at = MONDAY + 16 * DAY

    [mail] = house.mails()

    assert "from 15 June to 21 June 2026" in mail.content.text
    assert house.due_at() == MONDAY + 21 * DAY


def test_who_moves_west_is_mailed_when_it_is_seven_there(house: House) -> None:
    house.move(timezone="America/New_York")
    house.clock.at = MONDAY
    assert not house.mails()
    assert house.due_at() == MONDAY + 7 * HOUR

    house.clock.at = MONDAY + 7 * HOUR
    [mail] = house.mails()

    assert "from 1 June to 7 June 2026" in mail.content.text


def test_who_wants_it_no_more_or_is_blocked_gets_none(house: House) -> None:
    house.clock.at = MONDAY
    house.move(blocked=True)
    assert not house.mails()
    assert house.due_at() == MONDAY + 7 * DAY

    house.move(blocked=False)
    house.weeks.choose(AMINA.id, wanted=False)
    house.clock.at = MONDAY + 7 * DAY

    assert not house.mails()
    assert not house.weeks.is_wanted_by(AMINA.id)


def test_who_has_left_is_forgotten(house: House) -> None:
    house.clock.at = MONDAY
    house.move(email=AMINA.leave().email, blocked=True)

    assert not house.mails()
    assert not house.weeks.is_wanted_by(AMINA.id)


def test_a_suppressed_address_gets_none_and_is_due_again_next_week(house: House) -> None:
    with house.store.begin() as tx:
        tx.mail_recipients.save(tx.mail_recipients.lock(AMINA.email).refuse("550", at=NOON))
        tx.commit()
    house.clock.at = MONDAY

    assert not house.mails()
    assert house.due_at() == MONDAY + 7 * DAY


def test_without_a_mail_server_all_wait() -> None:
    house = a_house(sends=False)
    house.clock.at = MONDAY

    assert house.weeks.send_due() == 0
    assert house.due_at() == MONDAY


def test_how_long_the_balance_lasts_is_said_where_it_is_known(house: House) -> None:
    for number in range(20):
        make(house.store, Made(reference=f"more-{number}", began=NOON + 5 * DAY, cost=100))
    house.clock.at = MONDAY

    [mail] = house.mails()

    assert "It lasts more than a year at the pace of the last 7 days." in mail.content.text


def test_a_stranger_cannot_want_it(house: House) -> None:
    with pytest.raises(PersonNotFoundError):
        house.weeks.choose("stranger", wanted=True)
