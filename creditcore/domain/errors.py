"""Everything that can go wrong in the core, as one tree.

::

    CreditcoreError
    ├── CurrencyMismatchError            money of two currencies met
    ├── InsufficientCreditsError         the wallet cannot cover the ceiling
    ├── ReferenceConflictError           one reference, two different requests
    ├── RefusedByStoreError              this very data cannot be stored
    ├── NotFoundError
    │   ├── WalletNotFoundError
    │   ├── HoldNotFoundError
    │   ├── PurchaseNotFoundError
    │   ├── ReviewNotFoundError
    │   ├── CardNotFoundError
    │   ├── ApiKeyNotFoundError
    │   ├── PersonNotFoundError
    │   ├── TeamNotFoundError
    │   ├── MemberNotFoundError
    │   ├── JobNotFoundError
    │   ├── AlertNotFoundError
    │   ├── WebhookNotFoundError
    │   ├── PriceRuleNotFoundError
    │   └── ModelNotFoundError           no price, no route
    ├── KeyRefusedError                  malformed, unknown, revoked, expired or paused key
    ├── NotPermittedError                the key, or the role in a team, is not for this
    ├── RepeatedCallError                the call was made already, under the same token
    │   ├── TokenReusedError                 for another request
    │   ├── CallRunningError                 it has not ended yet
    │   └── AnswerNotKeptError               what it answered is not kept
    ├── LimitReachedError                a limit of the key or account: soon it may run
    ├── InvalidRequestError              the caller sent something unusable
    │   ├── LastOwnerError                   a team has one owner at least
    │   ├── InvitationRefusedError           the invitation is used, revoked, expired, or another's
    │   └── CurrencyNotSoldError             this currency cannot be paid in, or not now
    ├── PurchaseLimitError               more than one person may buy in a day or a month
    ├── IdentityError
    │   ├── EmailTakenError
    │   ├── AccountNotJoinedError        the address has another account here
    │   ├── BadCredentialsError
    │   ├── LinkRefusedError             a link of a mail that opens nothing, or nothing any more
    │   ├── CodeRefusedError             a wrong or used code
    │   ├── CodeSentError                a code was mailed, and is needed to go on
    │   ├── SessionEndedError            sign in again
    │   ├── TooManyAttemptsError
    │   ├── SignUpClosedError
    │   ├── OAuthFailedError             nobody came back from Google or GitHub
    │   ├── NotOfferedError              this provider cannot do it
    │   └── IdentityUnavailableError     outcome unknown, ask again later
    ├── SealBrokenError                  what was sealed cannot be opened
    ├── PaymentGatewayError
    │   ├── PaymentGatewayUnavailableError   outcome unknown, ask again later
    │   ├── PaymentRejectedError             the provider refused the request
    │   └── WebhookRefusedError              the signature does not match
    ├── UpstreamError
    │   ├── UpstreamRejectedError        the model refused this very request
    │   ├── UpstreamUnavailableError     down, silent, or at fault
    │   │   ├── SpendLogMissingError         it keeps no log of its calls
    │   │   ├── UpstreamFailedError          it answered, with a failure of its own
    │   │   └── UpstreamKeyRefusedError      it refused the copy of a key
    │   └── UpstreamTimeoutError         it took longer than allowed
    ├── AlertsUndeliveredError           who is to hear of alerts did not take them
    ├── WebhookUndeliveredError          a program that a key names did not take a message
    ├── MailError
    │   ├── MailRefusedError             there is no such mailbox
    │   ├── MailUnavailableError         the server did not take it; try again later
    │   └── MailTemplateError            the mail cannot be rendered
    └── StoreError
        ├── StoreBusyError               lost a race for a row: the same step may run again
        ├── StoreUnavailableError        the database cannot be reached
        │   └── OutcomeUnknownError          the commit may have happened, or may not
        └── OverloadedError              more work is waiting than memory should hold

It is longer than other modules so that the tree is read, and drawn, in one place.
Facts are attributes; the message is one plain sentence. How an error becomes an
HTTP status is the web adapter's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from creditcore.domain.identities import OAuthFailure
    from creditcore.domain.money import Credits, Money


class CreditcoreError(Exception):
    """The root: catch this to catch everything the core raises on purpose.

    Attributes:
        model: The model that was asked for, where the error ended a call.
    """

    model: str = ""


class CurrencyMismatchError(CreditcoreError):
    """Two currencies met in one sum or comparison."""

    def __init__(self, left: str, right: str) -> None:
        self.left = left
        self.right = right
        super().__init__(f"{left} and {right} cannot be combined.")


class InsufficientCreditsError(CreditcoreError):
    """The wallet cannot cover the most this call may cost.

    Attributes:
        needed: The ceiling that was asked for.
        available: What the wallet could have given.
        affordable_output_tokens: The largest output limit ``available`` covers,
            or None where the request has no such limit to lower.
        limit: What ran out: ``wallet``, or a spend limit: of the ``key``, its
            ``account``, or the ``member`` of a team.
        resets_at: When a spend limit begins anew; None where it never does.
    """

    def __init__(
        self,
        *,
        needed: Credits,
        available: Credits,
        affordable_output_tokens: int | None = None,
        limit: str = "wallet",
        resets_at: datetime | None = None,
    ) -> None:
        self.needed = needed
        self.available = available
        self.affordable_output_tokens = affordable_output_tokens
        self.limit = limit
        self.resets_at = resets_at
        super().__init__(f"This may cost up to {needed} credits, {available} are available.")


class ReferenceConflictError(CreditcoreError):
    """A reference was used again for something else."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(f"Reference {reference!r} already stands for a different request.")


