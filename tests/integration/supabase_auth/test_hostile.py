"""A server that is down, slow or broken; people who write what they like; secrets in logs."""

from __future__ import annotations

import dataclasses
import logging
import socket
from collections.abc import Callable

import orjson
import pytest

from adapters.supabase_auth import ApiKey, GoTrueClient, SupabaseIdentityProvider
from creditcore.domain.errors import IdentityUnavailableError, SessionEndedError
from creditcore.domain.identities import Grant, LinkKind, Method
from creditcore.system import SystemClock
from creditcore.testing.contracts.identity_house import OTHER_PASSWORD, PASSWORD, join, signed_in
from creditcore.testing.memory import MemoryTransactions
from tests.integration.supabase_auth.house import ANNA, SupabaseHouse
from tests.integration.supabase_sandbox.project import PUBLISHABLE_KEY, SECRET_KEY, SITE

HASH = "0" * 56
VERIFIER = b"v" * 64
CODE = {"code": "11111111-1111-4111-8111-111111111111"}

Act = Callable[[SupabaseIdentityProvider, Grant], object]

CALLS: dict[str, tuple[str, Act]] = {
    "sign up": ("signup", lambda provider, _: provider.sign_up("new@example.com", PASSWORD)),
    "sign in": ("token", lambda provider, _: provider.sign_in(ANNA, PASSWORD)),
    "refresh": ("token", lambda provider, grant: provider.refresh(grant)),
    "check": ("user", lambda provider, grant: provider.check(grant)),
    "redeem": ("verify", lambda provider, _: provider.redeem(LinkKind.SIGN_UP, HASH)),
    "change of address": ("verify", lambda provider, _: provider.confirm_email_change(HASH)),
    "new address": ("user", lambda provider, grant: provider.begin_email_change(grant, "x@y.zz")),
    "recovery": ("user", lambda provider, grant: provider.complete_recovery(grant, OTHER_PASSWORD)),
    "exchange": ("token", lambda provider, _: provider.complete_oauth(VERIFIER, CODE)),
    "second factor": ("user", lambda provider, grant: provider.begin_second_factor(grant)),
    "password": ("user", lambda provider, grant: provider.reauthenticate(grant, PASSWORD)),
}


