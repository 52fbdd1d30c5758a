"""People choose under General what they are mailed, and it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import requests

from creditcore.domain.periods import DAY
from creditcore.domain.weekly_summary import WeeklySummary, week_before
from creditcore.testing.contracts.usage_hours import Made, make
from creditcore.testing.memory import MemoryTransactions
from creditcore.usecases.jobs.send_mail import SEND_MAIL
from sandbox.process import SandboxProcess
from tests.visitors import Visitor
from tests.web.site import Site

GENERAL = "/dashboard/general"
NOTICES = f"{GENERAL}/notices"
CHECKED = 'aria-describedby="weekly-summary-hint" checked'


@pytest.fixture(scope="module")
def mailbox() -> Iterator[SandboxProcess]:
    with SandboxProcess.start() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def mailing(mailbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site whose mails reach the sandbox's mailbox."""
    return Site(
        MemoryTransactions(),
        tmp_path_factory.mktemp("mailing"),
        MAIL_URL=mailbox.mail_url,
        MAIL_FROM="no-reply@house.example",
        CONFIRM_ADDRESSES="no",
    )


@pytest.fixture
def amina(mailing: Site) -> Iterator[Visitor]:
    with Visitor(mailing) as someone:
        yield someone.sign_up()


def choose(visitor: Visitor, **fields: str) -> None:
    answer = visitor.post(NOTICES, fields)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{GENERAL}#notices"


def mails(mailbox: SandboxProcess, to: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{mailbox.base_url}/mailbox/mails.json", params={"to": to}, timeout=60)
    found: list[dict[str, Any]] = answer.json()
    return found


def test_the_weekly_summary_is_off_until_it_is_switched_on(amina: Visitor) -> None:
    assert CHECKED not in amina.get(GENERAL).text

    choose(amina, weekly_summary="yes")
    assert CHECKED in amina.get(GENERAL).text

    choose(amina)
    assert CHECKED not in amina.get(GENERAL).text


def test_what_is_told_of_a_low_balance_is_said_beside_it(amina: Visitor) -> None:
    assert "Low balance: you are told nothing." in amina.get(GENERAL).text

    amina.post("/dashboard/billing/notices", {"threshold": "2.50"})

    page = amina.get(GENERAL).text
    assert "one mail each time it falls below $2.50" in page
    assert 'href="/dashboard/billing#notices"' in page


def test_the_summary_arrives_and_leads_to_its_week(
    mailing: Site, mailbox: SandboxProcess, amina: Visitor
) -> None:
    choose(amina, weekly_summary="yes")
    services, person = mailing.services, amina.person
    now = services.clock.now()
    week = week_before(now, person.zone)
    wallet = mailing.wallet_of(person.id)
    make(
        mailing.store,
        Made(reference=person.id, wallet_id=wallet.id, began=week.span.since + DAY, key_id=None),
    )
    with mailing.store.begin() as tx:
        due_at = now - timedelta(seconds=1)
        tx.weekly_summaries.save(WeeklySummary(person_id=person.id, due_at=due_at))
        tx.commit()

    assert services.books.weeks.send_due() == 1
    services.operations.runner.run_due(SEND_MAIL)

    [mail] = [one for one in mails(mailbox, amina.email) if "Your week" in one["subject"]]
    address = f"/dashboard/analytics?range=custom&from={week.first}&to={week.last}"
    assert address in mail["text"]
    page = unescape(amina.get(address).text)
    assert "Playground" in page
    assert "No calls in this period" not in page


def test_a_closed_account_wants_it_no_more(mailing: Site, amina: Visitor) -> None:
    choose(amina, weekly_summary="yes")
    person_id = amina.person.id

    mailing.services.people.closing.close(person_id)

    assert not mailing.services.books.weeks.is_wanted_by(person_id)


def test_a_site_that_sends_no_mail_says_so(member: Visitor) -> None:
    page = member.get(GENERAL).text

    assert "This site sends no mail" in page
    assert "weekly_summary" not in page
