"""What providers of identity promise their operators."""

from __future__ import annotations

import pytest

from creditcore.domain.errors import (
    BadCredentialsError,
    EmailTakenError,
    NotOfferedError,
    PersonNotFoundError,
    SessionEndedError,
)
from creditcore.domain.identities import Capability, LinkKind
from creditcore.testing.contracts.identity_house import (
    OTHER_PASSWORD,
    PASSWORD,
    IdentityHouse,
    an_email,
    enrol,
    join,
    offers,
    signed_in,
)


class IdentityOperatorsContract:
    """A subclass provides the ``house`` fixture."""

    def test_operators_make_accounts(self, house: IdentityHouse) -> None:
        email = an_email()
        made = house.operators.create(email, PASSWORD, confirmed=True)

        with pytest.raises(EmailTakenError):
            house.operators.create(email, OTHER_PASSWORD, confirmed=True)

        found = house.operators.find(email)
        assert found
        assert found.subject == made.subject
        assert house.operators.find(an_email()) is None
        back = signed_in(house.provider.sign_in(email, PASSWORD))
        assert back.identity.subject == made.subject

    def test_who_is_invited_chooses_a_password(self, house: IdentityHouse) -> None:
        email = an_email()
        if not offers(house, Capability.INVITATION):
            with pytest.raises(NotOfferedError):
                house.operators.invite(email)
            return

        invited = house.operators.invite(email)
        token = house.token(email, LinkKind.INVITE)
        assert token
        link = signed_in(house.provider.redeem(LinkKind.INVITE, token))
        house.provider.complete_recovery(link.grant, PASSWORD)

        back = signed_in(house.provider.sign_in(email, PASSWORD))
        assert back.identity.subject == invited.subject

    def test_a_banned_account_stays_closed(self, house: IdentityHouse) -> None:
        email = an_email()
        joined = join(house, email)

        house.operators.ban(joined.identity.subject)
        with pytest.raises(BadCredentialsError):
            house.provider.sign_in(email, PASSWORD)
        with pytest.raises(SessionEndedError):
            house.provider.check(joined.grant)
        house.operators.unban(joined.identity.subject)

        signed_in(house.provider.sign_in(email, PASSWORD))

    def test_an_operator_sets_a_password(self, house: IdentityHouse) -> None:
        email = an_email()
        joined = join(house, email)

        house.operators.set_password(joined.identity.subject, OTHER_PASSWORD)

        signed_in(house.provider.sign_in(email, OTHER_PASSWORD))
        with pytest.raises(SessionEndedError):
            house.provider.check(joined.grant)

    def test_an_operator_removes_a_lost_second_factor(self, house: IdentityHouse) -> None:
        if not offers(house, Capability.SECOND_FACTOR):
            return
        email = an_email()
        enrol(house, email)
        found = house.operators.find(email)
        assert found

        assert house.operators.remove_second_factor(found.subject)
        assert not house.operators.remove_second_factor(found.subject)

        signed_in(house.provider.sign_in(email, PASSWORD))

    def test_a_deleted_account_is_gone(self, house: IdentityHouse) -> None:
        email = an_email()
        joined = join(house, email)

        house.operators.delete(joined.identity.subject)
        house.operators.delete(joined.identity.subject)

        with pytest.raises(BadCredentialsError):
            house.provider.sign_in(email, PASSWORD)
        with pytest.raises(SessionEndedError):
            house.provider.check(joined.grant)
        assert join(house, email).identity.subject != joined.identity.subject

    def test_an_unknown_person_cannot_be_changed(self, house: IdentityHouse) -> None:
        unknown = "00000000-0000-4000-8000-00000000dead"

        with pytest.raises(PersonNotFoundError):
            house.operators.ban(unknown)
        with pytest.raises(PersonNotFoundError):
            house.operators.unban(unknown)
        with pytest.raises(PersonNotFoundError):
            house.operators.set_password(unknown, PASSWORD)
        with pytest.raises(PersonNotFoundError):
            house.operators.remove_second_factor(unknown)
