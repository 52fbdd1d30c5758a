"""Sessions of the project: refreshed, over, and signed out here or elsewhere."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from creditcore.domain.errors import IdentityUnavailableError, SessionEndedError
from creditcore.domain.identities import SignOutScope
from creditcore.testing.contracts.identity_house import PASSWORD, join, signed_in
from tests.integration.supabase_auth.house import ANNA, SupabaseHouse


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
