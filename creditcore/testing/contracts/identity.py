"""What every provider of identity promises, wherever the accounts are kept."""

from __future__ import annotations

import pytest

from creditcore.domain.errors import (
    BadCredentialsError,
    EmailTakenError,
    InvalidRequestError,
    LinkRefusedError,
    NotOfferedError,
)
from creditcore.domain.identities import (
    MAX_GRANT_BYTES,
    Capability,
    LinkKind,
    Method,
    NeedsConfirmation,
    SignOutScope,
)
from creditcore.testing.contracts.identity_factors import FactorsContract
from creditcore.testing.contracts.identity_house import (
    OTHER_PASSWORD,
    PASSWORD,
    IdentityHouse,
    an_email,
    join,
    offers,
    recovered,
    signed_in,
)
from creditcore.testing.contracts.identity_operators import IdentityOperatorsContract


class IdentityContract(FactorsContract, IdentityOperatorsContract):
    """A subclass provides the ``house`` fixture."""

    # -- joining -----------------------------------------------------------------------

    def test_who_joined_can_sign_in(self, house: IdentityHouse) -> None:
        email = an_email()
        joined = join(house, email)

        back = signed_in(house.provider.sign_in(email, PASSWORD))

        assert back.identity.subject == joined.identity.subject == back.grant.subject
        assert back.identity.email == email
        assert back.identity.email_verified
        assert Method.PASSWORD in back.identity.methods
        assert not back.identity.second_factor
        assert len(back.grant.secret) <= MAX_GRANT_BYTES

    def test_an_address_is_one_however_it_is_typed(self, house: IdentityHouse) -> None:
        email = an_email()
        joined = join(house, f" {email.upper()} ")

        back = signed_in(house.provider.sign_in(f"  {email.title()}", PASSWORD))

        assert joined.identity.email == email
        assert back.identity.subject == joined.identity.subject

    def test_a_new_account_waits_to_be_confirmed(self, house: IdentityHouse) -> None:
        email = an_email()
        outcome = house.provider.sign_up(email, PASSWORD, next_path="/dashboard/keys")

        if offers(house, Capability.CONFIRMATION):
            assert outcome == NeedsConfirmation(email=email)
            waiting = house.provider.sign_in(email, PASSWORD)
            assert waiting == NeedsConfirmation(email=email)
            with pytest.raises(BadCredentialsError):
                house.provider.sign_in(email, OTHER_PASSWORD)
        else:
            assert signed_in(outcome).identity.email_verified

    def test_a_taken_address_answers_as_a_free_one(self, house: IdentityHouse) -> None:
        email = an_email()
        join(house, email)

        if offers(house, Capability.CONFIRMATION):
            again = house.provider.sign_up(email, OTHER_PASSWORD)
            assert again == NeedsConfirmation(email=email)
        else:
            with pytest.raises(EmailTakenError):
                house.provider.sign_up(email, OTHER_PASSWORD)

        signed_in(house.provider.sign_in(email, PASSWORD))
        with pytest.raises(BadCredentialsError):
            house.provider.sign_in(email, OTHER_PASSWORD)

    def test_a_link_confirms_once(self, house: IdentityHouse) -> None:
        if not offers(house, Capability.CONFIRMATION):
            with pytest.raises(LinkRefusedError):
                house.provider.redeem(LinkKind.SIGN_UP, "no-such-token")
            return
        email = an_email()
        house.provider.sign_up(email, PASSWORD)
        token = house.token(email, LinkKind.SIGN_UP)
        assert token

        first = signed_in(house.provider.redeem(LinkKind.SIGN_UP, token))
        with pytest.raises(LinkRefusedError):
            house.provider.redeem(LinkKind.SIGN_UP, token)

        assert first.identity.email_verified

    @pytest.mark.parametrize("kind", LinkKind)
    @pytest.mark.parametrize("token", ["", "x", "no-such-token-0123456789", "é", "x" * 9000])
    def test_a_link_that_was_not_mailed_opens_nothing(
        self, house: IdentityHouse, kind: LinkKind, token: str
    ) -> None:
        with pytest.raises(LinkRefusedError):
            if kind is LinkKind.EMAIL_CHANGE:
                house.provider.confirm_email_change(token)
            else:
                house.provider.redeem(kind, token)

    def test_asking_for_mail_tells_a_visitor_nothing(self, house: IdentityHouse) -> None:
        email = an_email()

        for _ in range(2):
            house.provider.resend_confirmation(email)
            if offers(house, Capability.RECOVERY):
                house.provider.begin_recovery(email)

        assert house.token(email, LinkKind.SIGN_UP) is None
        assert house.token(email, LinkKind.RECOVERY) is None

    @pytest.mark.parametrize("email", ["", "nobody", "a b@example.com", "a@b@example.com"])
    def test_what_is_no_address_is_refused(self, house: IdentityHouse, email: str) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            house.provider.sign_up(email, PASSWORD)
        with pytest.raises(InvalidRequestError):
            house.provider.begin_recovery(email)

        assert refused.value.param == "email"

    @pytest.mark.parametrize("password", ["", "short", "x" * 300])
    def test_a_weak_password_is_refused(self, house: IdentityHouse, password: str) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            house.provider.sign_up(an_email(), password)

        assert refused.value.param == "password"

    # -- getting in and out ------------------------------------------------------------

    @pytest.mark.parametrize("password", ["", OTHER_PASSWORD, "x" * 300, "a\0b", "\ud800"])
    def test_a_wrong_password_and_an_unknown_address_are_one_error(
        self, house: IdentityHouse, password: str
    ) -> None:
        email = an_email()
        join(house, email)

        for tried in (email, an_email(), "nobody", ""):
            with pytest.raises(BadCredentialsError):
                house.provider.sign_in(tried, password)

    def test_a_session_goes_on_by_refreshing(self, house: IdentityHouse) -> None:
        joined = join(house, an_email())

        newer = house.provider.refresh(joined.grant)

        assert newer.identity.subject == joined.identity.subject
        assert newer.grant.session_id == joined.grant.session_id
        assert house.provider.check(newer.grant).subject == joined.identity.subject

    def test_signing_out_everywhere_leaves_nothing(self, house: IdentityHouse) -> None:
        email = an_email()
        here = join(house, email)

        house.provider.sign_out(here.grant, SignOutScope.THIS)
        house.provider.sign_out(here.grant, SignOutScope.ALL)

        signed_in(house.provider.sign_in(email, PASSWORD))

    def test_stepping_up_asks_for_the_password_again(self, house: IdentityHouse) -> None:
        joined = join(house, an_email())

        house.provider.reauthenticate(joined.grant, PASSWORD)
        with pytest.raises(BadCredentialsError):
            house.provider.reauthenticate(joined.grant, OTHER_PASSWORD)

        assert house.provider.check(joined.grant).subject == joined.identity.subject

    # -- password ----------------------------------------------------------------------

    def test_a_password_is_changed_by_who_knows_it(self, house: IdentityHouse) -> None:
        email = an_email()
        joined = join(house, email)

        after = house.provider.change_password(joined.grant, OTHER_PASSWORD, current=PASSWORD)

        assert house.provider.check(after.grant).subject == joined.identity.subject
        signed_in(house.provider.sign_in(email, OTHER_PASSWORD))
        with pytest.raises(BadCredentialsError):
            house.provider.sign_in(email, PASSWORD)

    def test_a_new_password_is_no_weaker(self, house: IdentityHouse) -> None:
        email = an_email()
        joined = join(house, email)

        with pytest.raises(InvalidRequestError) as refused:
            house.provider.change_password(joined.grant, "short", current=PASSWORD)

        assert refused.value.param == "password"
        signed_in(house.provider.sign_in(email, PASSWORD))

    def test_who_forgot_the_password_gets_a_new_one(self, house: IdentityHouse) -> None:
        email = an_email()
        joined = join(house, email)
        if not offers(house, Capability.RECOVERY):
            with pytest.raises(NotOfferedError):
                house.provider.begin_recovery(email)
            return

        link = signed_in(recovered(house, email))
        after = house.provider.complete_recovery(link.grant, OTHER_PASSWORD)

        assert after.identity.subject == joined.identity.subject
        signed_in(house.provider.sign_in(email, OTHER_PASSWORD))
        with pytest.raises(BadCredentialsError):
            house.provider.sign_in(email, PASSWORD)

    def test_a_link_is_for_its_own_kind(self, house: IdentityHouse) -> None:
        if not offers(house, Capability.RECOVERY):
            return
        email = an_email()
        join(house, email)
        house.provider.begin_recovery(email)
        token = house.token(email, LinkKind.RECOVERY)
        assert token

        with pytest.raises(LinkRefusedError):
            house.provider.confirm_email_change(token)

    # -- address -----------------------------------------------------------------------

    def test_an_address_changes_when_the_new_one_is_confirmed(self, house: IdentityHouse) -> None:
        email, new = an_email(), an_email()
        joined = join(house, email)
        if not offers(house, Capability.EMAIL_CHANGE):
            with pytest.raises(NotOfferedError):
                house.provider.begin_email_change(joined.grant, new)
            return

        house.provider.begin_email_change(joined.grant, new)
        before = house.provider.check(joined.grant)
        # Some providers want both addresses to confirm.
        outcomes = [
            house.provider.confirm_email_change(token)
            for address in (email, new)
            if (token := house.token(address, LinkKind.EMAIL_CHANGE))
        ]

        assert before.email == email
        assert outcomes[-1] is not None
        assert outcomes[-1].email == new
        assert signed_in(house.provider.sign_in(new, PASSWORD)).identity.email == new
        with pytest.raises(BadCredentialsError):
            house.provider.sign_in(email, PASSWORD)
