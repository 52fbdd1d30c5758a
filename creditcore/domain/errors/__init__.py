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
    │   ├── DocumentNotFoundError
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
    ├── ClientLeftError                  nothing sent to it would arrive
    ├── LimitReachedError                a limit of the key or account: soon it may run
    ├── InvalidRequestError              the caller sent something unusable
    │   ├── LastOwnerError                   a team has one owner at least
    │   ├── PayerRefusedError                the provider refused what the payer gave
    │   ├── NothingAskedError                a payment wants nothing typed now
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
    │   ├── OAuthFailedError             the visitor did not come back from Google or GitHub
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

The tree is drawn here as a whole; the classes stand in a module for each subject.
Facts are attributes; the message is one plain sentence. How an error becomes an
HTTP status is the web adapter's business.
"""

from __future__ import annotations

from creditcore.domain.errors.calls import (
    AnswerNotKeptError,
    CallRunningError,
    ClientLeftError,
    KeyRefusedError,
    LimitReachedError,
    NotPermittedError,
    RepeatedCallError,
    TokenReusedError,
)
from creditcore.domain.errors.credits import (
    CurrencyMismatchError,
    InsufficientCreditsError,
    PurchaseLimitError,
    ReferenceConflictError,
)
from creditcore.domain.errors.identity import (
    AccountNotJoinedError,
    BadCredentialsError,
    CodeRefusedError,
    CodeSentError,
    EmailTakenError,
    IdentityError,
    IdentityUnavailableError,
    LinkRefusedError,
    NotOfferedError,
    OAuthFailedError,
    SealBrokenError,
    SessionEndedError,
    SignUpClosedError,
    TooManyAttemptsError,
)
from creditcore.domain.errors.messages import (
    AlertsUndeliveredError,
    MailError,
    MailRefusedError,
    MailTemplateError,
    MailUnavailableError,
    WebhookUndeliveredError,
)
from creditcore.domain.errors.not_found import (
    AlertNotFoundError,
    ApiKeyNotFoundError,
    CardNotFoundError,
    DocumentNotFoundError,
    HoldNotFoundError,
    JobNotFoundError,
    MemberNotFoundError,
    ModelNotFoundError,
    NotFoundError,
    PersonNotFoundError,
    PriceRuleNotFoundError,
    PurchaseNotFoundError,
    ReviewNotFoundError,
    TeamNotFoundError,
    WalletNotFoundError,
    WebhookNotFoundError,
)
from creditcore.domain.errors.payments import (
    PayerRefusedError,
    PaymentGatewayError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    WebhookRefusedError,
)
from creditcore.domain.errors.requests import (
    CurrencyNotSoldError,
    InvalidRequestError,
    InvitationRefusedError,
    LastOwnerError,
    NothingAskedError,
)
from creditcore.domain.errors.root import CreditcoreError
from creditcore.domain.errors.store import (
    OutcomeUnknownError,
    OverloadedError,
    RefusedByStoreError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
)
from creditcore.domain.errors.upstream import (
    SpendLogMissingError,
    UpstreamError,
    UpstreamFailedError,
    UpstreamKeyRefusedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

__all__ = [
    "AccountNotJoinedError",
    "AlertNotFoundError",
    "AlertsUndeliveredError",
    "AnswerNotKeptError",
    "ApiKeyNotFoundError",
    "BadCredentialsError",
    "CallRunningError",
    "CardNotFoundError",
    "ClientLeftError",
    "CodeRefusedError",
    "CodeSentError",
    "CreditcoreError",
    "CurrencyMismatchError",
    "CurrencyNotSoldError",
    "DocumentNotFoundError",
    "EmailTakenError",
    "HoldNotFoundError",
    "IdentityError",
    "IdentityUnavailableError",
    "InsufficientCreditsError",
    "InvalidRequestError",
    "InvitationRefusedError",
    "JobNotFoundError",
    "KeyRefusedError",
    "LastOwnerError",
    "LimitReachedError",
    "LinkRefusedError",
    "MailError",
    "MailRefusedError",
    "MailTemplateError",
    "MailUnavailableError",
    "MemberNotFoundError",
    "ModelNotFoundError",
    "NotFoundError",
    "NotOfferedError",
    "NotPermittedError",
    "NothingAskedError",
    "OAuthFailedError",
    "OutcomeUnknownError",
    "OverloadedError",
    "PayerRefusedError",
    "PaymentGatewayError",
    "PaymentGatewayUnavailableError",
    "PaymentRejectedError",
    "PersonNotFoundError",
    "PriceRuleNotFoundError",
    "PurchaseLimitError",
    "PurchaseNotFoundError",
    "ReferenceConflictError",
    "RefusedByStoreError",
    "RepeatedCallError",
    "ReviewNotFoundError",
    "SealBrokenError",
    "SessionEndedError",
    "SignUpClosedError",
    "SpendLogMissingError",
    "StoreBusyError",
    "StoreError",
    "StoreUnavailableError",
    "TeamNotFoundError",
    "TokenReusedError",
    "TooManyAttemptsError",
    "UpstreamError",
    "UpstreamFailedError",
    "UpstreamKeyRefusedError",
    "UpstreamRejectedError",
    "UpstreamTimeoutError",
    "UpstreamUnavailableError",
    "WalletNotFoundError",
    "WebhookNotFoundError",
    "WebhookRefusedError",
    "WebhookUndeliveredError",
]
