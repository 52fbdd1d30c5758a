"""Accounts whose address is confirmed by mail: real mail, into the sandbox's mailbox."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from statistics import median
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.second_factor import next_code, set_up_second_factor
from tests.stack import Stack, running_stack, wait_until
from tests.visitors import PASSWORD, TOKEN, Visitor, what_shows

NEW_PASSWORD = "seven brass teapots"


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack("", tmp_path_factory.mktemp("mailing"), CONFIRM_ADDRESSES="yes") as stack:
        yield stack


@pytest.fixture
def visitor(mailing: Stack) -> Iterator[Visitor]:
    with Visitor(mailing) as visitor:
        yield visitor


@pytest.fixture
def stranger(mailing: Stack) -> Iterator[Visitor]:
    with Visitor(mailing) as stranger:
        yield stranger


@pytest.fixture
def member(mailing: Stack) -> Iterator[Visitor]:
    with Visitor(mailing) as member:
        joined(member)
        yield member


def mail_to(stack: Stack, address: str, about: str, *, count: int = 1) -> str:
    """Wait for mails with these words in the subject; return the text of the newest."""
    found: list[str] = []

    def arrived() -> bool:
        found[:] = [mail["text"] for mail in stack.mails(address) if about in mail["subject"]]
        return len(found) >= count

    wait_until(arrived)
    return found[0]


def link_in(text: str) -> str:
    found = re.search(r"https?://\S*/auth/confirm\?\S+", text)
    assert found, text
    parts = urlsplit(found[0])
    return f"{parts.path}?{parts.query}"


def click(visitor: Visitor, link: str) -> requests.Response:
    """Open a link of a mail, and press its button."""
    assert visitor.get(link).status_code == 200
    form = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    return visitor.post("/auth/confirm", form)


def joined(visitor: Visitor, **form: str) -> requests.Response:
    visitor.post("/sign-up", {"email": visitor.email, "password": PASSWORD, **form})
    return click(visitor, link_in(mail_to(visitor.stack, visitor.email, "Confirm your address")))


def recovery_link(visitor: Visitor, *, count: int = 1) -> str:
    visitor.post("/recover", {"email": visitor.email})
    return link_in(mail_to(visitor.stack, visitor.email, "new password", count=count))


# -- joining ----------------------------------------------------------------------------


def test_who_is_invited_chooses_a_password_and_is_in(visitor: Visitor, stranger: Visitor) -> None:
    visitor.stack.flask("user", "invite", "--email", visitor.email)
    link = link_in(mail_to(visitor.stack, visitor.email, "invited"))

    accepted = click(visitor, link)
    inside = visitor.post("/new-password", {"password": NEW_PASSWORD})
    again = click(stranger, link)

    assert accepted.headers["location"] == "/new-password"
    assert inside.headers["location"] == "/dashboard"
    assert visitor.is_signed_in
    assert str(visitor.stack.wallet_of(visitor.person.id).posted) == "200"
    assert again.status_code == 400


def test_who_confirms_the_address_is_in_with_welcome_credits(visitor: Visitor) -> None:
    asked = visitor.post("/sign-up", {"email": visitor.email, "password": PASSWORD})
    page = visitor.get(asked.headers["location"])
    half = visitor.is_signed_in
    answer = click(visitor, link_in(mail_to(visitor.stack, visitor.email, "Confirm your address")))

    assert asked.headers["location"] == "/check-mail"
    assert visitor.email in page.text
    assert "Send it again" in page.text
    assert not half
    assert answer.headers["location"] == "/dashboard"
    assert "$2.00" in visitor.get("/dashboard").text


def test_nothing_is_given_before_the_address_is_confirmed(visitor: Visitor) -> None:
    visitor.post("/sign-up", {"email": visitor.email, "password": PASSWORD})
    waiting = visitor.sign_in()

    assert waiting.headers["location"] == "/check-mail"
    assert not visitor.is_signed_in
    person = visitor.person
    with visitor.stack.store.begin() as tx:
        rows = tx._session.records("SELECT 1 FROM wallets WHERE owner_id = ?", (person.id,))
    assert rows == []


def test_the_way_back_survives_signing_up_and_confirming(visitor: Visitor) -> None:
    answer = joined(visitor, next="/dashboard/keys?from=docs")

    assert answer.headers["location"] == "/dashboard/keys?from=docs"


@pytest.mark.parametrize("trick", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_way_back_never_leads_away(visitor: Visitor, trick: str) -> None:
    answer = joined(visitor, next=trick)

    assert answer.headers["location"] == "/dashboard"


def test_in_another_browser_the_address_is_confirmed_without_signing_in(
    visitor: Visitor, stranger: Visitor
) -> None:
    # Else a link of somebody else's account would sign its reader in to that account.
    visitor.post("/sign-up", {"email": visitor.email, "password": PASSWORD})
    link = link_in(mail_to(visitor.stack, visitor.email, "Confirm your address"))

    answer = click(stranger, link)

    assert answer.headers["location"].startswith("/sign-in")
    assert not stranger.is_signed_in
    assert "Your address is confirmed" in stranger.get("/sign-in").text
    assert visitor.sign_in().headers["location"] == "/dashboard"


def test_programs_that_open_links_do_not_use_them_up(visitor: Visitor) -> None:
    visitor.post("/sign-up", {"email": visitor.email, "password": PASSWORD})
    link = link_in(mail_to(visitor.stack, visitor.email, "Confirm your address"))

    for method in ("GET", "HEAD", "GET"):
        assert requests.request(method, visitor.stack.base_url + link, timeout=60).ok

    assert click(visitor, link).headers["location"] == "/dashboard"


def test_a_link_confirms_once(visitor: Visitor, stranger: Visitor) -> None:
    visitor.post("/sign-up", {"email": visitor.email, "password": PASSWORD})
    link = link_in(mail_to(visitor.stack, visitor.email, "Confirm your address"))

    click(visitor, link)
    again = click(stranger, link)

    assert again.status_code == 400
    assert "This link works no more" in again.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "type=signup",
        "type=nothing&token_hash=x",
        "type=recovery&token_hash=x",
        "type=email_change&token_hash=x",
        f"type=signup&token_hash={'x' * 600}",
        "type=signup&token_hash=%00",
        f"type=signup&token_hash={'0a' * 16}.{'b' * 43}",
    ],
)
def test_a_link_that_was_not_mailed_opens_nothing(visitor: Visitor, query: str) -> None:
    form = {name: values[0] for name, values in parse_qs(query).items()}

    assert visitor.get(f"/auth/confirm?{query}").status_code in {200, 400, 404}
    assert visitor.post("/auth/confirm", form).status_code in {400, 404}


def test_a_double_click_makes_one_account_and_one_mail(visitor: Visitor) -> None:
    form = {"email": visitor.email, "password": PASSWORD, "csrf_token": visitor.token()}
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: visitor.send("POST", "/sign-up", data=form), range(2)))

    assert [answer.headers.get("location") for answer in answers] == ["/check-mail"] * 2
    link = link_in(mail_to(visitor.stack, visitor.email, "Confirm your address"))
    assert click(visitor, link).headers["location"] == "/dashboard"


def test_throw_away_addresses_are_refused(visitor: Visitor) -> None:
    for domain in ("mailinator.com", "sub.mailinator.com"):
        answer = visitor.post("/sign-up", {"email": f"x@{domain}", "password": PASSWORD})

        assert answer.status_code == 400
        assert "Use one that stays yours" in answer.text


# -- what a stranger learns ---------------------------------------------------------------


def test_a_taken_address_answers_as_a_free_one_and_its_owner_is_told(
    member: Visitor, visitor: Visitor, stranger: Visitor
) -> None:
    form = {"password": "another long password"}

    free = visitor.post("/sign-up", {"email": visitor.email, **form})
    taken = stranger.post("/sign-up", {"email": member.email, **form})
    pages = [
        TOKEN.sub("", one.get("/check-mail").text).replace(email, "")
        for one, email in ((visitor, visitor.email), (stranger, member.email))
    ]

    assert what_shows(taken) == what_shows(free)
    assert re.sub(r'data-wait-s="\d+"', "", pages[0]) == re.sub(r'data-wait-s="\d+"', "", pages[1])
    assert "has an account already" in mail_to(member.stack, member.email, "have an account")
    assert member.sign_in().status_code == 302


def test_asking_for_recovery_answers_the_same_for_all(
    member: Visitor, visitor: Visitor, stranger: Visitor
) -> None:
    known = visitor.post("/recover", {"email": member.email})
    unknown = stranger.post("/recover", {"email": stranger.email})

    assert what_shows(known) == what_shows(unknown)
    assert mail_to(member.stack, member.email, "new password")
    assert member.stack.mails(stranger.email) == []


def test_the_time_of_an_answer_tells_nothing(member: Visitor) -> None:
    """Both do the same work: one row is written, and a worker finds out the rest."""

    def seconds(email: str) -> float:
        with Visitor(member.stack) as visitor:
            token = visitor.token()
            begun = time.perf_counter()
            visitor.send("POST", "/recover", data={"email": email, "csrf_token": token})
            return time.perf_counter() - begun

    known, unknown = [], []
    for _ in range(15):
        known.append(seconds(member.email))
        unknown.append(seconds(f"{uuid.uuid4().hex}@example.com"))

    assert 1 / 3 < median(known) / median(unknown) < 3


# -- recovery -----------------------------------------------------------------------------


def test_who_forgot_the_password_chooses_a_new_one(member: Visitor, stranger: Visitor) -> None:
    stranger.email = member.email

    opened = click(stranger, recovery_link(stranger))
    page = stranger.get(opened.headers["location"])
    half = stranger.is_signed_in
    weak = stranger.post("/new-password", {"password": "password123"})
    done = stranger.post("/new-password", {"password": NEW_PASSWORD})

    assert opened.headers["location"] == "/new-password"
    assert member.email in page.text
    assert not half
    assert weak.status_code == 400
    assert done.headers["location"] == "/dashboard"
    assert stranger.is_signed_in
    assert not member.is_signed_in
    assert member.sign_in().status_code == 401
    assert mail_to(member.stack, member.email, "has changed")


def test_one_recovery_link_opened_four_times_at_once_opens_once(member: Visitor) -> None:
    link = recovery_link(member)
    form = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}

    with ExitStack() as opened:
        tabs = [opened.enter_context(Visitor(member.stack)) for _ in range(4)]
        tokens = [tab.token() for tab in tabs]
        with ThreadPoolExecutor(4) as threads:
            answers = list(
                threads.map(
                    lambda pair: pair[0].send(
                        "POST", "/auth/confirm", data={**form, "csrf_token": pair[1]}
                    ),
                    zip(tabs, tokens, strict=True),
                )
            )

    assert sorted(answer.status_code for answer in answers) == [302, 400, 400, 400]


def test_a_recovery_link_does_not_go_round_the_second_factor(
    member: Visitor, stranger: Visitor
) -> None:
    secret, _ = set_up_second_factor(member)
    stranger.email = member.email

    opened = click(stranger, recovery_link(stranger))
    around = stranger.post("/new-password", {"password": NEW_PASSWORD})
    coded = stranger.post("/sign-in/code", {"code": next_code(secret)})
    done = stranger.post("/new-password", {"password": NEW_PASSWORD})

    assert opened.headers["location"] == "/sign-in/code"
    assert around.headers["location"] == "/recover"
    assert coded.headers["location"] == "/new-password"
    assert done.headers["location"] == "/dashboard"


def test_a_new_password_ends_links_that_were_mailed_before(
    member: Visitor, stranger: Visitor
) -> None:
    link = recovery_link(member)

    member.post("/dashboard/security/password", {"current": PASSWORD, "password": NEW_PASSWORD})

    assert click(stranger, link).status_code == 400


# -- another address ------------------------------------------------------------------------


def test_an_address_changes_once_the_new_one_is_confirmed(
    member: Visitor, stranger: Visitor
) -> None:
    old, new = member.email, stranger.email

    member.post("/dashboard/security/email", {"email": new})
    told = mail_to(member.stack, old, "is to change")
    link = link_in(mail_to(member.stack, new, "Confirm your new address"))
    before = member.get("/dashboard/security").text
    answer = click(member, link)

    assert new in told
    assert old in before
    assert answer.headers["location"] == "/dashboard/security"
    assert member.is_signed_in
    member.post("/sign-out", {})
    assert member.sign_in().status_code == 401
    member.email = new
    assert member.sign_in().headers["location"] == "/dashboard"


def test_a_taken_address_gets_no_link_and_no_visitor_learns_of_it(member: Visitor) -> None:
    with _another_member(member.stack) as other:
        answer = member.post("/dashboard/security/email", {"email": other.email})
        mail_to(member.stack, member.email, "is to change")

        assert "Open the link that we have sent" in member.get("/dashboard/security").text
        assert answer.status_code == 302
        assert not [m for m in member.stack.mails(other.email) if "new address" in m["subject"]]


# -- secrets ------------------------------------------------------------------------------


def test_nothing_that_opens_a_link_is_stored(member: Visitor) -> None:
    token = parse_qs(urlsplit(recovery_link(member)).query)["token_hash"][0]
    with member.stack.store.begin() as tx:
        rows = repr(
            [
                tx._session.records(f"SELECT * FROM {table}")  # noqa: S608
                for table in ("mailed_links", "jobs", "local_credentials", "activity_logs")
            ]
        )

    assert token.partition(".")[2] not in rows
    assert token.partition(".")[0] in rows


@contextmanager
def _another_member(stack: Stack) -> Iterator[Visitor]:
    with Visitor(stack) as other:
        joined(other)
        yield other
