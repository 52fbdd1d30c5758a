"""What protects an account, and where its owner is signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from creditcore.testing.contracts.identity_house import another
from tests.second_factor import SECURITY, next_code, set_up_second_factor
from tests.visitors import PASSWORD, Visitor, sign_in_elsewhere

NEW_PASSWORD = "seven brass teapots"


@pytest.fixture
def elsewhere(member: Visitor) -> Iterator[Visitor]:
    with ExitStack() as opened:
        yield sign_in_elsewhere(member, opened)


# -- sessions ---------------------------------------------------------------------------


def test_the_page_lists_where_one_is_signed_in(elsewhere: Visitor) -> None:
    page = elsewhere.get(SECURITY).text

    assert "Safari on iPhone" in page
    assert page.count("This one") == 1
    assert page.count(f'action="{SECURITY}/sessions/') == 2  # the other one, and all others
    assert re.search(r"127\.\d+\.\d+\.0/24", page)


def test_one_session_ends_and_the_others_go_on(member: Visitor, elsewhere: Visitor) -> None:
    listed = re.findall(rf'action="({SECURITY}/sessions/[^/]+/end)"', member.get(SECURITY).text)

    assert len(listed) == 1
    member.post(listed[0], {})

    assert member.is_signed_in
    assert not elsewhere.is_signed_in


def test_no_person_ends_the_session_of_another(member: Visitor, stranger: Visitor) -> None:
    stranger.sign_up()
    person = member.person
    with member.stack.store.begin() as tx:
        [theirs] = tx.sessions.open_of(person.id)

    answer = stranger.post(f"{SECURITY}/sessions/{theirs.id}/end", {})

    assert answer.status_code == 302
    assert member.is_signed_in


def test_all_others_end_at_once(member: Visitor, elsewhere: Visitor) -> None:
    member.post(f"{SECURITY}/sessions/end-others", {})

    assert member.is_signed_in
    assert not elsewhere.is_signed_in


def test_signing_out_everywhere_ends_this_one_too(member: Visitor, elsewhere: Visitor) -> None:
    left = member.post(f"{SECURITY}/sign-out-everywhere", {})

    assert "on every device" in member.get(left.headers["location"]).text
    assert not member.is_signed_in
    assert not elsewhere.is_signed_in


# -- stepping up -------------------------------------------------------------------------


# -- password ----------------------------------------------------------------------------


def test_a_new_password_ends_all_other_sessions(member: Visitor, elsewhere: Visitor) -> None:
    before = member.http.cookies["creditcore_session"]

    answer = member.post(f"{SECURITY}/password", {"current": PASSWORD, "password": NEW_PASSWORD})

    assert answer.headers["location"] == SECURITY
    assert "All other sessions were ended" in member.get(SECURITY).text
    assert not elsewhere.is_signed_in
    assert elsewhere.sign_in().status_code == 401
    assert elsewhere.sign_in(NEW_PASSWORD).status_code == 302
    member.http.cookies.clear()
    member.http.cookies.set("creditcore_session", before)
    assert not member.is_signed_in


@pytest.mark.parametrize(
    ("current", "password", "complaint"),
    [
        ("wrong", NEW_PASSWORD, "not your present password"),
        (PASSWORD, "short", "at least 10 characters"),
        (PASSWORD, "password123", "first that a thief would try"),
        ("", "", "not your present password"),
    ],
)
def test_a_password_is_not_changed_without_the_old_one_or_to_a_weak_one(
    member: Visitor, current: str, password: str, complaint: str
) -> None:
    answer = member.post(f"{SECURITY}/password", {"current": current, "password": password})

    assert answer.status_code == 400
    assert complaint in answer.text
    assert member.is_signed_in
    assert member.sign_in().status_code == 302


def test_guessing_the_present_password_is_bounded(member: Visitor) -> None:
    answers = [
        member.post(f"{SECURITY}/password", {"current": f"guess {n}", "password": NEW_PASSWORD})
        for n in range(6)
    ]
    even_the_right_one = member.post(
        f"{SECURITY}/password", {"current": PASSWORD, "password": NEW_PASSWORD}
    )

    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert even_the_right_one.status_code == 429


# -- second factor -----------------------------------------------------------------------


def test_the_second_factor_is_asked_for_at_sign_in(member: Visitor, stranger: Visitor) -> None:
    secret, _ = set_up_second_factor(member)
    stranger.email = member.email

    asked = stranger.sign_in(next="/dashboard/keys")
    half = stranger.is_signed_in
    wrong = stranger.post("/sign-in/code", {"code": another(next_code(secret))})
    right = stranger.post("/sign-in/code", {"code": next_code(secret), "next": "/dashboard/keys"})

    assert asked.headers["location"].startswith("/sign-in/code?next=")
    assert not half
    assert wrong.status_code == 400
    assert "This code is wrong" in wrong.text
    assert right.headers["location"] == "/dashboard/keys"
    assert stranger.is_signed_in


def test_a_code_works_once(member: Visitor, stranger: Visitor) -> None:
    secret, _ = set_up_second_factor(member)
    stranger.email = member.email
    code = next_code(secret)

    stranger.sign_in()
    first = stranger.post("/sign-in/code", {"code": code})
    stranger.post("/sign-out", {})
    stranger.sign_in()
    again = stranger.post("/sign-in/code", {"code": code})

    assert first.status_code == 302
    assert again.status_code == 400


def test_a_recovery_code_lets_in_once_also_at_once(member: Visitor) -> None:
    _, codes = set_up_second_factor(member)

    with ExitStack() as opened:
        tabs = [opened.enter_context(Visitor(member.stack)) for _ in range(4)]
        for tab in tabs:
            tab.email = member.email
            tab.sign_in()
            tab.get("/sign-in/recovery-code")
        with ThreadPoolExecutor(4) as threads:
            answers = list(
                threads.map(
                    lambda tab: tab.post("/sign-in/recovery-code", {"code": codes[0]}), tabs
                )
            )

    assert sorted(answer.status_code for answer in answers) == [302, 400, 400, 400]


def test_guessing_codes_pauses_the_account_from_any_browser(
    member: Visitor, stranger: Visitor
) -> None:
    secret, codes = set_up_second_factor(member)
    stranger.email = member.email
    stranger.sign_in()

    guesses = [
        stranger.post("/sign-in/code", {"code": another(next_code(secret))}) for _ in range(5)
    ]
    with Visitor(member.stack) as other:
        other.email = member.email
        other.sign_in()
        paused = other.post("/sign-in/code", {"code": next_code(secret)})
        recovery = other.post("/sign-in/recovery-code", {"code": codes[0]})

    assert [answer.status_code for answer in guesses] == [400] * 5
    assert paused.status_code == 429
    assert "Try again in 15 min" in paused.text
    assert recovery.status_code == 429
    assert member.is_signed_in


def test_half_a_sign_in_opens_nothing(member: Visitor, stranger: Visitor) -> None:
    set_up_second_factor(member)
    stranger.email = member.email
    stranger.sign_in()

    for path in ("/dashboard", "/dashboard/keys", SECURITY, "/api/v1/credits", "/new-password"):
        assert stranger.get(path).status_code in {302, 401}, path
    taken_off = stranger.post(f"{SECURITY}/second-factor/remove", {})

    assert taken_off.headers["location"].startswith("/sign-in")
    assert "On</span>" in member.get(SECURITY).text


def test_the_second_factor_can_be_taken_off(member: Visitor) -> None:
    set_up_second_factor(member)

    member.post(f"{SECURITY}/second-factor/remove", {})
    member.post("/sign-out", {})

    assert member.sign_in().headers["location"] == "/dashboard"


def test_the_picture_is_drawn_of_what_an_app_reads_only(member: Visitor) -> None:
    answer = member.post(
        f"{SECURITY}/second-factor/confirm",
        {"enrolment": "x", "secret": "y", "uri": "https://evil.example", "code": "123456"},
    )

    assert answer.status_code == 400
    assert "qr-code" not in answer.text


# -- closing -----------------------------------------------------------------------------


def test_an_account_is_closed_by_who_says_so_twice(member: Visitor, elsewhere: Visitor) -> None:
    person = member.person
    member.post("/dashboard/keys", {"name": "app", "key_id": person.id, "expires_in_days": ""})

    careless = member.post(f"{SECURITY}/close", {"email": "other@example.com"})
    half = member.post(f"{SECURITY}/close", {"email": member.email})
    sure = member.post(f"{SECURITY}/close", {"email": member.email, "give_up": "yes"})

    assert careless.status_code == 400
    assert "Type the e-mail address" in careless.text
    assert half.status_code == 400
    assert "give up the balance" in half.text
    assert sure.headers["location"] == "/"
    assert not member.is_signed_in
    assert not elsewhere.is_signed_in
    assert member.sign_in().status_code == 401
    with member.stack.store.begin() as tx:
        gone = tx.people.find(person.id)
        keys = tx.keys.list_of(person.id)
        wallet = tx.ledger.find_wallet_of(person.id)
    assert gone
    assert gone.blocked
    assert member.email not in repr(gone)
    assert all(key.revoked_at for key in keys)
    assert str(wallet.posted) == "200"
    assert member.stack.audit().clean


def test_whose_account_was_closed_can_join_again(member: Visitor) -> None:
    member.post(f"{SECURITY}/close", {"email": member.email, "give_up": "yes"})

    answer = member.post("/sign-up", {"email": member.email, "password": PASSWORD})

    assert answer.headers["location"] == "/dashboard"
    assert member.is_signed_in
