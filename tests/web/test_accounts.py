"""Who is let in, and what a stranger can learn."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlsplit

import pytest

from creditcore.domain.people import Role
from tests.visitors import PASSWORD, TOKEN, Visitor, what_shows

# -- in and out ------------------------------------------------------------------------


def test_the_form_says_what_an_account_comes_with(visitor: Visitor) -> None:
    assert "$2.00 of credit" in visitor.get("/sign-up").text


def test_a_newcomer_is_let_in_with_welcome_credits(visitor: Visitor) -> None:
    visitor.sign_up()

    page = visitor.get("/dashboard")
    assert page.status_code == 200
    assert "$2.00" in page.text
    assert visitor.email in page.text


def test_a_person_who_signs_out_has_to_sign_in_again(member: Visitor) -> None:
    left = member.post("/sign-out", {})
    refused = member.get("/dashboard")
    back = member.sign_in()

    assert left.status_code == 302
    assert refused.headers["location"].startswith("/sign-in")
    assert back.headers["location"] == "/dashboard"
    assert member.is_signed_in


def test_an_address_is_the_same_however_it_is_typed(member: Visitor) -> None:
    member.post("/sign-out", {})

    member.sign_in(email=f"  {member.email.upper()} ")

    assert member.is_signed_in


def test_signing_in_leads_to_the_page_that_was_asked_for(member: Visitor) -> None:
    member.post("/sign-out", {})

    asked = member.get("/dashboard/keys")
    form = member.get(asked.headers["location"])
    wanted = re.search(r'name="next" value="([^"]*)"', form.text)
    assert wanted
    answer = member.sign_in(next=wanted[1])

    assert answer.headers["location"] == "/dashboard/keys"


def test_a_form_that_was_sent_signed_out_leads_to_a_page(member: Visitor) -> None:
    member.post("/sign-out", {})

    asked = member.post("/api/checkout/start", {"amount_usd": "10"})

    assert asked.status_code == 302
    assert asked.headers["location"] == "/sign-in"


def test_unknown_fields_of_a_form_change_nothing(visitor: Visitor) -> None:
    form = {"email": visitor.email, "password": PASSWORD, "role": "admin", "credits": "999999"}

    visitor.post("/sign-up", form)

    wallet = visitor.stack.wallet_of(visitor.person.id)
    assert visitor.person.role is Role.USER
    assert str(wallet.posted) == "200"


@pytest.mark.parametrize(
    ("email", "password", "complaint"),
    [
        ("", PASSWORD, "not an e-mail address"),
        ("nobody", PASSWORD, "not an e-mail address"),
        ("a@b@example.com", PASSWORD, "not an e-mail address"),
        ("short@example.com", "too short", "at least 10 characters"),
        ("long@example.com", "x" * 201, "at most 200 characters"),
        ("itself@example.com", "itself@example.com", "cannot be the e-mail address"),
    ],
)
def test_a_bad_address_or_password_is_explained_beside_its_field(
    visitor: Visitor, email: str, password: str, complaint: str
) -> None:
    answer = visitor.post("/sign-up", {"email": email, "password": password})

    assert answer.status_code == 400
    assert complaint in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert not visitor.is_signed_in


# -- what a stranger learns --------------------------------------------------------------


def test_signing_up_answers_the_same_for_a_free_and_a_taken_address(
    member: Visitor, visitor: Visitor, stranger: Visitor
) -> None:
    form = {"password": "another long password"}

    free = visitor.post("/sign-up", {"email": visitor.email, **form})
    taken = stranger.post("/sign-up", {"email": member.email, **form})

    assert what_shows(taken) == what_shows(free)
    assert not stranger.is_signed_in


def test_a_person_who_forgot_that_they_have_an_account_is_told_to_sign_in(
    member: Visitor, stranger: Visitor
) -> None:
    form = {"email": member.email, "password": "another long password"}

    answer = stranger.post("/sign-up", form, allow_redirects=True)

    assert urlsplit(answer.url).path == "/sign-in"
    assert "You may have an account with this address already" in answer.text
    assert "Please sign in to see this page" not in answer.text
    assert member.email not in answer.text


def test_a_visitor_who_just_comes_is_told_why_to_sign_in(visitor: Visitor) -> None:
    page = visitor.get("/dashboard", allow_redirects=True)

    assert "Please sign in to see this page" in page.text
    assert "may have an account" not in page.text


def test_the_owner_of_a_taken_address_is_let_in_by_signing_up(
    member: Visitor, stranger: Visitor
) -> None:
    stranger.post("/sign-up", {"email": member.email, "password": PASSWORD})

    assert member.email in stranger.get("/dashboard").text
    assert str(member.stack.wallet_of(member.person.id).posted) == "200"


def test_a_failed_sign_in_never_says_what_was_wrong(member: Visitor, stranger: Visitor) -> None:
    def failed(email: str, password: str) -> tuple[object, ...]:
        form = {"email": email, "password": password, "csrf_token": stranger.token()}
        answer = stranger.send("POST", "/sign-in", data=form)
        shown = TOKEN.sub("", answer.text).replace(email, "")
        assert answer.status_code == 401
        assert "E-mail or password is wrong." in shown
        return what_shows(answer)[:1], shown

    wrong_password = failed(member.email, "not the right one")
    unknown_address = failed(f"{uuid.uuid4().hex}@example.com", PASSWORD)
    no_password = failed(member.email, "")

    assert wrong_password == unknown_address == no_password
