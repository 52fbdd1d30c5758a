"""Google and GitHub are connected to an account that is there, and disconnected."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from creditcore.domain.errors import (
    IdentityUnavailableError,
    InvalidRequestError,
    NotOfferedError,
    OAuthFailedError,
    SessionEndedError,
)
from creditcore.domain.identities import Capability, Grant, Method, OAuthFailure, SignedIn, SignIn
from creditcore.testing.contracts.identity_house import join, signed_in
from tests.integration.supabase_auth.house import ANNA, CALLBACK, SupabaseHouse


def walk(house: SupabaseHouse, link_to: Grant | None, email: str, act: str = "approve") -> SignIn:
    """Walk to the provider and back."""
    flow = house.provider.begin_oauth(Method.GITHUB, return_url=CALLBACK, link_to=link_to)
    back = house.project.consent(flow.url, act, email)
    return house.provider.complete_oauth(flow.secret, dict(parse_qsl(urlsplit(back).query)))


def test_an_account_of_another_address_is_connected(house: SupabaseHouse) -> None:
    anna = join(house, ANNA)

    came_back = signed_in(walk(house, anna.grant, "octo@elsewhere.example"))

    assert came_back.identity.subject == anna.identity.subject
    assert house.provider.check(anna.grant).methods == {Method.PASSWORD, Method.GITHUB}
    assert house.provider.check(anna.grant).email == ANNA
    later = signed_in(walk(house, None, "octo@elsewhere.example"))
    assert later.identity.subject == anna.identity.subject


def test_the_token_of_the_session_never_reaches_the_browser(house: SupabaseHouse) -> None:
    anna = join(house, ANNA)

    flow = house.provider.begin_oauth(Method.GITHUB, return_url=CALLBACK, link_to=anna.grant)

    access = anna.grant.secret.decode().split('"')[1]
    assert access not in flow.url
    assert flow.secret.decode() not in flow.url


def test_an_account_that_is_anothers_is_not_connected(house: SupabaseHouse) -> None:
    other = signed_in(walk(house, None, "octo@elsewhere.example"))
    anna = join(house, ANNA)

    with pytest.raises(OAuthFailedError) as failed:
        walk(house, anna.grant, "octo@elsewhere.example")

    assert failed.value.reason is OAuthFailure.ALREADY_LINKED
    assert house.provider.check(anna.grant).methods == {Method.PASSWORD}
    assert house.provider.check(other.grant).subject == other.identity.subject


def test_who_cancels_there_is_as_before(house: SupabaseHouse) -> None:
    anna = join(house, ANNA)

    with pytest.raises(OAuthFailedError) as failed:
        walk(house, anna.grant, "octo@elsewhere.example", "cancel")

    assert failed.value.reason is OAuthFailure.CANCELLED
    assert house.provider.check(anna.grant).methods == {Method.PASSWORD}


def test_what_was_connected_is_disconnected(house: SupabaseHouse) -> None:
    anna = join(house, ANNA)
    walk(house, anna.grant, "octo@elsewhere.example")

    after = house.provider.unlink(anna.grant, Method.GITHUB)

    assert after.methods == {Method.PASSWORD}
    other = signed_in(walk(house, None, "octo@elsewhere.example"))
    assert other.identity.subject != anna.identity.subject


def test_the_only_way_in_stays(house: SupabaseHouse) -> None:
    outcome = walk(house, None, "octo@elsewhere.example")
    assert isinstance(outcome, SignedIn)

    with pytest.raises(InvalidRequestError, match="only way in"):
        house.provider.unlink(outcome.grant, Method.GITHUB)

    assert house.provider.check(outcome.grant).methods == {Method.GITHUB}


@pytest.mark.parametrize("method", [Method.GOOGLE, Method.PASSWORD])
def test_what_is_not_connected_cannot_be_disconnected(house: SupabaseHouse, method: Method) -> None:
    anna = join(house, ANNA)

    with pytest.raises(InvalidRequestError) as refused:
        house.provider.unlink(anna.grant, method)

    assert refused.value.param == "connected"


def test_a_project_that_has_it_off_does_not_offer_it_after_all(
    house: SupabaseHouse, caplog: pytest.LogCaptureFixture
) -> None:
    anna = join(house, ANNA)
    house.project.set(manual_linking=False)

    with pytest.raises(NotOfferedError):
        house.provider.begin_oauth(Method.GITHUB, return_url=CALLBACK, link_to=anna.grant)

    assert Capability.LINKING in house.provider.capabilities
    assert "manual linking is off" in caplog.text


def test_a_session_that_is_over_connects_nothing(house: SupabaseHouse) -> None:
    anna = join(house, ANNA)
    house.operators.ban(anna.identity.subject)

    with pytest.raises(SessionEndedError):
        house.provider.begin_oauth(Method.GITHUB, return_url=CALLBACK, link_to=anna.grant)
    with pytest.raises(SessionEndedError):
        house.provider.unlink(anna.grant, Method.GITHUB)


def test_a_server_that_is_down_connects_nothing(house: SupabaseHouse) -> None:
    anna = join(house, ANNA)
    house.project.fault("identities", drop=True)

    with pytest.raises(IdentityUnavailableError):
        house.provider.begin_oauth(Method.GITHUB, return_url=CALLBACK, link_to=anna.grant)
