"""Tokens that count, and tokens that a server would accept and we must not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from jwt.algorithms import ECAlgorithm

from adapters.supabase_auth.api_keys import ApiKey
from adapters.supabase_auth.client import GoTrueClient, NoAnswerError
from adapters.supabase_auth.signing_keys import SigningKeys
from adapters.supabase_auth.tokens import TokenRefusedError, TokenVerifier
from tests.integration.supabase_auth.recordings import BASE_URL, PROJECT_URL, RECORDINGS

NOW = datetime(2026, 11, 29, 1, 30, tzinfo=UTC)
RECORDED_ISSUER = "http://127.0.0.1:8160"
SUBJECT = "211bc074-eb6d-4ea1-956a-3825f09e8649"
SESSION = "78d11c9b-fd83-4ed3-b687-9ce9c0894d52"
JWKS = f"{BASE_URL}/.well-known/jwks.json"


@dataclass
class StoppedClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def gotrue() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture(scope="session")
def key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


@pytest.fixture
def client() -> GoTrueClient:
    return GoTrueClient(PROJECT_URL, ApiKey("sb_publishable_0123456789"))


@pytest.fixture
def verifier(client: GoTrueClient) -> TokenVerifier:
    return TokenVerifier(client, StoppedClock())


def claims(**changes: Any) -> dict[str, Any]:
    usual = {
        "iss": BASE_URL,
        "sub": SUBJECT,
        "aud": "authenticated",
        "exp": int((NOW + timedelta(hours=1)).timestamp()),
        "iat": int(NOW.timestamp()),
        "email": "login@example.com",
        "phone": "",
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {"email": "login@example.com", "sub": SUBJECT},
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": int(NOW.timestamp())}],
        "session_id": SESSION,
        "is_anonymous": False,
    }
    merged = usual | changes
    return {name: value for name, value in merged.items() if value is not None}


def public(key: EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    return document | {"kid": kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"]}


def signed(key: EllipticCurvePrivateKey, kid: str = "k1", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm="ES256", headers={"kid": kid})


def serve(mock: responses.RequestsMock, *keys: dict[str, Any]) -> None:
    mock.get(JWKS, json={"keys": list(keys)})


@pytest.mark.parametrize(
    ("login", "keys"),
    [("login-ok", "meta-jwks-es256"), ("login-rs256", "meta-jwks-rs256")],
)
def test_a_recorded_token_verifies_against_the_recorded_keys(
    gotrue: responses.RequestsMock, client: GoTrueClient, login: str, keys: str
) -> None:
    RECORDINGS[keys].play(gotrue, "GET", "/.well-known/jwks.json")
    session = RECORDINGS[login].json
    clock = StoppedClock(datetime.fromtimestamp(session["expires_at"] - 60, UTC))

    found = TokenVerifier(client, clock, issuer=RECORDED_ISSUER).verify(session["access_token"])

    assert found.subject == session["user"]["id"]
    assert found.email == session["user"]["email"]
    assert found.expires_at == datetime.fromtimestamp(session["expires_at"], UTC)
    assert not found.has_second_factor


def test_a_token_of_an_hs256_project_is_shown_to_the_server(
    gotrue: responses.RequestsMock, client: GoTrueClient
) -> None:
    RECORDINGS["meta-jwks-hs256-only"].play(gotrue, "GET", "/.well-known/jwks.json")
    session = RECORDINGS["login-hs256"].json
    gotrue.get(f"{BASE_URL}/user", json=session["user"])
    clock = StoppedClock(datetime.fromtimestamp(session["expires_at"] - 60, UTC))
    verifier = TokenVerifier(client, clock, issuer=RECORDED_ISSUER)

    for _ in range(2):
        assert verifier.verify(session["access_token"]).subject == session["user"]["id"]

    # An empty key set is remembered for a while, too.
    assert [call.request.url for call in gotrue.calls] == [JWKS] + 2 * [f"{BASE_URL}/user"]


def test_an_hs256_token_that_the_server_refuses_is_refused(
    gotrue: responses.RequestsMock, verifier: TokenVerifier
) -> None:
    RECORDINGS["meta-jwks-hs256-only"].play(gotrue, "GET", "/.well-known/jwks.json")
    RECORDINGS["user-get-garbage-jwt-ver"].play(gotrue, "GET", "/user")
    forged = jwt.encode(claims(), "s" * 32, algorithm="HS256")

    with pytest.raises(TokenRefusedError, match="bad_jwt"):
        verifier.verify(forged)


def test_an_hs256_token_that_the_server_knows_as_anothers_is_refused(
    gotrue: responses.RequestsMock, verifier: TokenVerifier
) -> None:
    RECORDINGS["meta-jwks-hs256-only"].play(gotrue, "GET", "/.well-known/jwks.json")
    RECORDINGS["user-get"].play(gotrue, "GET", "/user")

    with pytest.raises(TokenRefusedError, match="another person"):
        verifier.verify(jwt.encode(claims(), "s" * 32, algorithm="HS256"))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "other"},
        {"aud": ["authenticated", "other"]},
        {"aud": None},
        {"iss": "https://evil.example/auth/v1"},
        {"iss": None},
        {"role": "service_role"},
        {"role": "anon"},
        {"role": None},
        {"is_anonymous": True},
        {"is_anonymous": None},
        {"session_id": None},
        {"session_id": "not-a-uuid"},
        {"sub": None},
        {"sub": "42"},
        {"sub": f"{SUBJECT}\n"},
        {"email": ""},
        {"email": None},
        {"email": 7},
        {"exp": None},
        {"exp": "soon"},
        {"exp": int(NOW.timestamp()) - 11},
        {"exp": 1e300},
    ],
    ids=str,
)
def test_a_well_signed_token_with_a_wrong_claim_is_refused(
    gotrue: responses.RequestsMock,
    verifier: TokenVerifier,
    key: EllipticCurvePrivateKey,
    changes: dict[str, Any],
) -> None:
    serve(gotrue, public(key, "k1"))

    with pytest.raises(TokenRefusedError):
        verifier.verify(signed(key, **changes))


def test_only_the_top_level_is_believed(
    gotrue: responses.RequestsMock, verifier: TokenVerifier, key: EllipticCurvePrivateKey
) -> None:
    serve(gotrue, public(key, "k1"))
    spoofed = {
        "email": "boss@example.com",
        "email_verified": True,
        "sub": "00000000-0000-4000-8000-000000000000",
        "role": "admin",
        "aal": "aal2",
    }

    found = verifier.verify(signed(key, user_metadata=spoofed))

    assert (found.subject, found.email) == (SUBJECT, "login@example.com")
    assert not found.has_second_factor


def test_a_second_factor_is_read_from_the_level(
    gotrue: responses.RequestsMock, verifier: TokenVerifier, key: EllipticCurvePrivateKey
) -> None:
    serve(gotrue, public(key, "k1"))

    assert verifier.verify(signed(key, aal="aal2")).has_second_factor


def test_a_token_without_a_signature_is_refused(
    gotrue: responses.RequestsMock, verifier: TokenVerifier, key: EllipticCurvePrivateKey
) -> None:
    serve(gotrue, public(key, "k1"))
    bare = jwt.encode(claims(), None, algorithm="none", headers={"kid": "k1"})

    with pytest.raises(TokenRefusedError):
        verifier.verify(bare)


def test_a_shared_secret_does_not_sign_where_keys_do(
    gotrue: responses.RequestsMock, verifier: TokenVerifier, key: EllipticCurvePrivateKey
) -> None:
    serve(gotrue, public(key, "k1"))
    # The legacy secret of a project that has moved to keys; then what is public as the secret.
    legacy = jwt.encode(claims(), "s" * 32, algorithm="HS256")
    confused = jwt.encode(claims(), public(key, "k1")["x"], "HS256", {"kid": "k1"})

    for token in (legacy, confused):
        with pytest.raises(TokenRefusedError):
            verifier.verify(token)


def test_another_key_under_a_known_id_is_refused(
    gotrue: responses.RequestsMock, verifier: TokenVerifier, key: EllipticCurvePrivateKey
) -> None:
    serve(gotrue, public(key, "k1"))

    with pytest.raises(TokenRefusedError):
        verifier.verify(signed(generate_private_key(SECP256R1()), "k1"))


def test_a_key_that_was_rotated_in_is_fetched_and_one_rotated_out_is_forgotten(
    gotrue: responses.RequestsMock, client: GoTrueClient, key: EllipticCurvePrivateKey
) -> None:
    new = generate_private_key(SECP256R1())
    keys = SigningKeys(client, unknown_key_pause_s=0)
    verifier = TokenVerifier(client, StoppedClock(), keys=keys)
    serve(gotrue, public(key, "old"))
    serve(gotrue, public(new, "new"))

    assert verifier.verify(signed(key, "old"))
    assert verifier.verify(signed(new, "new"))
    with pytest.raises(TokenRefusedError):
        verifier.verify(signed(key, "old"))


def test_unknown_key_ids_do_not_make_us_ask_each_time(
    gotrue: responses.RequestsMock, verifier: TokenVerifier, key: EllipticCurvePrivateKey
) -> None:
    serve(gotrue, public(key, "k1"))

    for number in range(20):
        with pytest.raises(TokenRefusedError):
            verifier.verify(signed(key, f"guess-{number}"))

    # Once for the first token, and once more for the first id that was not in it.
    assert len(gotrue.calls) == 2


def test_while_the_keys_cannot_be_read_nothing_is_decided(
    gotrue: responses.RequestsMock, verifier: TokenVerifier, key: EllipticCurvePrivateKey
) -> None:
    gotrue.get(JWKS, body=requests.ConnectionError("refused"))
    gotrue.get(JWKS, status=500)
    gotrue.get(JWKS, json={"keys": [{"kty": "unheard-of"}]})
    gotrue.get(JWKS, json={"something": "else"})

    for _ in range(4):
        with pytest.raises(NoAnswerError):
            verifier.verify(signed(key))


def test_known_keys_outlive_an_outage(
    gotrue: responses.RequestsMock, client: GoTrueClient, key: EllipticCurvePrivateKey
) -> None:
    keys = SigningKeys(client, unknown_key_pause_s=0)
    verifier = TokenVerifier(client, StoppedClock(), keys=keys)
    serve(gotrue, public(key, "k1"))
    verifier.verify(signed(key))
    gotrue.replace("GET", JWKS, status=500)

    with pytest.raises(NoAnswerError):
        verifier.verify(signed(key, "unknown"))
    assert verifier.verify(signed(key))


@pytest.mark.parametrize("token", ["", "a.b.c", "garbage", "é.é.é", "." * 20_000])
def test_garbage_is_refused(
    gotrue: responses.RequestsMock, verifier: TokenVerifier, token: str
) -> None:
    serve(gotrue)

    with pytest.raises(TokenRefusedError):
        verifier.verify(token)


def test_a_token_full_of_metadata_is_refused(
    gotrue: responses.RequestsMock, verifier: TokenVerifier, key: EllipticCurvePrivateKey
) -> None:
    serve(gotrue, public(key, "k1"))

    with pytest.raises(TokenRefusedError, match="too long"):
        verifier.verify(signed(key, user_metadata={"note": "x" * 300_000}))
