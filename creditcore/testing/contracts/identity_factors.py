"""What providers of identity promise of second factors, and of Google and GitHub."""

from __future__ import annotations

from datetime import timedelta

import pytest

from creditcore.domain.errors import (
    CodeRefusedError,
    InvalidRequestError,
    NotOfferedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import Capability, Method, NeedsSecondFactor, SignedIn
from creditcore.testing.contracts.identity_house import (
    PASSWORD,
    IdentityHouse,
    an_email,
    another,
    enrol,
    join,
    offers,
    recovered,
    signed_in,
    totp,
)


class FactorsContract:
    """A subclass provides the ``house`` fixture."""

    def test_a_second_factor_is_asked_for(self, house: IdentityHouse) -> None:
        email = an_email()
        joined = join(house, email)
        if not offers(house, Capability.SECOND_FACTOR):
            with pytest.raises(NotOfferedError):
                house.provider.begin_second_factor(joined.grant)
            return

        enrolment = house.provider.begin_second_factor(joined.grant)
        code = totp(enrolment.secret, house.now())
        with pytest.raises(CodeRefusedError):
            house.provider.confirm_second_factor(joined.grant, enrolment.id, another(code))
        untouched = house.provider.sign_in(email, PASSWORD)
        enrolled = house.provider.confirm_second_factor(joined.grant, enrolment.id, code)
        asked = house.provider.sign_in(email, PASSWORD)

        assert enrolment.uri.startswith("otpauth://totp/")
        assert isinstance(untouched, SignedIn)
        assert house.provider.check(enrolled.grant).second_factor
        assert isinstance(asked, NeedsSecondFactor)
        with pytest.raises(CodeRefusedError):
            house.provider.verify_second_factor(asked.grant, "000000x")

    def test_a_code_completes_the_sign_in(self, house: IdentityHouse) -> None:
        if not offers(house, Capability.SECOND_FACTOR):
            return
        email = an_email()
        secret, _ = enrol(house, email)
        asked = house.provider.sign_in(email, PASSWORD)
        assert isinstance(asked, NeedsSecondFactor)

        # The last code may count as used; the next one is accepted a little early.
        ahead = totp(secret, house.now() + timedelta(seconds=30))
        inside = house.provider.verify_second_factor(asked.grant, ahead)

        assert inside.identity.email == email
        removed = house.provider.remove_second_factor(inside.grant)
        assert not removed.identity.second_factor
        signed_in(house.provider.sign_in(email, PASSWORD))

    def test_a_recovery_code_works_once(self, house: IdentityHouse) -> None:
        if not offers(house, Capability.RECOVERY_CODES):
            return
        email = an_email()
        _, codes = enrol(house, email)
        asked = house.provider.sign_in(email, PASSWORD)
        assert isinstance(asked, NeedsSecondFactor)

        inside = house.provider.redeem_recovery_code(asked.grant, f" {codes[3].upper()} ")
        with pytest.raises(CodeRefusedError):
            house.provider.redeem_recovery_code(asked.grant, codes[3])
        newer = house.provider.renew_recovery_codes(inside.grant)
        with pytest.raises(CodeRefusedError):
            house.provider.redeem_recovery_code(asked.grant, codes[4])

        assert len(set(codes)) == len(set(newer)) == 10
        assert not set(codes) & set(newer)

    def test_recovery_codes_cannot_be_guessed(self, house: IdentityHouse) -> None:
        if not offers(house, Capability.RECOVERY_CODES):
            return
        email = an_email()
        _, codes = enrol(house, email)
        asked = house.provider.sign_in(email, PASSWORD)
        assert isinstance(asked, NeedsSecondFactor)

        for number in range(5):
            with pytest.raises(CodeRefusedError):
                house.provider.redeem_recovery_code(asked.grant, f"abcd-efgh-jkm{number}")
        with pytest.raises(TooManyAttemptsError):
            house.provider.redeem_recovery_code(asked.grant, codes[0])

    def test_a_recovery_link_does_not_go_round_the_second_factor(
        self, house: IdentityHouse
    ) -> None:
        if not offers(house, Capability.SECOND_FACTOR) or not offers(house, Capability.RECOVERY):
            return
        email = an_email()
        enrol(house, email)

        assert isinstance(recovered(house, email), NeedsSecondFactor)

    # -- Google and GitHub --------------------------------------------------------------

    @pytest.mark.parametrize(
        ("method", "capability"),
        [(Method.GOOGLE, Capability.GOOGLE), (Method.GITHUB, Capability.GITHUB)],
    )
    def test_another_sign_in_begins_with_an_address_to_go_to(
        self, house: IdentityHouse, method: Method, capability: Capability
    ) -> None:
        return_url = "http://127.0.0.1:8000/auth/callback"
        if not offers(house, capability):
            with pytest.raises(NotOfferedError):
                house.provider.begin_oauth(method, return_url=return_url)
            return

        one = house.provider.begin_oauth(method, return_url=return_url)
        two = house.provider.begin_oauth(method, return_url=return_url)

        assert one.url.startswith("http")
        assert one.secret != two.secret
        assert one.secret.decode() not in one.url

    def test_other_accounts_are_connected_where_that_is_offered(self, house: IdentityHouse) -> None:
        grant = join(house, an_email()).grant
        return_url = "http://127.0.0.1:8000/auth/callback"
        if not offers(house, Capability.LINKING):
            with pytest.raises(NotOfferedError):
                house.provider.begin_oauth(Method.GOOGLE, return_url=return_url, link_to=grant)
            with pytest.raises(NotOfferedError):
                house.provider.unlink(grant, Method.GOOGLE)
            return

        flow = house.provider.begin_oauth(Method.GOOGLE, return_url=return_url, link_to=grant)

        assert flow.url.startswith("http")
        with pytest.raises(InvalidRequestError):
            house.provider.unlink(grant, Method.GOOGLE)
