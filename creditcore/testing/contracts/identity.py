"""What every provider of identity promises, whoever keeps the accounts."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from datetime import datetime, timedelta
from typing import Protocol

import pytest

from creditcore.domain.errors import (
    BadCredentialsError,
    CodeRefusedError,
    EmailTakenError,
    InvalidRequestError,
    LinkRefusedError,
    NotOfferedError,
    PersonNotFoundError,
    SessionEndedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import (
    MAX_GRANT_BYTES,
    Capability,
    LinkKind,
    Method,
    NeedsConfirmation,
    NeedsSecondFactor,
    SignedIn,
    SignIn,
    SignOutScope,
)
from creditcore.ports.identity import IdentityOperators, IdentityProvider

PASSWORD = "violet anchor kettle 93"
OTHER_PASSWORD = "another teapot of brass"


class IdentityHouse(Protocol):
    """A provider without accounts, with what a test needs around it."""

    @property
    def provider(self) -> IdentityProvider:
        """What is tested."""

    @property
    def operators(self) -> IdentityOperators:
        """Its other side."""

    def token(self, email: str, kind: LinkKind) -> str | None:
        """Return what the newest link of a kind that was mailed there carries, if there is one."""

    def now(self) -> datetime:
        """Return the time by which codes of an authenticator app are checked."""


def an_email() -> str:
    """Return an address that nobody has."""
    return f"amina-{secrets.token_hex(6)}@mail.example.com"


def totp(secret: str, at: datetime) -> str:
    """Return the code that an authenticator app shows (RFC 6238: SHA-1, six digits, 30 s)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(at.timestamp()) // 30), "sha1")
    number = struct.unpack(">I", digest[(at_byte := digest[-1] & 15) : at_byte + 4])[0]
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def another(code: str) -> str:
    """Return a code that is not this one, nor a neighbour of it but by bad luck."""
    return f"{(int(code) + 123_457) % 1_000_000:06d}"


def signed_in(outcome: SignIn) -> SignedIn:
    """Return the outcome as what it has to be."""
    assert isinstance(outcome, SignedIn), outcome
    return outcome


def offers(house: IdentityHouse, capability: Capability) -> bool:
    """Whether this can be done there."""
    return capability in house.provider.capabilities


def join(house: IdentityHouse, email: str, password: str = PASSWORD) -> SignedIn:
    """Make an account, confirmed."""
    outcome = house.provider.sign_up(email, password)
    if not isinstance(outcome, NeedsConfirmation):
        return signed_in(outcome)
    token = house.token(outcome.email, LinkKind.SIGN_UP)
    assert token
    return signed_in(house.provider.redeem(LinkKind.SIGN_UP, token))


def recovered(house: IdentityHouse, email: str) -> SignIn:
    """Ask for a recovery and open its link."""
    house.provider.begin_recovery(email)
    token = house.token(email, LinkKind.RECOVERY)
    assert token
    return house.provider.redeem(LinkKind.RECOVERY, token)


class IdentityContract:
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
    def test_a_link_that_nobody_mailed_opens_nothing(
        self, house: IdentityHouse, kind: LinkKind, token: str
    ) -> None:
        with pytest.raises(LinkRefusedError):
            if kind is LinkKind.EMAIL_CHANGE:
                house.provider.confirm_email_change(token)
            else:
                house.provider.redeem(kind, token)

    def test_nobody_learns_from_asking_for_mail(self, house: IdentityHouse) -> None:
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

    # -- second factor -----------------------------------------------------------------

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
        secret, _ = self._enrol(house, email)
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
        _, codes = self._enrol(house, email)
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
        _, codes = self._enrol(house, email)
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
        self._enrol(house, email)

        assert isinstance(recovered(house, email), NeedsSecondFactor)

    def _enrol(self, house: IdentityHouse, email: str) -> tuple[str, tuple[str, ...]]:
        joined = join(house, email)
        enrolment = house.provider.begin_second_factor(joined.grant)
        enrolled = house.provider.confirm_second_factor(
            joined.grant, enrolment.id, totp(enrolment.secret, house.now())
        )
        return enrolment.secret, enrolled.recovery_codes

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

    # -- operators ---------------------------------------------------------------------

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

    def test_a_banned_account_lets_nobody_in(self, house: IdentityHouse) -> None:
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
        self._enrol(house, email)
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

    def test_nobody_of_an_id_cannot_be_changed(self, house: IdentityHouse) -> None:
        nobody = "00000000-0000-4000-8000-00000000dead"

        with pytest.raises(PersonNotFoundError):
            house.operators.ban(nobody)
        with pytest.raises(PersonNotFoundError):
            house.operators.unban(nobody)
        with pytest.raises(PersonNotFoundError):
            house.operators.set_password(nobody, PASSWORD)
        with pytest.raises(PersonNotFoundError):
            house.operators.remove_second_factor(nobody)
