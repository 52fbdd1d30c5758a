"""What is sent to Supabase Auth, and what is made of answers that are none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
import responses

from adapters.supabase_auth.answers import Answer
from adapters.supabase_auth.api_keys import ApiKey
from adapters.supabase_auth.client import MAX_ANSWER_BYTES, GoTrueClient, NoAnswerError
from adapters.supabase_auth.pkce import challenge_of, new_verifier
from tests.integration.supabase_auth.recordings import BASE_URL, PROJECT_URL, RECORDINGS

PUBLISHABLE = ApiKey("sb_publishable_0123456789")
ANON = ApiKey("eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl")


@pytest.fixture
def gotrue() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client() -> GoTrueClient:
    return GoTrueClient(PROJECT_URL, PUBLISHABLE)


def test_every_request_asks_for_the_errors_of_one_version(
    gotrue: responses.RequestsMock, client: GoTrueClient
) -> None:
    gotrue.post(f"{BASE_URL}/token?grant_type=password", json={})

    client.ask("POST", "/token", query={"grant_type": "password"}, body={"email": "a@example.com"})

    sent = gotrue.calls[0].request
    assert sent.headers["X-Supabase-Api-Version"] == "2024-01-01"
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["User-Agent"] == "creditcore"
    assert sent.body == b'{"email":"a@example.com"}'


@pytest.mark.parametrize(
    ("key", "user_token", "authorization"),
    [
        (PUBLISHABLE, None, None),
        (ApiKey("sb_secret_0123456789"), None, None),
        (ANON, None, f"Bearer {ANON.value}"),
        (PUBLISHABLE, "user.token", "Bearer user.token"),
        (ANON, "user.token", "Bearer user.token"),
    ],
)
def test_each_generation_of_keys_travels_in_its_own_way(
    gotrue: responses.RequestsMock, key: ApiKey, user_token: str | None, authorization: str | None
) -> None:
    gotrue.get(f"{BASE_URL}/user", json={})

    GoTrueClient(PROJECT_URL, key).ask("GET", "/user", user_token=user_token)

    sent = gotrue.calls[0].request.headers
    assert sent["apikey"] == key.value
    assert sent.get("Authorization") == authorization


@pytest.mark.parametrize("value", ["", "short", "line\nbreak-in-it", "sb_secret_ü123456"])
def test_what_no_header_can_carry_is_no_key(value: str) -> None:
    with pytest.raises(ValueError, match="API key") as error:
        ApiKey(value)

    assert not value or value not in str(error.value)


def test_no_secret_shows_in_a_repr(client: GoTrueClient) -> None:
    answer = Answer.parse(200, {}, b'{"access_token":"very-secret"}')

    assert PUBLISHABLE.value not in repr(PUBLISHABLE) + repr(client)
    assert "very-secret" not in repr(answer)


@pytest.mark.parametrize(
    "fault",
    [requests.ConnectTimeout(), requests.ReadTimeout(), requests.ConnectionError("refused")],
    ids=lambda fault: type(fault).__name__,
)
def test_no_answer_is_said_without_the_request(
    gotrue: responses.RequestsMock, client: GoTrueClient, fault: Exception
) -> None:
    gotrue.post(f"{BASE_URL}/signup", body=fault)

    with pytest.raises(NoAnswerError) as error:
        client.ask("POST", "/signup", body={"password": "correct horse"})

    assert "correct horse" not in str(error.value)
    assert PUBLISHABLE.value not in str(error.value)


def test_an_answer_without_end_is_given_up(
    gotrue: responses.RequestsMock, client: GoTrueClient
) -> None:
    gotrue.get(f"{BASE_URL}/user", body=b"x" * (MAX_ANSWER_BYTES + 1))

    with pytest.raises(NoAnswerError, match="too long"):
        client.ask("GET", "/user")


def test_a_redirect_is_not_followed(gotrue: responses.RequestsMock, client: GoTrueClient) -> None:
    gotrue.get(f"{BASE_URL}/user", status=302, headers={"Location": "https://evil.example/"})

    answer = client.ask("GET", "/user", user_token="user.token")

    assert (answer.status, answer.is_success) == (302, False)
    assert len(gotrue.calls) == 1


@pytest.mark.parametrize("body", [b"404 page not found\n", b"", b"[]", b'"text"', b"\xff\xfe"])
def test_a_body_that_is_no_object_counts_as_empty(body: bytes) -> None:
    answer = Answer.parse(404, {}, body)

    assert (answer.code, dict(answer.body)) == ("", {})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("login-wrong-password", "invalid_credentials"),
        ("login-wrong-password-ver", "invalid_credentials"),
        ("verify-email-change-address-taken-meanwhile", "unexpected_failure"),
        ("admin-put-email-taken", "unexpected_failure"),
        ("hook-token-error-403", "unknown"),
        ("signup-weak-pwned", "weak_password"),
        ("signup-weak-pwned-ver", "weak_password"),
        ("verify-email-change-first-new", ""),
    ],
)
def test_the_code_is_read_in_every_shape(name: str, code: str) -> None:
    assert RECORDINGS[name].answer.code == code


def test_the_reasons_of_a_weak_password_are_kept() -> None:
    assert RECORDINGS["signup-weak-pwned-ver"].answer.weak_password_reasons == ("pwned",)
    assert RECORDINGS["signup-weak-length-characters"].answer.weak_password_reasons == (
        "length",
        "characters",
    )


def test_the_wait_is_read_from_the_text() -> None:
    window = RECORDINGS["signup-window-second-ver"].answer
    quota = RECORDINGS["signup-mailquota-second-ver"].answer

    assert window.retry_after_s == 58
    assert quota.retry_after_s is None


def test_a_challenge_is_the_one_of_the_standard() -> None:
    # RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_verifiers_are_long_and_never_the_same() -> None:
    verifiers = {new_verifier() for _ in range(50)}

    assert len(verifiers) == 50
    assert all(43 <= len(verifier) <= 128 and "=" not in verifier for verifier in verifiers)
