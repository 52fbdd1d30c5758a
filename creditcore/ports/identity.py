"""Who a person is: what this site asks of Supabase Auth, or of accounts of its own.

A provider recognises people and keeps their ways in. Sessions of this site are the core's
(``creditcore.usecases.people.sessions``): it keeps a row for each, with the provider's ``Grant``
sealed beside it, so that sessions are listed, ended and stepped up in the same way by
every provider. A provider therefore holds no state of a visitor between two calls.

No method says whether an address has an account: not by its result, its error, or the time it
takes. Where a mail is sent, the same is returned whether or not one was.

Every method may also raise:
    IdentityUnavailableError: No usable answer; what happened is unknown. No person is signed out.
    TooManyAttemptsError: The provider wants to be asked less often.
    NotOfferedError: It needs a ``Capability`` that this provider lacks.

``next_path`` is where a link in a mail leads on to: a path of this site, already checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from creditcore.domain.identities import (
    Capability,
    Enrolled,
    Enrolment,
    Grant,
    Identity,
    LinkKind,
    Method,
    OAuthFlow,
    SignedIn,
    SignIn,
    SignOutScope,
)


class IdentityProvider(Protocol):
    """Recognises people. Nothing here needs, or has, an operator's power."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What can be done here."""

    # -- joining -----------------------------------------------------------------------

    def sign_up(self, email: str, password: str, *, next_path: str = "") -> SignIn:
        """Make an account.

        Where addresses are confirmed by mail, the result is ``NeedsConfirmation`` for a free,
        an unconfirmed and a taken address alike. An account that is there is not changed:
        neither its password, nor whether it is confirmed.

        Raises:
            EmailTakenError: The address has an account, and none is confirmed by mail here.
                Callers must not let a visitor see the difference.
            InvalidRequestError: The address or the password cannot be used; ``param`` says
                which. It is decided before an account is looked for.
            SignUpClosedError: No new person is let in.
        """

    def resend_confirmation(self, email: str, *, next_path: str = "") -> None:
        """Mail a new link to an address that waits to be confirmed, and to no other.

        Asked again within a minute it sends nothing, silently.

        Raises:
            InvalidRequestError: This cannot be an address.
        """

    def redeem(self, kind: LinkKind, token: str) -> SignIn:
        """Let in the person who opens a link for signing up, for recovery, or of an invitation.

        A link works once, also when it is opened twice at the same moment, for 30 minutes
        (invitations longer), and for its own kind only. A newer one ends it. It proves the
        address, so that the account is confirmed by any of them.

        After RECOVERY and INVITE a password must be chosen; the caller remembers that, as
        the session shows no trace of it (``complete_recovery``). Who has a second factor needs
        it here too.

        Raises:
            LinkRefusedError: It is unknown, used, replaced, too old, or of another kind.
        """

    # -- getting in and out ------------------------------------------------------------

    def sign_in(self, email: str, password: str) -> SignIn:
        """Recognise a person by address and password.

        Takes the same time whether or not the address is known. ``NeedsConfirmation`` is
        returned to who knows the password only.

        Raises:
            BadCredentialsError: Address and password do not match, or the account is blocked.
        """

    def verify_second_factor(self, grant: Grant, code: str) -> SignedIn:
        """Check a code of the authenticator app, at sign-in and for stepping up.

        Guessing is bounded for the account, however many sessions try.

        Raises:
            CodeRefusedError: It is not the code of now.
            TooManyAttemptsError: There were too many wrong ones; it says when to come back.
            SessionEndedError: The first factor was too long ago, or counts no more.
        """

    def redeem_recovery_code(self, grant: Grant, code: str) -> SignedIn:
        """Check one of the ten codes in place of the app; each works once, also at once.

        Raises:
            CodeRefusedError: It is none of them, or was used.
            TooManyAttemptsError: Wrong ones count as those of the app do.
            SessionEndedError: The first factor was too long ago, or counts no more.
        """

    def refresh(self, grant: Grant) -> SignedIn:
        """Return a newer grant, and the identity as it is now.

        The caller makes sure that one session is refreshed by one at a time, and keeps the
        newer grant before using it.

        Raises:
            SessionEndedError: The session is over at the provider.
        """

    def check(self, grant: Grant) -> Identity:
        """Ask the provider now whether the session and the account still count.

        Money-moving and security acts want this; reading pages do not.

        Raises:
            SessionEndedError: They do not.
        """

    def reauthenticate(self, grant: Grant, password: str) -> None:
        """Check the password of who is signed in, for stepping up. Wrong ones are bounded.

        Raises:
            BadCredentialsError: It is not theirs, or they have none.
            TooManyAttemptsError: There were too many wrong ones.
        """

    def sign_out(self, grant: Grant, scope: SignOutScope) -> None:
        """End sessions at the provider. Where that cannot be told, it counts as done."""

    # -- password ----------------------------------------------------------------------

    def begin_recovery(self, email: str, *, next_path: str = "") -> None:
        """Mail a link to who has an account at this address; asked again soon, silently none.

        Raises:
            InvalidRequestError: This cannot be an address. It is decided before anything else.
        """

    def complete_recovery(self, grant: Grant, password: str) -> SignedIn:
        """Replace the password of who came by a RECOVERY or INVITE link; ends all other sessions.

        Raises:
            InvalidRequestError: The password cannot be used.
            SessionEndedError: The session of the link is over.
        """

    def change_password(
        self, grant: Grant, password: str, *, current: str = "", code: str = ""
    ) -> SignedIn:
        """Replace the password of who is signed in; ends all other sessions.

        Args:
            grant: Their session's.
            password: The new one.
            current: The old one. May be left out by who has none yet.
            code: What was mailed after ``CodeSentError``.

        Raises:
            BadCredentialsError: ``current`` is not theirs.
            CodeSentError: The provider wants a code besides, and has just mailed it.
            CodeRefusedError: ``code`` is not what was mailed.
            InvalidRequestError: The new password cannot be used.
            SessionEndedError: The session is over.
        """

    # -- address -----------------------------------------------------------------------

    def begin_email_change(self, grant: Grant, email: str) -> None:
        """Mail a link to the new address, and tell the old one. Nothing changes until then.

        A taken address gets no link, silently.

        Raises:
            InvalidRequestError: This cannot be an address.
            SessionEndedError: The session is over.
        """

    def confirm_email_change(self, token: str) -> Identity | None:
        """Make the new address the account's, by the link that was mailed there.

        Returns:
            Who it is now, or None where the other address has a link to open as well.

        Raises:
            LinkRefusedError: As ``redeem``; or the address was taken meanwhile.
        """

    # -- Google and GitHub --------------------------------------------------------------

    def begin_oauth(
        self, method: Method, *, return_url: str, link_to: Grant | None = None
    ) -> OAuthFlow:
        """Return where to send the browser.

        Args:
            method: Google or GitHub.
            return_url: Where it comes back to on this site; it carries no secret.
            link_to: The session of who wants to connect it to their account (LINKING).
        """

    def complete_oauth(self, secret: bytes, query: Mapping[str, str]) -> SignIn:
        """Recognise who came back, by what their browser brought in the query.

        Where it was begun with ``link_to`` it is the same person, and another way in is theirs
        from now on. The grant may be of a session of its own, which the caller ends.

        Raises:
            OAuthFailedError: They did not sign in there, or may not here.
        """

    def unlink(self, grant: Grant, method: Method) -> Identity:
        """Take a way in off an account.

        Raises:
            InvalidRequestError: It is the last one, or not theirs.
        """

    # -- second factor -----------------------------------------------------------------

    def begin_second_factor(self, grant: Grant) -> Enrolment:
        """Make a secret for an authenticator app; one that was never confirmed is replaced.

        Raises:
            InvalidRequestError: There is one that counts.
        """

    def confirm_second_factor(self, grant: Grant, enrolment_id: str, code: str) -> Enrolled:
        """Let the app count from now on, as it shows the right code.

        Raises:
            CodeRefusedError: It does not, or the enrolment is not the last that was begun.
            TooManyAttemptsError: There were too many wrong codes.
        """

    def remove_second_factor(self, grant: Grant) -> SignedIn:
        """Let the password be enough again. Who calls it has stepped the session up."""

    def renew_recovery_codes(self, grant: Grant) -> tuple[str, ...]:
        """Return ten new codes; the old ones work no more."""


