"""Every recorded error, and what it means for the person who waits."""

from __future__ import annotations

import pytest

from adapters.supabase_auth.actions import Action, Call, action_for
from adapters.supabase_auth.answers import Answer
from tests.integration.supabase_auth.recordings import RECORDINGS, Recording

LATER, REFUSE, OUT = Action.RETRY_LATER, Action.REFUSE, Action.SIGN_OUT
BLIND, ONCE = Action.SHOW_AS_SUCCESS, Action.RETRY_ONCE

TABLE = {
    Call.REFRESH: {
        "400 refresh_token_not_found": OUT,
        "400 refresh_token_already_used": OUT,
        "400 session_expired": OUT,
        "400 validation_failed": OUT,
        "400 bad_json": OUT,
        "400 user_banned": OUT,
        "409 conflict": LATER,
        "429 over_request_rate_limit": LATER,
        "500 unexpected_failure": LATER,
        "422 hook_timeout": LATER,
        "403 unknown": LATER,
    },
    Call.READ_USER: {
        "400 bad_jwt": OUT,
        "401 no_authorization": OUT,
        "403 bad_jwt": OUT,
        "403 session_not_found": OUT,
        "403 user_not_found": OUT,
        "403 user_banned": OUT,
        "500 unexpected_failure": LATER,
    },
    Call.SIGN_UP: {
        "500 unexpected_failure": ONCE,
        "504 request_timeout": LATER,
        "422 hook_timeout_after_retry": LATER,
        "429 over_request_rate_limit": LATER,
        "413 request_entity_too_large": LATER,
        "400 unknown": REFUSE,
        "400 bad_json": REFUSE,
        "400 validation_failed": REFUSE,
        "400 captcha_failed": REFUSE,
        "400 email_address_invalid": REFUSE,
        "400 email_address_not_authorized": REFUSE,
        "400 email_provider_disabled": REFUSE,
        "400 phone_provider_disabled": REFUSE,
        "422 anonymous_provider_disabled": REFUSE,
        "422 signup_disabled": REFUSE,
        "422 user_already_exists": REFUSE,
        "422 weak_password": REFUSE,
    },
    Call.SIGN_IN: {
        "400 invalid_credentials": REFUSE,
        "400 email_not_confirmed": REFUSE,
        "400 user_banned": REFUSE,
        "400 bad_json": REFUSE,
        "400 captcha_failed": REFUSE,
        "400 validation_failed": REFUSE,
        "422 email_provider_disabled": REFUSE,
        "400 hook_payload_invalid_content_type": LATER,
        "403 unknown": LATER,
        "422 hook_timeout": LATER,
        "429 over_request_rate_limit": LATER,
        "500 unexpected_failure": LATER,
        "504 request_timeout": LATER,
    },
    Call.SEND_MAIL: {
        "429 over_email_send_rate_limit": BLIND,
        "422 otp_disabled": BLIND,
        "500 unexpected_failure": BLIND,
        "429 over_request_rate_limit": LATER,
        "400 captcha_failed": REFUSE,
        "400 email_provider_disabled": REFUSE,
        "400 validation_failed": REFUSE,
        "422 email_provider_disabled": REFUSE,
        "422 signup_disabled": REFUSE,
    },
    Call.VERIFY: {
        "403 otp_expired": REFUSE,
        "403 user_banned": REFUSE,
        "400 bad_json": REFUSE,
        "400 validation_failed": REFUSE,
        "422 validation_failed": REFUSE,
        "429 over_request_rate_limit": LATER,
        "500 unexpected_failure": LATER,
    },
    Call.EXCHANGE: {
        "400 bad_code_verifier": REFUSE,
        "400 validation_failed": REFUSE,
        "404 flow_state_not_found": REFUSE,
        "422 flow_state_expired": REFUSE,
        "500 unexpected_failure": LATER,
    },
    Call.SIGN_OUT: {
        "400 validation_failed": OUT,
        "401 no_authorization": OUT,
        "403 bad_jwt": OUT,
        "403 session_not_found": OUT,
        "403 user_banned": OUT,
        "403 user_not_found": OUT,
        "500 unexpected_failure": OUT,
    },
    Call.CHANGE_USER: {
        "401 no_authorization": OUT,
        "403 bad_jwt": OUT,
        "403 user_banned": OUT,
        "400 bad_json": REFUSE,
        "400 current_password_invalid": REFUSE,
        "400 current_password_required": REFUSE,
        "400 reauthentication_needed": REFUSE,
        "400 validation_failed": REFUSE,
        "401 insufficient_aal": REFUSE,
        "403 not_admin": REFUSE,
        "404 manual_linking_disabled": REFUSE,
        "422 email_exists": REFUSE,
        "422 reauthentication_not_valid": REFUSE,
        "422 same_password": REFUSE,
        "422 weak_password": REFUSE,
        "429 over_email_send_rate_limit": LATER,
        "429 over_request_rate_limit": LATER,
        "405 ": LATER,
    },
    Call.FACTOR: {
        "401 no_authorization": OUT,
        "400 validation_failed": REFUSE,
        "403 insufficient_aal": REFUSE,
        "404 mfa_factor_not_found": REFUSE,
        "404 validation_failed": REFUSE,
        "422 insufficient_aal": REFUSE,
        "422 mfa_challenge_expired": REFUSE,
        "422 mfa_factor_name_conflict": REFUSE,
        "422 mfa_factor_not_found": REFUSE,
        "422 mfa_ip_address_mismatch": REFUSE,
        "422 mfa_phone_enroll_not_enabled": REFUSE,
        "422 mfa_verification_failed": REFUSE,
    },
    Call.ADMIN: {
        "400 validation_failed": REFUSE,
        "401 no_authorization": REFUSE,
        "403 bad_jwt": REFUSE,
        "403 not_admin": REFUSE,
        "404 user_not_found": REFUSE,
        "404 validation_failed": REFUSE,
        "422 email_exists": REFUSE,
        "500 unexpected_failure": LATER,
    },
}