class RefusedByStoreError(CreditcoreError):
    """The store refuses this very data, and would refuse it again.

    A constraint caught a mistake, or text cannot be stored as it is. It is no
    ``StoreError``: trying again, or blaming the database, would help nobody.
    """


class PurchaseLimitError(CreditcoreError):
    """One person may not buy that much in this time.

    Attributes:
        limit: The most USD value that may be bought.
        days: Within how many days.
    """

    def __init__(self, *, limit: Money, days: int) -> None:
        self.limit = limit
        self.days = days
        span = "24 hours" if days == 1 else f"{days} days"
        super().__init__(
            f"This is more than one account may buy within {span} ({limit}). Nothing was charged. "
            "Wait, or write to support to have it raised."
        )


class NotFoundError(CreditcoreError):
    """Something was named that does not exist, or is not the caller's."""

    noun = "record"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is no {self.noun} {name!r}.")


class WalletNotFoundError(NotFoundError):
    """No wallet has this id."""

    noun = "wallet"


class HoldNotFoundError(NotFoundError):
    """No hold has this reference. Whoever asks knows it as the call that it is for."""

    noun = "call"


class PurchaseNotFoundError(NotFoundError):
    """No purchase has this reference."""

    noun = "purchase"


class ReviewNotFoundError(NotFoundError):
    """No payment of this reference waits for a decision."""

    noun = "payment to decide about"


class CardNotFoundError(NotFoundError):
    """The person saved no card with this id."""

    noun = "saved card"


class ApiKeyNotFoundError(NotFoundError):
    """The owner has no key with this id."""

    noun = "API key"


class PersonNotFoundError(NotFoundError):
    """Nobody has this id."""

    noun = "person"


class TeamNotFoundError(NotFoundError):
    """There is no such team, or the caller is not in it."""

    noun = "team"


class MemberNotFoundError(NotFoundError):
    """The team has no such member."""

    noun = "member of this team"


class JobNotFoundError(NotFoundError):
    """No job has this kind and business key."""

    noun = "job"


class PriceRuleNotFoundError(NotFoundError):
    """No price rule has this id."""

    noun = "price rule"


class AlertNotFoundError(NotFoundError):
    """No alert has this key."""

    noun = "alert"


class WebhookNotFoundError(NotFoundError):
    """No webhook has this digest."""

    noun = "webhook"


class ModelNotFoundError(NotFoundError):
    """The model is unknown, or has no price: nothing unpriced is ever routed."""

    noun = "model"