@pytest.mark.parametrize(
    "fault",
    [
        # With a header, it also stands for an address that was taken meanwhile.
        {"code": "unexpected_failure", "bare": True},
        {"code": "request_timeout"},
        {"drop": True},
        {"hang": True},
        {"html": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", CALLS)
def test_a_broken_server_is_unavailable_and_its_words_are_not_passed_on(
    house: SupabaseHouse,
    caplog: pytest.LogCaptureFixture,
    name: str,
    fault: dict[str, object],
) -> None:
    endpoint, act = CALLS[name]
    grant = join(house, ANNA).grant
    provider = impatient(house.project.url)
    house.project.fault(endpoint, times=2, **fault)

    with pytest.raises(IdentityUnavailableError) as error:
        act(provider, grant)

    said = f"{error.value} {error.value.__cause__} {caplog.text}"
    assert not any(word in said for word in ("10.1.2.3", "goroutine", "Bad Gateway", PASSWORD))


@pytest.mark.parametrize("name", CALLS)
def test_a_server_that_is_down_signs_no_person_out(house: SupabaseHouse, name: str) -> None:
    grant = join(house, ANNA).grant
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = impatient(f"http://127.0.0.1:{closed.getsockname()[1]}")

        with pytest.raises(IdentityUnavailableError):
            CALLS[name][1](nowhere, grant)

    assert house.provider.check(grant).email == ANNA


def impatient(url: str) -> SupabaseIdentityProvider:
    client = GoTrueClient(url, ApiKey(PUBLISHABLE_KEY), connect_timeout_s=2, read_timeout_s=1)
    return SupabaseIdentityProvider(client, SystemClock(), MemoryTransactions(), base_url=SITE)


def access_token(grant: Grant) -> str:
    return str(orjson.loads(grant.secret)[0])


def write_metadata(house: SupabaseHouse, grant: Grant, data: dict[str, object]) -> None:
    """Write what anybody may write with their own token, past us."""
    answer = house.project.ask("PUT", "/user", {"data": data}, token=access_token(grant))
    assert answer.status_code == 200


def test_what_people_write_about_themselves_is_not_believed(house: SupabaseHouse) -> None:
    joined = join(house, ANNA)
    boss = {
        "email": "boss@example.com",
        "email_verified": True,
        "sub": "00000000-0000-4000-8000-000000000000",
        "role": "admin",
        "new_email": "boss@example.com",
        "factors": [],
    }
    write_metadata(house, joined.grant, boss)

    after = house.provider.refresh(joined.grant)

    assert after.identity == joined.identity
    assert house.provider.check(after.grant) == joined.identity
    assert signed_in(house.provider.sign_in(ANNA, PASSWORD)).identity == joined.identity


def test_a_token_full_of_metadata_ends_the_session(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant
    write_metadata(house, grant, {"note": "x" * 300_000})

    with pytest.raises(SessionEndedError):
        house.provider.refresh(grant)
    with pytest.raises(IdentityUnavailableError):
        house.provider.sign_in(ANNA, PASSWORD)


def test_tokens_of_another_issuer_let_no_person_in(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant
    house.project.set(issuer="https://other.supabase.co/auth/v1")

    with pytest.raises(SessionEndedError):
        house.provider.refresh(grant)
    with pytest.raises(IdentityUnavailableError):
        house.provider.sign_in(ANNA, PASSWORD)


def test_a_refresh_that_brings_anothers_session_is_refused(house: SupabaseHouse) -> None:
    anna = join(house, ANNA).grant
    eve = join(house, "eve@example.com").grant
    mixed = dataclasses.replace(anna, secret=eve.secret)

    with pytest.raises(SessionEndedError):
        house.provider.refresh(mixed)
    with pytest.raises(SessionEndedError):
        house.provider.check(mixed)


def test_keys_may_be_rotated_while_people_sign_in(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant

    house.project.control("POST", "/keys", act="rotate")

    # Both keys are in the set that is known already.
    assert house.provider.refresh(grant).identity.email == ANNA


def test_a_new_key_that_we_do_not_know_yet_signs_no_person_out(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant
    # A key that was in no set before signs at once; then so does another, while ours is fresh.
    sign_with_a_new_key(house)
    grant = house.provider.refresh(grant).grant
    sign_with_a_new_key(house)

    with pytest.raises(IdentityUnavailableError):
        house.provider.refresh(grant)

    other = impatient(house.project.url)
    assert other.refresh(grant).identity.email == ANNA


def sign_with_a_new_key(house: SupabaseHouse) -> None:
    house.project.control("POST", "/keys", act="revoke")
    house.project.control("POST", "/keys", act="rotate")


def test_nothing_that_visitors_do_uses_the_secret_key(house: SupabaseHouse) -> None:
    grant = join(house, ANNA).grant
    house.provider.sign_in(ANNA, PASSWORD)
    house.provider.begin_recovery(ANNA)
    house.provider.change_password(grant, OTHER_PASSWORD, current=PASSWORD)
    house.provider.begin_oauth(Method.GOOGLE, return_url=f"{SITE}/auth/callback")

    calls = [
        call
        for call in house.project.control("GET", "/calls")
        if call["headers"].get("User-Agent") == "creditcore"
    ]

    assert len(calls) > 5
    assert {call["headers"]["Apikey"] for call in calls} == {PUBLISHABLE_KEY}
    assert {call["headers"]["X-Supabase-Api-Version"] for call in calls} == {"2024-01-01"}
    assert not any(SECRET_KEY in str(call) for call in calls)


def test_no_secret_is_logged(house: SupabaseHouse, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    joined = join(house, ANNA)
    house.project.fault("token", code="unexpected_failure")
    with pytest.raises(IdentityUnavailableError):
        house.provider.refresh(joined.grant)
    house.project.fault("user", drop=True)
    with pytest.raises(IdentityUnavailableError):
        house.provider.check(joined.grant)
    write_metadata(house, joined.grant, {"note": "x" * 300_000})
    with pytest.raises(SessionEndedError):
        house.provider.refresh(joined.grant)

    secrets = [*orjson.loads(joined.grant.secret), PASSWORD, SECRET_KEY, PUBLISHABLE_KEY, ANNA]
    logged = [text for text in caplog.messages if "/control/" not in text]
    assert any("token" in text for text in logged)
    assert not any(secret in text for text in logged for secret in secrets)
    assert not any(secret in repr(joined) for secret in secrets[:3])


def test_a_refused_api_key_is_said_to_the_operator(
    house: SupabaseHouse, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = SupabaseIdentityProvider(
        GoTrueClient(house.project.url, ApiKey("sb_publishable_of_another")),
        SystemClock(),
        MemoryTransactions(),
        base_url=SITE,
    )

    with pytest.raises(IdentityUnavailableError):
        stranger.sign_in(ANNA, PASSWORD)

    assert "401" in caplog.text