# The same code, but the text says that the project's quota is used up: the sign-up was undone.
QUOTA = {"signup-mailquota-second", "signup-mailquota-second-ver"}
WINDOW = {"signup-window-second", "signup-window-second-ver"}


def errors() -> list[Recording]:
    return [
        recording
        for recording in RECORDINGS.values()
        if recording.status >= 400 and recording.call and recording.name not in QUOTA | WINDOW
    ]


@pytest.mark.parametrize("recording", errors(), ids=lambda recording: recording.name)
def test_a_recorded_error_means_what_the_table_says(recording: Recording) -> None:
    assert recording.call is not None
    answer = recording.answer

    assert (
        action_for(recording.call, answer)
        is TABLE[recording.call][f"{answer.status} {answer.code}"]
    )


def test_every_row_of_the_table_was_recorded() -> None:
    seen = {(r.call, f"{r.status} {r.answer.code}") for r in errors()}
    rows = {(call, row) for call, rows in TABLE.items() for row in rows}

    assert rows <= seen


@pytest.mark.parametrize("name", sorted(WINDOW))
def test_a_sign_up_whose_mail_is_on_its_way_is_a_success(name: str) -> None:
    assert action_for(Call.SIGN_UP, RECORDINGS[name].answer) is Action.SHOW_AS_SUCCESS


@pytest.mark.parametrize("name", sorted(QUOTA))
def test_a_sign_up_undone_by_the_mail_quota_is_to_be_repeated(name: str) -> None:
    assert action_for(Call.SIGN_UP, RECORDINGS[name].answer) is Action.RETRY_LATER


@pytest.mark.parametrize(
    "call", [Call.REFRESH, Call.READ_USER, Call.CHANGE_USER, Call.FACTOR], ids=str
)
def test_a_refused_api_key_signs_no_person_out(call: Call) -> None:
    gateway = Answer.parse(401, {}, b'{"message":"Invalid API key","hint":"..."}')

    assert action_for(call, gateway) is Action.RETRY_LATER


@pytest.mark.parametrize(
    "recording",
    [r for r in RECORDINGS.values() if r.status < 300 and r.call],
    ids=lambda recording: recording.name,
)
def test_a_recorded_success_is_one(recording: Recording) -> None:
    assert recording.call is not None
    assert recording.answer.code == ""
    assert action_for(recording.call, recording.answer) is Action.PROCEED