class KeyRefusedError(CreditcoreError):
    """The API key opens nothing.

    Attributes:
        reason: ``malformed``, ``unknown``, ``revoked``, ``expired`` or ``paused``.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The API key is {reason}.")


class NotPermittedError(CreditcoreError):
    """The caller is known, and may not do this.

    Attributes:
        code: ``insufficient_scope``, ``model_not_allowed``, ``address_not_allowed`` or
            ``not_your_role``.
        param: The field at fault, where there is one.
    """

    def __init__(self, message: str, *, code: str, param: str | None = None) -> None:
        self.code = code
        self.param = param
        super().__init__(message)


class RepeatedCallError(CreditcoreError):
    """The call was made already, under the same token; it is not made again."""


class TokenReusedError(RepeatedCallError):
    """The token stands for another request."""

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another request. Use a new one for each request."
        )


class CallRunningError(RepeatedCallError):
    """The first call with this token has not ended yet.

    Attributes:
        call_id: That call.
    """

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        super().__init__(f"The call {call_id} with this Idempotency-Key is still running.")


class AnswerNotKeptError(RepeatedCallError):
    """The first call with this token has ended, and what it answered is not kept.

    Attributes:
        call_id: That call.
    """

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        super().__init__(
            f"The call {call_id} with this Idempotency-Key was made already; its answer is not "
            "kept. Its receipt says what it cost."
        )


class LimitReachedError(CreditcoreError):
    """A limit of the key, or of its account, is used up for now. Nothing was held or counted.

    Attributes:
        limit: ``parallel``, ``requests`` or ``tokens``.
        most: How much it allows: at a time, or in a minute.
        retry_after_us: Microseconds until the same call may run, as far as that is known.
        whose: ``key`` or ``account``: the limit of all keys of one wallet together.
        remaining, reset_us: Where it is a limit per minute: how much of it is left now, and
            microseconds until all of it is there again.
    """

    def __init__(
        self,
        *,
        limit: str,
        most: int,
        retry_after_us: int,
        whose: str = "key",
        remaining: int = 0,
        reset_us: int = 0,
    ) -> None:
        self.limit = limit
        self.most = most
        self.retry_after_us = retry_after_us
        self.whose = whose
        self.remaining = remaining
        self.reset_us = reset_us
        allowed = "calls at the same time" if limit == "parallel" else f"{limit} a minute"
        who = "this API key" if whose == "key" else "all keys of this account together"
        super().__init__(f"The limit of {who} is reached: {most} {allowed}.")


class InvalidRequestError(CreditcoreError):
    """The caller sent something unusable.

    Attributes:
        param: The field at fault, where there is one.
        code: A stable machine-readable word, where there is one.
        details: Facts that a client of the protocol acts on, where it knows some.
    """

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.param = param
        self.code = code
        self.details = details
        super().__init__(message)


class LastOwnerError(InvalidRequestError):
    """The only owner of a team cannot leave it, nor become something else.

    Attributes:
        team: Its name.
    """

    def __init__(self, team: str) -> None:
        self.team = team
        super().__init__(
            f"You are the only owner of {team}. Make another member an owner first, or delete "
            "the team.",
            code="last_owner",
        )


class InvitationRefusedError(InvalidRequestError):
    """An invitation opens nothing for this person; which of the reasons is told to nobody else."""

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message or "This invitation was used, withdrawn or has expired. Ask for a new one.",
            code="invitation_refused",
        )


class CurrencyNotSoldError(InvalidRequestError):
    """This currency cannot be paid in: never here, or not while its rate is unknown."""


class IdentityError(CreditcoreError):
    """A person could not be recognised or made."""


class AccountNotJoinedError(IdentityError):
    """The address of who signed in has an account here, which is not joined to theirs yet."""

    def __init__(self) -> None:
        super().__init__(
            "Your address has an account here that is not connected to this sign-in yet. "
            "Support has been told, and can connect the two."
        )


class EmailTakenError(IdentityError):
    """Another account has this e-mail address."""

    def __init__(self) -> None:
        super().__init__("This e-mail address has an account.")


class BadCredentialsError(IdentityError):
    """E-mail and password do not match; which of the two is never said."""

    def __init__(self) -> None:
        super().__init__("E-mail or password is wrong.")


class LinkRefusedError(IdentityError):
    """A link of a mail opens nothing: unknown, used, replaced, too old; which is never said."""

    def __init__(self) -> None:
        super().__init__("This link is invalid or has expired. Ask for a new one.")


class CodeRefusedError(IdentityError):
    """The code is wrong, or was used."""

    def __init__(self) -> None:
        super().__init__("This code is wrong, has expired or was used before.")


class CodeSentError(IdentityError):
    """A code was mailed to the person's address; the same call works with it."""

    def __init__(self) -> None:
        super().__init__("A code was mailed to you. Enter it to go on.")


class SessionEndedError(IdentityError):
    """The session counts no more: whoever it was signs in again."""

    def __init__(self) -> None:
        super().__init__("Your session has ended. Please sign in again.")


