"""Codes of an app: each counts once, and wrong ones are bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from creditcore.domain.errors import CodeRefusedError, InvalidRequestError, TooManyAttemptsError
from creditcore.domain.identities import NeedsSecondFactor, SignedIn
from creditcore.testing.contracts.identity_house import PASSWORD, join
from tests.integration.supabase_auth.house import ANNA, SupabaseHouse, outcomes


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
