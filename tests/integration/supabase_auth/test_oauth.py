"""Google and GitHub: the way there and back counts once, in the browser that began it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from creditcore.domain.errors import BadCredentialsError, NotOfferedError, OAuthFailedError
from creditcore.domain.identities import Capability, Method, OAuthFailure, SignedIn
from creditcore.testing.contracts.identity_house import PASSWORD, join, signed_in
from tests.integration.supabase_auth.house import ANNA, CALLBACK, SupabaseHouse, outcomes

RACE_S = 0.3


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
