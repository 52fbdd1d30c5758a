"""What the adapter does beyond the contract of identity, flow by flow."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest

from creditcore.domain.errors import (
    BadCredentialsError,
    CodeRefusedError,
    CodeSentError,
    CreditcoreError,
    IdentityUnavailableError,
    InvalidRequestError,
    LinkRefusedError,
    NotOfferedError,
    OAuthFailedError,
    SessionEndedError,
    SignUpClosedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import (
    Capability,
    LinkKind,
    Method,
    NeedsConfirmation,
    NeedsSecondFactor,
    OAuthFailure,
    SignedIn,
    SignOutScope,
)
from creditcore.testing.contracts.identity_house import OTHER_PASSWORD, PASSWORD, join, signed_in
from tests.integration.supabase_auth.house import SupabaseHouse

ANNA = "anna@example.com"
CALLBACK = "https://app.example.com/auth/callback"
RACE_S = 0.3


def outcomes(calls: int, act: object) -> list[object]:
    """Call something at once, so often; return the results and the errors."""

    def run(_: int) -> object:
        try:
            return act()  # type: ignore[operator]
        except CreditcoreError as error:
            return type(error)

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(run, range(calls)))


# -- links ---------------------------------------------------------------------------------


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


# -- sessions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code", ["conflict", "over_request_rate_limit", "hook_timeout", "unknown", "unexpected_failure"]
)
def test_a_refresh_that_failed_by_chance_leaves_the_session(
    house: SupabaseHouse, code: str
) -> None:
    joined = join(house, ANNA)
    house.project.fault("token", code=code)

    with pytest.raises(IdentityUnavailableError):
        house.provider.refresh(joined.grant)

    assert house.provider.refresh(joined.grant).identity.email == ANNA


def test_a_refresh_token_that_was_spent_long_ago_ends_the_session(house: SupabaseHouse) -> None:
    first = join(house, ANNA).grant
    house.provider.refresh(house.provider.refresh(first).grant)
    house.project.ahead(60)

    with pytest.raises(SessionEndedError):
        house.provider.refresh(first)


@pytest.mark.parametrize("secret", [b"", b"{}", b"[1]", b"not json", b'["a","b","c"]'])
def test_a_grant_that_is_not_ours_is_a_session_that_is_over(
    house: SupabaseHouse, secret: bytes
) -> None:
    grant = dataclasses.replace(join(house, ANNA).grant, secret=secret)

    with pytest.raises(SessionEndedError):
        house.provider.refresh(grant)
    with pytest.raises(SessionEndedError):
        house.provider.check(grant)


def test_signing_out_ends_the_session_upstream_also_when_its_token_is_over(
    house: SupabaseHouse,
) -> None:
    grant = join(house, ANNA).grant
    old = dataclasses.replace(grant, good_until=datetime.now(UTC) - timedelta(seconds=1))

    house.provider.sign_out(old, SignOutScope.THIS)

    with pytest.raises(SessionEndedError):
        house.provider.refresh(grant)


def test_signing_out_elsewhere_leaves_this_session(house: SupabaseHouse) -> None:
    here = join(house, ANNA).grant
    there = signed_in(house.provider.sign_in(ANNA, PASSWORD)).grant

    house.provider.sign_out(here, SignOutScope.OTHERS)

    assert house.provider.check(here).email == ANNA
    with pytest.raises(SessionEndedError):
        house.provider.check(there)


def test_a_plain_sign_out_leaves_the_other_devices(house: SupabaseHouse) -> None:
    here = join(house, ANNA).grant
    there = signed_in(house.provider.sign_in(ANNA, PASSWORD)).grant

    house.provider.sign_out(here, SignOutScope.THIS)

    assert house.provider.check(there).email == ANNA


# -- password and address --------------------------------------------------------------------


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


# -- second factor ---------------------------------------------------------------------------


def enrolled(house: SupabaseHouse) -> str:
    """Set an app up; return its secret."""
    grant = join(house, ANNA).grant
    enrolment = house.provider.begin_second_factor(grant)
    code = pyotp.TOTP(enrolment.secret).now()
    house.provider.confirm_second_factor(grant, enrolment.id, code)
    return enrolment.secret


def asked(house: SupabaseHouse) -> NeedsSecondFactor:
    outcome = house.provider.sign_in(ANNA, PASSWORD)
    assert isinstance(outcome, NeedsSecondFactor)
    return outcome


def next_code(secret: str) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))


def test_wrong_codes_are_bounded_for_the_account_however_many_sessions_try(
    house: SupabaseHouse,
) -> None:
    secret = enrolled(house)
    right = next_code(secret)
    wrong = f"{(int(right) + 123_457) % 1_000_000:06d}"

    for _ in range(5):
        with pytest.raises(CodeRefusedError):
            house.provider.verify_second_factor(asked(house).grant, wrong)
    with pytest.raises(TooManyAttemptsError):
        house.provider.verify_second_factor(asked(house).grant, right)


def test_a_code_works_once_also_at_the_same_moment(house: SupabaseHouse) -> None:
    secret = enrolled(house)
    code = next_code(secret)
    grants = [asked(house).grant for _ in range(3)]

    def show() -> object:
        return house.provider.verify_second_factor(grants.pop(), code)

    found = outcomes(3, show)

    assert sum(isinstance(outcome, SignedIn) for outcome in found) == 1


def test_an_app_that_was_never_confirmed_is_replaced(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant

    first = house.provider.begin_second_factor(grant)
    second = house.provider.begin_second_factor(grant)

    assert "issuer=Jua+AI" in second.uri
    with pytest.raises(CodeRefusedError):
        house.provider.confirm_second_factor(grant, first.id, pyotp.TOTP(first.secret).now())
    code = pyotp.TOTP(second.secret).now()
    after = house.provider.confirm_second_factor(grant, second.id, code)
    with pytest.raises(InvalidRequestError):
        house.provider.begin_second_factor(after.grant)


@pytest.mark.parametrize("enrolment_id", ["", "../admin/users", "x" * 500])
def test_an_enrolment_id_never_becomes_part_of_an_address(
    house: SupabaseHouse, enrolment_id: str
) -> None:
    grant = join(house, ANNA).grant

    with pytest.raises(CodeRefusedError):
        house.provider.confirm_second_factor(grant, enrolment_id, "123456")

    assert house.project.calls("factors") == []


# -- Google and GitHub -------------------------------------------------------------------------


def walked(
    house: SupabaseHouse, act: str = "approve", **more: object
) -> tuple[bytes, dict[str, str]]:
    """Walk to the provider and back; return the secret, and what the browser brings."""
    flow = house.provider.begin_oauth(Method.GITHUB, return_url=CALLBACK)
    back = house.project.consent(flow.url, act, **more)  # type: ignore[arg-type]
    assert back.startswith(CALLBACK)
    return flow.secret, dict(parse_qsl(urlsplit(back).query))


def test_who_approves_is_signed_in(house: SupabaseHouse) -> None:
    back = signed_in(house.provider.complete_oauth(*walked(house)))

    assert back.identity.email == "octo@example.com"
    assert back.identity.methods == {Method.GITHUB}
    assert house.provider.check(back.grant).subject == back.identity.subject


@pytest.mark.parametrize(
    ("act", "more", "reason"),
    [
        ("cancel", {}, OAuthFailure.CANCELLED),
        ("fail", {}, OAuthFailure.TRY_AGAIN),
        ("approve", {"verified": False}, OAuthFailure.ADDRESS_UNVERIFIED),
        ("approve", {"email": ""}, OAuthFailure.ADDRESS_UNVERIFIED),
    ],
)
def test_who_does_not_come_back_is_told_why(
    house: SupabaseHouse, act: str, more: dict[str, object], reason: OAuthFailure
) -> None:
    with pytest.raises(OAuthFailedError) as failed:
        house.provider.complete_oauth(*walked(house, act, **more))

    assert failed.value.reason is reason


def test_a_closed_project_and_a_banned_account_are_told_apart(house: SupabaseHouse) -> None:
    octo = signed_in(house.provider.complete_oauth(*walked(house)))
    house.operators.ban(octo.identity.subject)
    with pytest.raises(OAuthFailedError) as banned:
        house.provider.complete_oauth(*walked(house))
    house.project.set(signup_disabled=True)
    with pytest.raises(OAuthFailedError) as closed:
        house.provider.complete_oauth(*walked(house, email="new@example.com"))

    assert banned.value.reason is OAuthFailure.REFUSED
    assert closed.value.reason is OAuthFailure.SIGN_UP_CLOSED


def test_a_code_counts_in_the_browser_that_began_and_only_there(house: SupabaseHouse) -> None:
    secret, query = walked(house)
    other = house.provider.begin_oauth(Method.GITHUB, return_url=CALLBACK)

    with pytest.raises(OAuthFailedError) as failed:
        house.provider.complete_oauth(other.secret, query)

    assert failed.value.reason is OAuthFailure.EXPIRED
    signed_in(house.provider.complete_oauth(secret, query))


def test_a_code_exchanged_four_times_at_once_works_once(house: SupabaseHouse) -> None:
    secret, query = walked(house)
    house.project.set(race_s=RACE_S)

    found = outcomes(4, lambda: house.provider.complete_oauth(secret, query))

    assert sum(isinstance(outcome, SignedIn) for outcome in found) == 1
    assert found.count(OAuthFailedError) == 3


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"code": ""},
        {"code": "x"},
        {"code": "11111111-1111-4111-8111-111111111111"},
        {"error": "invalid_request", "error_code": "bad_oauth_state"},
    ],
    ids=str,
)
def test_a_return_that_leads_nowhere_means_to_start_again(
    house: SupabaseHouse, query: dict[str, str]
) -> None:
    with pytest.raises(OAuthFailedError) as failed:
        house.provider.complete_oauth(b"v" * 64, query)

    assert failed.value.reason is OAuthFailure.EXPIRED


def test_a_code_is_dead_after_five_minutes(house: SupabaseHouse) -> None:
    secret, query = walked(house)
    house.project.ahead(301)

    with pytest.raises(OAuthFailedError) as failed:
        house.provider.complete_oauth(secret, query)

    assert failed.value.reason is OAuthFailure.EXPIRED


def test_the_same_confirmed_address_is_the_same_account(house: SupabaseHouse) -> None:
    joined = join(house, ANNA)

    back = signed_in(house.provider.complete_oauth(*walked(house, email=ANNA)))

    assert back.identity.subject == joined.identity.subject
    assert back.identity.methods == {Method.PASSWORD, Method.GITHUB}


def test_a_password_set_before_the_address_was_confirmed_opens_nothing(
    house: SupabaseHouse,
) -> None:
    house.provider.sign_up(ANNA, PASSWORD)

    signed_in(house.provider.complete_oauth(*walked(house, email=ANNA)))

    with pytest.raises(BadCredentialsError):
        house.provider.sign_in(ANNA, PASSWORD)


def test_a_provider_that_is_off_in_the_project_has_no_button(house: SupabaseHouse) -> None:
    house.project.set(github=False)

    assert Capability.GITHUB not in house.provider.capabilities
    assert Capability.GOOGLE in house.provider.capabilities
    with pytest.raises(NotOfferedError):
        house.provider.begin_oauth(Method.GITHUB, return_url=CALLBACK)
    with pytest.raises(NotOfferedError):
        house.provider.begin_oauth(Method.PASSWORD, return_url=CALLBACK)