class TooManyAttemptsError(IdentityError):
    """There were too many attempts.

    Attributes:
        retry_after_s: How long to wait, where it is known.
    """

    def __init__(self, retry_after_s: int | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("There were too many attempts. Wait a little and try again.")


class SignUpClosedError(IdentityError):
    """Nobody new is let in."""

    def __init__(self) -> None:
        super().__init__("New accounts cannot be made here at the moment.")


class OAuthFailedError(IdentityError):
    """Somebody did not come back from Google or GitHub signed in.

    Attributes:
        reason: Why; the provider's own words are never shown.
    """

    def __init__(self, reason: OAuthFailure) -> None:
        self.reason = reason
        super().__init__(f"Signing in there did not work: {reason.value.replace('_', ' ')}.")


class NotOfferedError(IdentityError):
    """Who recognises people here cannot do this."""

    def __init__(self) -> None:
        super().__init__("This is not offered here.")


class IdentityUnavailableError(IdentityError):
    """No usable answer from who recognises people: what happened is unknown. Try again later."""

    def __init__(self) -> None:
        super().__init__("Signing in is not possible right now. Nothing is lost; try again soon.")


class SealBrokenError(CreditcoreError):
    """What was sealed cannot be opened: another key, another place, or it was changed."""

    def __init__(self) -> None:
        super().__init__("A sealed secret cannot be opened.")


class PaymentGatewayError(CreditcoreError):
    """The payment provider did not do what was asked."""


class PaymentGatewayUnavailableError(PaymentGatewayError):
    """No usable answer: what happened is unknown until somebody asks again."""


class PaymentRejectedError(PaymentGatewayError):
    """The provider refused the request, in its own words."""


class WebhookRefusedError(PaymentGatewayError):
    """The webhook is not signed by the provider."""


class UpstreamError(CreditcoreError):
    """The model server did not answer as asked.

    Attributes:
        status: The HTTP status that fits it.
        code: A machine-readable word for it that callers act on, where there is one.
    """

    status: int = 502
    code: str | None = None


class UpstreamRejectedError(UpstreamError):
    """The model server refused this very request: the caller can do something about it.

    Attributes:
        status: The HTTP status it chose, between 400 and 499.
        code: Its machine-readable word, where there is one.
        retry_after_s: How long it asks to wait, where it says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        super().__init__(message)


class UpstreamUnavailableError(UpstreamError):
    """The model server is down, misconfigured or broken: nothing the caller did."""

    def __init__(self, message: str = "The model is not available right now.") -> None:
        super().__init__(message)


class SpendLogMissingError(UpstreamUnavailableError):
    """The model server keeps no log of its calls: it has no database."""

    def __init__(self) -> None:
        super().__init__("The model server keeps no log of its calls.")


class UpstreamFailedError(UpstreamUnavailableError):
    """The provider failed, and said with which status.

    Attributes:
        status: The HTTP status it named, 500 to 599.
        code: Its machine-readable word, where it is one that callers act on.
        retry_after_s: How long it asks to wait, where it says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        super().__init__(message)


class UpstreamKeyRefusedError(UpstreamUnavailableError):
    """The model server refused the copy of a key, or its budget, before any model ran."""


class UpstreamTimeoutError(UpstreamError):
    """The model server took longer than allowed."""

    status = 504

    def __init__(self, message: str = "The model did not answer in time.") -> None:
        super().__init__(message)


class WebhookUndeliveredError(CreditcoreError):
    """A program that a key names did not take a message this time."""


class AlertsUndeliveredError(CreditcoreError):
    """Those who are to hear of alerts were not told; the message says why."""


class MailError(CreditcoreError):
    """A mail did not leave."""


class MailRefusedError(MailError):
    """The mailbox does not exist, or takes no mail: it would be refused again."""


class MailUnavailableError(MailError):
    """The mail server did not take it this time."""


class MailTemplateError(MailError):
    """A template is missing, or a value that it needs."""


class StoreError(CreditcoreError):
    """The store could not do its work."""


class StoreBusyError(StoreError):
    """A race for rows was lost and everything was undone; the same step may run again."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached, or fell silent; a commit may or may not have happened."""


class OutcomeUnknownError(StoreUnavailableError):
    """The database fell silent over a commit: it may have happened, or may yet."""


class OverloadedError(StoreError):
    """More work is waiting than may be kept in memory."""