class IdentityOperators(Protocol):
    """What operators do to accounts: from the command line and from jobs, never for a visitor."""

    def find(self, email: str) -> Identity | None:
        """Return who has this address."""

    def create(self, email: str, password: str | None = None, *, confirmed: bool) -> Identity:
        """Make an account, without a password if none is given.

        Raises:
            EmailTakenError: The address has one.
            InvalidRequestError: The address or the password cannot be used.
        """

    def invite(self, email: str) -> Identity:
        """Make an account and mail its owner a link to choose a password.

        Raises:
            EmailTakenError: The address has a confirmed account.
        """

    def ban(self, subject: str, *, until: datetime | None = None) -> None:
        """Keep its owner out of this account, for good or until then; ends its sessions.

        Raises:
            PersonNotFoundError: No person has this id.
        """

    def unban(self, subject: str) -> None:
        """Let them in again.

        Raises:
            PersonNotFoundError: No person has this id.
        """

    def set_password(self, subject: str, password: str) -> None:
        """Replace a person's password, or give them their first; ends all their sessions.

        Raises:
            InvalidRequestError: The password cannot be used.
            PersonNotFoundError: No person has this id.
        """

    def remove_second_factor(self, subject: str) -> bool:
        """Let the password be enough for who lost the app; return whether there was one.

        Raises:
            PersonNotFoundError: No person has this id.
        """

    def delete(self, subject: str) -> None:
        """Forget the account, its ways in and its address. A missing person is no error."""
