"""Links that are mailed: opened once, dead in time, and telling no stranger who is known."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from creditcore.domain.errors import (
    IdentityUnavailableError,
    InvalidRequestError,
    LinkRefusedError,
    SignUpClosedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import LinkKind, NeedsConfirmation, SignedIn
from creditcore.testing.contracts.identity_house import PASSWORD, join, signed_in
from tests.integration.supabase_auth.house import ANNA, SupabaseHouse, outcomes

RACE_S = 0.3


def test_a_double_click_on_sign_up_is_one_account_and_one_answer(house: SupabaseHouse) -> None:
    house.project.set(race_s=RACE_S)

    found = outcomes(2, lambda: house.provider.sign_up(ANNA, PASSWORD))

    assert found == [NeedsConfirmation(email=ANNA)] * 2
    assert len(house.project.control("GET", "/users")) == 1


def test_a_link_opened_four_times_at_once_works_once(house: SupabaseHouse) -> None:
    join(house, ANNA)
    house.provider.begin_recovery(ANNA)
    token = house.token(ANNA, LinkKind.RECOVERY)
    house.project.set(race_s=RACE_S)

    found = outcomes(4, lambda: house.provider.redeem(LinkKind.RECOVERY, str(token)))

    assert sum(isinstance(outcome, SignedIn) for outcome in found) == 1
    assert found.count(LinkRefusedError) == 3


def test_a_link_whose_opening_failed_may_be_tried_again(house: SupabaseHouse) -> None:
    house.provider.sign_up(ANNA, PASSWORD)
    token = str(house.token(ANNA, LinkKind.SIGN_UP))
    house.project.fault("verify", drop=True)

    with pytest.raises(IdentityUnavailableError):
        house.provider.redeem(LinkKind.SIGN_UP, token)

    assert signed_in(house.provider.redeem(LinkKind.SIGN_UP, token)).identity.email == ANNA


def test_a_link_is_dead_when_its_time_is_over(house: SupabaseHouse) -> None:
    house.provider.sign_up(ANNA, PASSWORD)
    token = str(house.token(ANNA, LinkKind.SIGN_UP))
    house.project.ahead(1801)

    with pytest.raises(LinkRefusedError):
        house.provider.redeem(LinkKind.SIGN_UP, token)


def test_the_mail_says_where_its_link_leads_on_to(house: SupabaseHouse) -> None:
    house.provider.sign_up(ANNA, PASSWORD, next_path="/dashboard/keys?new=1")

    link = dict(parse_qsl(urlsplit(house.project.mails(ANNA)[0]["link"]).query))

    assert link["type"] == "signup"
    assert link["redirect_to"] == "https://app.example.com/dashboard/keys?new=1"


def test_a_mail_without_a_wish_leads_on_to_nowhere_in_particular(house: SupabaseHouse) -> None:
    house.provider.sign_up(ANNA, PASSWORD)

    link = dict(parse_qsl(urlsplit(house.project.mails(ANNA)[0]["link"]).query))

    # A path would be taken for a wish, also the one of the start page.
    assert link["redirect_to"] == "https://app.example.com"


def test_a_mail_that_went_out_too_late_leaves_a_dead_link(house: SupabaseHouse) -> None:
    house.project.fault("signup", code="request_timeout", after=True)
    with pytest.raises(IdentityUnavailableError):
        house.provider.sign_up(ANNA, PASSWORD)

    dead = str(house.token(ANNA, LinkKind.SIGN_UP))
    with pytest.raises(LinkRefusedError):
        house.provider.redeem(LinkKind.SIGN_UP, dead)

    # Resending sends nothing, as there is no account: signing up again is what helps.
    house.provider.resend_confirmation(ANNA)
    assert len(house.project.mails(ANNA)) == 1
    assert signed_in(join_again(house)).identity.email == ANNA


def join_again(house: SupabaseHouse) -> SignedIn:
    house.provider.sign_up(ANNA, PASSWORD)
    token = str(house.token(ANNA, LinkKind.SIGN_UP))
    return signed_in(house.provider.redeem(LinkKind.SIGN_UP, token))


@pytest.mark.parametrize("known", [True, False])
def test_asking_for_mail_answers_the_same_in_every_case(house: SupabaseHouse, known: bool) -> None:
    house.project.set(mail_window_s=60)
    if known:
        join(house, ANNA)

    for _ in range(3):
        house.provider.begin_recovery(ANNA)
        house.provider.resend_confirmation(ANNA)
    house.project.fault("recover", code="unexpected_failure")
    house.provider.begin_recovery(ANNA)

    assert len(house.project.mails(ANNA, "recovery")) == int(known)


def test_a_sign_up_within_the_mail_window_looks_like_the_first(house: SupabaseHouse) -> None:
    house.project.set(mail_window_s=60)

    found = [house.provider.sign_up(ANNA, PASSWORD) for _ in range(2)]

    assert found == [NeedsConfirmation(email=ANNA)] * 2


def test_a_used_up_mail_quota_is_no_success(house: SupabaseHouse) -> None:
    house.project.set(mail_quota=0)

    with pytest.raises(TooManyAttemptsError):
        house.provider.sign_up(ANNA, PASSWORD)


def test_a_project_that_lets_no_new_person_in_says_so(house: SupabaseHouse) -> None:
    house.project.set(signup_disabled=True)

    with pytest.raises(SignUpClosedError):
        house.provider.sign_up(ANNA, PASSWORD)


def test_a_captcha_that_we_cannot_show_is_the_operators_matter(
    house: SupabaseHouse, caplog: pytest.LogCaptureFixture
) -> None:
    house.project.set(captcha=True)

    with pytest.raises(IdentityUnavailableError):
        house.provider.sign_in(ANNA, PASSWORD)

    assert "captcha_failed" in caplog.text


@pytest.mark.parametrize("password", ["x" * 73, "ä" * 37])
def test_a_password_beyond_what_bcrypt_sees_is_refused(house: SupabaseHouse, password: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        house.provider.sign_up(ANNA, password)

    assert refused.value.param == "password"
