"""Passwords and addresses are changed as the project wants it shown."""

from __future__ import annotations

import pytest

from creditcore.domain.errors import (
    BadCredentialsError,
    CodeRefusedError,
    CodeSentError,
    LinkRefusedError,
    SessionEndedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import LinkKind
from creditcore.testing.contracts.identity_house import OTHER_PASSWORD, PASSWORD, join, signed_in
from tests.integration.supabase_auth.house import ANNA, SupabaseHouse


def test_a_recovery_with_the_old_password_ends_the_other_sessions(house: SupabaseHouse) -> None:
    there = join(house, ANNA).grant
    house.provider.begin_recovery(ANNA)
    token = str(house.token(ANNA, LinkKind.RECOVERY))
    link = signed_in(house.provider.redeem(LinkKind.RECOVERY, token))

    house.provider.complete_recovery(link.grant, PASSWORD)

    with pytest.raises(SessionEndedError):
        house.provider.check(there)


def test_a_wrong_current_password_changes_nothing_and_is_bounded(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant

    for _ in range(5):
        with pytest.raises(BadCredentialsError):
            house.provider.change_password(grant, OTHER_PASSWORD, current="wrong horse 99")
    with pytest.raises(TooManyAttemptsError):
        house.provider.change_password(grant, OTHER_PASSWORD, current=PASSWORD)

    signed_in(house.provider.sign_in(ANNA, PASSWORD))


def test_a_code_that_the_project_wants_is_mailed_and_taken(house: SupabaseHouse) -> None:
    house.project.set(require_reauthentication=True, jwt_life_s=200_000)
    grant = join(house, ANNA).grant
    house.project.ahead(90_000)

    with pytest.raises(CodeSentError):
        house.provider.change_password(grant, OTHER_PASSWORD, current=PASSWORD)
    with pytest.raises(CodeRefusedError):
        house.provider.change_password(grant, OTHER_PASSWORD, current=PASSWORD, code="12 34")
    code = house.project.mails(ANNA, "reauthentication")[0]["token"]
    house.provider.change_password(grant, OTHER_PASSWORD, current=PASSWORD, code=code)

    signed_in(house.provider.sign_in(ANNA, OTHER_PASSWORD))


def test_a_password_that_the_project_wants_is_sent(house: SupabaseHouse) -> None:
    house.project.set(require_current_password=True)
    join(house, ANNA)
    grant = signed_in(house.provider.sign_in(ANNA, PASSWORD)).grant

    house.provider.change_password(grant, OTHER_PASSWORD, current=PASSWORD)

    signed_in(house.provider.sign_in(ANNA, OTHER_PASSWORD))


def test_a_check_of_the_password_leaves_no_session_behind(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant

    house.provider.reauthenticate(grant, PASSWORD)

    assert [call["query"] for call in house.project.calls("logout")] == [{"scope": "local"}]


def test_a_taken_address_is_asked_for_in_vain_and_in_silence(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant
    join(house, "taken@example.com")

    house.provider.begin_email_change(grant, "taken@example.com")

    assert house.project.mails("taken@example.com", "email_change") == []


def test_an_address_that_was_taken_meanwhile_is_refused(house: SupabaseHouse) -> None:
    house.project.set(secure_email_change=False)
    grant = join(house, ANNA).grant
    house.provider.begin_email_change(grant, "new@example.com")
    join(house, "new@example.com")
    token = str(house.token("new@example.com", LinkKind.EMAIL_CHANGE))

    with pytest.raises(LinkRefusedError):
        house.provider.confirm_email_change(token)

    assert house.provider.check(grant).email == ANNA


def test_both_addresses_confirm_a_change(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant
    house.provider.begin_email_change(grant, "new@example.com")

    assert house.provider.check(grant).new_email == "new@example.com"
    half = house.provider.confirm_email_change(str(house.token(ANNA, LinkKind.EMAIL_CHANGE)))
    token = str(house.token("new@example.com", LinkKind.EMAIL_CHANGE))
    done = house.provider.confirm_email_change(token)

    assert half is None
    assert done is not None
    assert (done.email, done.new_email) == ("new@example.com", "")
