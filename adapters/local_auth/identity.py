"""People recognised by what our own database keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from adapters.local_auth.account import (
    Account,
    account_of_link,
    first_factor_shown,
    grant_of,
    identity_of,
    signed_in,
    with_password,
)
from adapters.local_auth.outbox import request_link, request_notice
from adapters.local_auth.passwords import Passwords
from adapters.local_auth.second_factor import SecondFactor
from adapters.local_auth.tokens import Tokens, link_id_of
from creditcore.domain.credentials import Credential, MailedLink
from creditcore.domain.errors import (
    BadCredentialsError,
    EmailTakenError,
    InvalidRequestError,
    LinkRefusedError,
    NotOfferedError,
    ReferenceConflictError,
    SessionEndedError,
    StoreError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import (
    Capability,
    Enrolled,
    Enrolment,
    Grant,
    Identity,
    LinkKind,
    Method,
    NeedsConfirmation,
    OAuthFlow,
    SignedIn,
    SignIn,
    SignOutScope,
)
from creditcore.domain.people import Person, clean_email
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.transactions import Transaction, Transactions
from creditcore.ports.vault import Vault

_WITHOUT_MAIL = frozenset({Capability.SECOND_FACTOR, Capability.RECOVERY_CODES})
_WITH_MAIL = _WITHOUT_MAIL | {
    Capability.RECOVERY,
    Capability.EMAIL_CHANGE,
    Capability.INVITATION,
}


class LocalIdentityProvider:
    """Recognises people by the passwords we keep (``IdentityProvider``).

    Without mail nothing can be confirmed or recovered. Where addresses are not confirmed,
    every one counts as verified.
    """

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        *,
        passwords: Passwords,
        tokens: Tokens,
        vault: Vault,
        sends_mail: bool = False,
        confirms: bool = False,
        issuer: str = "creditcore",
    ) -> None:
        """Prepare the provider.

        Args:
            transactions: Where people and what they are recognised by are kept.
            clock: Dates accounts, links and codes.
            ids: Names new people.
            passwords: Hashes and checks.
            tokens: Makes what links carry.
            vault: Seals the secrets of authenticator apps.
            sends_mail: Whether the mails that are asked for are written.
            confirms: Whether new addresses are confirmed by such a mail before they count.
            issuer: What an authenticator app calls this site.
        """
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._passwords = passwords
        self._tokens = tokens
        self._sends_mail = sends_mail
        self._confirms = sends_mail and confirms
        self._second = SecondFactor(
            transactions, clock, tokens, vault, issuer=issuer, sends_mail=sends_mail
        )

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = _WITH_MAIL if self._sends_mail else _WITHOUT_MAIL
        return offered | {Capability.CONFIRMATION} if self._confirms else offered

    # -- joining -----------------------------------------------------------------------

    def sign_up(self, email: str, password: str, *, next_path: str = "") -> SignIn:
        email = clean_email(email)
        password_hash = self._passwords.hash(password, email=email)
        now = self._clock.now()
        person = Person(id=self._ids.new(), email=email, created_at=now)
        credential = Credential(
            person_id=person.id,
            password_hash=password_hash,
            confirmed_at=None if self._confirms else now,
        )
        try:
            self._add(person, credential, next_path)
        except EmailTakenError:
            # Where addresses are confirmed, its owner is told; the visitor sees no difference.
            if not self._confirms:
                raise
        if self._confirms:
            return NeedsConfirmation(email=email)
        return signed_in(Account(person, credential))

    def resend_confirmation(self, email: str, *, next_path: str = "") -> None:
        email = clean_email(email)
        if self._confirms:
            self._request(LinkKind.SIGN_UP, email, next_path)

    def redeem(self, kind: LinkKind, token: str) -> SignIn:
        now = self._clock.now()
        with self._transactions.begin() as tx:
            account = account_of_link(tx, self._used_link(tx, kind, token, at=now), now=now)
            credential = replace(
                account.credential, confirmed_at=account.credential.confirmed_at or now
            )
            tx.credentials.save(credential)
            tx.commit()
        return first_factor_shown(Account(account.person, credential))

    # -- getting in and out ------------------------------------------------------------

    def sign_in(self, email: str, password: str) -> SignIn:
        """Recognise a person by address and password.

        Takes the same work whether or not the address is known, the person is blocked or
        has no password here; only then is anything decided.

        Raises:
            BadCredentialsError: Address and password do not match, or the person is blocked.
        """
        try:
            email = clean_email(email)
        except InvalidRequestError as error:
            raise BadCredentialsError from error
        account = self._find_by_email(email)
        stored = account.credential.password_hash if account else ""
        matches = self._passwords.match(stored, password)
        if account is None or not matches or not account.is_let_in(now=self._clock.now()):
            raise BadCredentialsError
        if renewed := self._passwords.renewed(stored, password):
            self._replace_hash(account, renewed)
        if account.credential.confirmed_at is None:
            return NeedsConfirmation(email=email)
        return first_factor_shown(account)

    def verify_second_factor(self, grant: Grant, code: str) -> SignedIn:
        return signed_in(self._second.verify(self._counting(grant), code))

    def redeem_recovery_code(self, grant: Grant, code: str) -> SignedIn:
        return signed_in(self._second.redeem_recovery_code(self._counting(grant), code))

    def refresh(self, grant: Grant) -> SignedIn:
        return signed_in(self._counting(grant))

    def check(self, grant: Grant) -> Identity:
        return identity_of(self._counting(grant))

    def reauthenticate(self, grant: Grant, password: str) -> None:
        account = self._counting(grant)
        left = account.credential.pause_left(now=self._clock.now())
        if left:
            raise TooManyAttemptsError(int(left.total_seconds()) + 1)
        matches = self._passwords.match(account.credential.password_hash, password)
        self._second.note_attempt(account.person.id, right=matches)
        if not matches:
            raise BadCredentialsError

    def sign_out(self, grant: Grant, scope: SignOutScope) -> None:
        """Do nothing: sessions are the site's own, and there are no others."""

    # -- password ----------------------------------------------------------------------

    def begin_recovery(self, email: str, *, next_path: str = "") -> None:
        email = clean_email(email)
        self._request(LinkKind.RECOVERY, email, next_path)

    def complete_recovery(self, grant: Grant, password: str) -> SignedIn:
        return self._replace_password(self._counting(grant), password)

    def change_password(
        self,
        grant: Grant,
        password: str,
        *,
        current: str = "",
        code: str = "",  # noqa: ARG002 - no code is ever mailed here
    ) -> SignedIn:
        account = self._counting(grant)
        if account.credential.password_hash:
            self.reauthenticate(grant, current)
        return self._replace_password(account, password)

    # -- address -----------------------------------------------------------------------

    def begin_email_change(self, grant: Grant, email: str) -> None:
        account = self._counting(grant)
        self._need_mail()
        email = clean_email(email)
        if email == account.person.email:
            raise InvalidRequestError("This is your address already.", param="email")
        now = self._clock.now()
        with self._transactions.begin() as tx:
            tx.credentials.save(replace(_locked(tx, account.person.id), new_email=email))
            request_link(tx, LinkKind.EMAIL_CHANGE, email, at=now, person_id=account.person.id)
            tx.commit()

    def confirm_email_change(self, token: str) -> Identity | None:
        now = self._clock.now()
        try:
            with self._transactions.begin() as tx:
                link = self._used_link(tx, LinkKind.EMAIL_CHANGE, token, at=now)
                person = tx.people.lock(link.person_id)
                credential = tx.credentials.lock(link.person_id)
                if person is None or credential is None or credential.new_email != link.email:
                    raise LinkRefusedError
                person = replace(person, email=link.email)
                credential = replace(credential, new_email="", confirmed_at=now)
                tx.people.save(person)
                tx.credentials.save(credential)
                tx.credentials.close_links(person.id, at=now)
                tx.commit()
        except (ReferenceConflictError, EmailTakenError) as error:
            raise LinkRefusedError from error
        return identity_of(Account(person, credential))

    # -- Google and GitHub --------------------------------------------------------------

    def begin_oauth(
        self,
        method: Method,  # noqa: ARG002
        *,
        return_url: str,  # noqa: ARG002
        link_to: Grant | None = None,  # noqa: ARG002
    ) -> OAuthFlow:
        """Refuse: local accounts have a password.

        Raises:
            NotOfferedError: Always.
        """
        raise NotOfferedError

    def complete_oauth(self, secret: bytes, query: Mapping[str, str]) -> SignIn:  # noqa: ARG002
        """Refuse.

        Raises:
            NotOfferedError: Always.
        """
        raise NotOfferedError

    def unlink(self, grant: Grant, method: Method) -> Identity:  # noqa: ARG002
        """Refuse.

        Raises:
            NotOfferedError: Always.
        """
        raise NotOfferedError

    # -- second factor -----------------------------------------------------------------

    def begin_second_factor(self, grant: Grant) -> Enrolment:
        return self._second.begin(self._counting(grant))

    def confirm_second_factor(self, grant: Grant, enrolment_id: str, code: str) -> Enrolled:
        codes = self._second.confirm(self._counting(grant), enrolment_id, code)
        return Enrolled(grant=grant, recovery_codes=codes)

    def remove_second_factor(self, grant: Grant) -> SignedIn:
        return signed_in(self._second.remove(self._counting(grant)))

    def renew_recovery_codes(self, grant: Grant) -> tuple[str, ...]:
        return self._second.renew_codes(self._counting(grant))

    # -- helpers -----------------------------------------------------------------------

    def _add(self, person: Person, credential: Credential, next_path: str) -> None:
        """Add an account, and ask for the mail that its owner gets, new or not.

        Raises:
            EmailTakenError: Another account has the address.
        """
        try:
            with self._transactions.begin() as tx:
                taken = tx.people.find_by_email(person.email) is not None
                if not taken:
                    tx.people.add(person)
                    tx.credentials.save(credential)
                if self._confirms:
                    request_link(
                        tx,
                        LinkKind.SIGN_UP,
                        person.email,
                        at=person.created_at,
                        next_path=next_path,
                        new_account=True,
                        person_id="" if taken else person.id,
                    )
                tx.commit()
        except ReferenceConflictError as error:
            # Only the address can collide: another sign-up's commit came first, with its mail.
            raise EmailTakenError from error
        if taken:
            raise EmailTakenError

    def _need_mail(self) -> None:
        if not self._sends_mail:
            raise NotOfferedError

    def _request(self, kind: LinkKind, email: str, next_path: str) -> None:
        self._need_mail()
        with self._transactions.begin() as tx:
            request_link(tx, kind, email, at=self._clock.now(), next_path=next_path)
            tx.commit()

    def _used_link(
        self, tx: Transaction, kind: LinkKind, token: str, *, at: datetime
    ) -> MailedLink:
        """Return the link of a token, closed in this transaction; it was open until now."""
        link_id = link_id_of(token)
        link = tx.credentials.lock_link(link_id) if link_id else None
        if link is None or not self._tokens.opens(token, link) or not link.works(kind, now=at):
            raise LinkRefusedError
        tx.credentials.save_link(link.close(at=at))
        return link

    def _counting(self, grant: Grant) -> Account:
        """Return the account of a grant that still counts."""
        with self._transactions.begin() as tx:
            person = tx.people.find(grant.subject)
            credential = tx.credentials.find(grant.subject)
        if person is None or credential is None or grant != grant_of(person):
            raise SessionEndedError
        account = Account(person, credential)
        if not account.is_let_in(now=self._clock.now()):
            raise SessionEndedError
        return account

    def _find_by_email(self, email: str) -> Account | None:
        with self._transactions.begin() as tx:
            person = tx.people.find_by_email(email)
            credential = tx.credentials.find(person.id) if person else None
        return Account(person, credential) if person and credential else None

    def _replace_password(self, account: Account, password: str) -> SignedIn:
        password_hash = self._passwords.hash(password, email=account.person.email)
        with self._transactions.begin() as tx:
            changed = with_password(tx, account.person.id, password_hash, at=self._clock.now())
            if changed is None or changed.person.session_epoch != account.person.session_epoch + 1:
                # Another new password came first: this session was ended by it.
                raise SessionEndedError
            if self._sends_mail:
                request_notice(tx, "password_changed", account.person.email, at=self._clock.now())
            tx.commit()
        return signed_in(changed)

    def _replace_hash(self, account: Account, password_hash: str) -> None:
        """Replace a hash made with other parameters, unless the password changed meanwhile."""
        # The person is signed in already; the next time is early enough to try again.
        with suppress(StoreError, ReferenceConflictError), self._transactions.begin() as tx:
            credential = tx.credentials.lock(account.person.id)
            if credential and credential.password_hash == account.credential.password_hash:
                tx.credentials.save(replace(credential, password_hash=password_hash))
                tx.commit()


def _locked(tx: Transaction, person_id: str) -> Credential:
    credential = tx.credentials.lock(person_id)
    if credential is None:
        raise SessionEndedError
    return credential
