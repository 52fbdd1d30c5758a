"""Who a person is to the service that recognises them, and how they get in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

MAX_GRANT_BYTES = 16_384
"""What a provider may ask us to keep for a session. Tokens carry what people write into their
profile, without a limit: what is larger is refused, and its session ends.
"""


class Capability(StrEnum):
    """What a provider can do here beyond address and password: pages show only that."""

    CONFIRMATION = "confirmation"
    """New addresses are confirmed by mail before they count."""
    RECOVERY = "recovery"
    """Who forgot the password gets a link by mail."""
    EMAIL_CHANGE = "email_change"
    SECOND_FACTOR = "second_factor"
    """Codes of an authenticator app (TOTP, RFC 6238)."""
    RECOVERY_CODES = "recovery_codes"
    """Single-use codes for who lost the authenticator app."""
    INVITATION = "invitation"
    """Operators can ask a person by mail to make an account."""
    GOOGLE = "google"
    GITHUB = "github"
    LINKING = "linking"
    """Google and GitHub can be connected to an account that is there, and disconnected."""


class Method(StrEnum):
    """A way in that belongs to an account."""

    PASSWORD = "password"  # noqa: S105 - a name, not a secret
    GOOGLE = "google"
    GITHUB = "github"


class LinkKind(StrEnum):
    """What a link in a mail is for. The words are those in its address."""

    SIGN_UP = "signup"
    RECOVERY = "recovery"
    INVITE = "invite"
    EMAIL_CHANGE = "email_change"


class SignOutScope(StrEnum):
    """Which sessions of a person end."""

    THIS = "local"
    OTHERS = "others"
    ALL = "global"


class OAuthFailure(StrEnum):
    """Why a visitor does not come back from Google or GitHub signed in."""

    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It took too long, was used already, or began in another browser: start again."""
    ADDRESS_UNVERIFIED = "address_unverified"
    """They gave no address, or one that they never verified."""
    ALREADY_LINKED = "already_linked"
    """That Google or GitHub account belongs to another person here."""
    SIGN_UP_CLOSED = "sign_up_closed"
    REFUSED = "refused"
    """The account is blocked here."""
    TRY_AGAIN = "try_again"
    """A passing fault, such as two returns at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person as the identity provider knows them.

    Attributes:
        subject: The provider's UUID of the person, which becomes ours.
        email: In the stored form (``clean_email``).
        email_verified: Whether the address is known to be theirs, or the provider
            never verifies any.
        second_factor: Whether an authenticator app is set up.
        methods: How they can get in.
        new_email: The address that they asked to change to and have not confirmed yet.
        session_epoch: The person's, as it was when they were recognised. None where
            we keep no passwords.
    """

    subject: str
    email: str
    email_verified: bool
    second_factor: bool = False
    methods: frozenset[Method] = frozenset({Method.PASSWORD})
    new_email: str = ""
    session_epoch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a provider gave us for one session of a person, and wants shown again.

    Who keeps it seals it first (``Vault``), and replaces it whenever a newer one is returned.

    Attributes:
        subject: Whose session it is.
        session_id: The provider's name of the session; a refresh keeps it. Empty where
            the provider has no sessions of its own.
        secret: For the provider alone: its tokens. At most ``MAX_GRANT_BYTES``.
        good_until: When the provider must be asked to refresh it. None: never.
    """

    subject: str
    session_id: str = ""
    secret: bytes = field(default=b"", repr=False)
    good_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """They are who they say: a session can begin, or goes on with this grant."""

    identity: Identity
    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsSecondFactor:
    """The first factor was right. The grant opens nothing but the check of the second."""

    identity: Identity
    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsConfirmation:
    """A link was mailed, or would have been: nothing here says whether there is an account.

    Attributes:
        email: Where to look, in the stored form.
    """

    email: str


SignIn: TypeAlias = SignedIn | NeedsSecondFactor | NeedsConfirmation


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthFlow:
    """A visitor on their way to Google or GitHub.

    Attributes:
        url: Where to send the browser.
        secret: What ``complete_oauth`` wants back, such as a PKCE verifier. It is kept on
            the server, sealed, for the browser that began.
    """

    url: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """An authenticator app that is being set up; it counts once a code of it was shown.

    Attributes:
        id: What ``confirm_second_factor`` wants back.
        secret: In base 32, for who cannot scan the picture.
        uri: ``otpauth://totp/...``, what the picture says.
    """

    id: str
    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """The second factor counts from now on.

    Attributes:
        grant: The session's, which has shown both factors now.
        recovery_codes: To be shown once and written down; none where the provider has none.
    """

    grant: Grant
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)
