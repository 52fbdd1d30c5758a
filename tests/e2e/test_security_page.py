"""What protects an account, and where its owner is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from tests.second_factor import SECURITY, set_up_second_factor
from tests.visitors import PASSWORD, Visitor, sign_in_elsewhere

NEW_PASSWORD = "seven brass teapots"


@pytest.fixture
def elsewhere(member: Visitor) -> Iterator[Visitor]:
    with ExitStack() as opened:
        yield sign_in_elsewhere(member, opened)


def let_the_proof_grow_old(member: Visitor) -> None:
    person = member.person
    with member.stack.store.begin() as tx:
        tx._session.change(
            "UPDATE sessions SET proved_at = proved_at - ? WHERE person_id = ?",
            (int(timedelta(minutes=31) / timedelta(microseconds=1)), person.id),
        )
        tx.commit()


# -- sessions ---------------------------------------------------------------------------


# -- stepping up -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act", ["password", "email", "second-factor", "second-factor/remove", "recovery-codes", "close"]
)
def test_what_protects_the_account_wants_a_fresh_proof(member: Visitor, act: str) -> None:
    let_the_proof_grow_old(member)
    form = {"current": PASSWORD, "password": NEW_PASSWORD, "email": member.email, "give_up": "yes"}

    answer = member.post(f"{SECURITY}/{act}", form)

    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/step-up?next=")
    assert member.is_signed_in
    assert "Changes here need a fresh proof" in member.get(SECURITY).text


def test_the_password_is_proof_for_half_an_hour(member: Visitor) -> None:
    let_the_proof_grow_old(member)

    wrong = member.post("/step-up", {"password": NEW_PASSWORD, "next": SECURITY})
    right = member.post("/step-up", {"password": PASSWORD, "next": SECURITY})

    assert wrong.status_code == 400
    assert "not your password" in wrong.text
    assert right.headers["location"] == SECURITY
    assert member.post(f"{SECURITY}/second-factor", {}).status_code == 200


def test_proof_never_leads_away(member: Visitor) -> None:
    let_the_proof_grow_old(member)

    answer = member.post("/step-up", {"password": PASSWORD, "next": "//evil.example"})

    assert answer.headers["location"] == "/dashboard"


# -- password ----------------------------------------------------------------------------


# -- second factor -----------------------------------------------------------------------


def test_secrets_are_not_stored_in_plain(member: Visitor) -> None:
    secret, codes = set_up_second_factor(member)

    with member.stack.store.begin() as tx:
        rows = repr(tx._session.records("SELECT * FROM local_credentials"))

    assert secret not in rows
    assert not [code for code in codes if code in rows or code.replace("-", "") in rows]


# -- closing -----------------------------------------------------------------------------
