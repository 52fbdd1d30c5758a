"""Refusals of Supabase Auth in the core's words. Its own text is never shown."""

from __future__ import annotations

import logging
from collections.abc import Callable

from adapters.supabase_auth.actions import Call
from adapters.supabase_auth.answers import Answer
from creditcore.domain.errors import (
    BadCredentialsError,
    CodeRefusedError,
    CreditcoreError,
    EmailTakenError,
    IdentityUnavailableError,
    InvalidRequestError,
    LinkRefusedError,
    NotOfferedError,
    OAuthFailedError,
    SessionEndedError,
    SignUpClosedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import OAuthFailure

_log = logging.getLogger(__name__)

_WEAK = {
    "length": "This password is too short.",
    "characters": "This password needs letters of both cases, digits and other characters.",
    "pwned": "This password is known from data breaches. Choose another one.",
}
_OF_THE_PROJECT = frozenset({"captcha_failed", "not_admin", "no_authorization", "bad_jwt"})
"""Refusals that only the operator can do something about."""


def refusal(call: Call, answer: Answer) -> CreditcoreError:
    """Return the error that a refusing answer stands for."""
    if answer.code in _OF_THE_PROJECT:
        _log.error(
            "Supabase Auth refuses to %s (%s): the project's settings or keys do not fit.",
            call.value,
            answer.code,
        )
        return IdentityUnavailableError()
    return _REFUSALS.get(call, _change)(answer)


def not_now(answer: Answer) -> CreditcoreError:
    """Return the error for an answer that time may heal."""
    if answer.status == 429:
        return TooManyAttemptsError(answer.retry_after_s)
    return IdentityUnavailableError()


def _sign_up(answer: Answer) -> CreditcoreError:
    match answer.code:
        case "user_already_exists" | "email_exists":
            return EmailTakenError()
        case "signup_disabled" | "email_provider_disabled" | "anonymous_provider_disabled":
            return SignUpClosedError()
        case "unknown":
            return InvalidRequestError("This address cannot be used to sign up.", param="email")
        case _:
            return _change(answer)


def _sign_in(answer: Answer) -> CreditcoreError:
    # A ban is looked at before the password: it must not show.
    closed = answer.code == "email_provider_disabled"
    return NotOfferedError() if closed else BadCredentialsError()


def _send_mail(answer: Answer) -> CreditcoreError:
    return _bad_email() if answer.code == "validation_failed" else NotOfferedError()


def _factor(answer: Answer) -> CreditcoreError:
    return SessionEndedError() if answer.code == "insufficient_aal" else CodeRefusedError()


def _admin(answer: Answer) -> CreditcoreError:
    return EmailTakenError() if answer.code == "email_exists" else _change(answer)


def _change(answer: Answer) -> CreditcoreError:
    match answer.code:
        case "weak_password":
            return _weak(answer)
        case "same_password":
            return _bad_password("This is your password already.")
        case "current_password_required" | "current_password_invalid":
            return BadCredentialsError()
        case "reauthentication_not_valid":
            return CodeRefusedError()
        case "insufficient_aal":
            return SessionEndedError()
        case _:
            return _way_in(answer)


def _way_in(answer: Answer) -> CreditcoreError:
    match answer.code:
        case "manual_linking_disabled":
            _log.error("SUPABASE_LINKING is on, and manual linking is off in the project.")
            return NotOfferedError()
        case "single_identity_not_deletable" | "email_conflict_identity_not_deletable":
            return InvalidRequestError(
                "This is the only way in that Supabase knows of. Connect another one first.",
                param="connected",
            )
        case "identity_not_found":
            return _not_connected()
        case _:
            # Passwords were looked at before they were sent.
            return _bad_email()


def _weak(answer: Answer) -> InvalidRequestError:
    reasons = [_WEAK[reason] for reason in answer.weak_password_reasons]
    return _bad_password(" ".join(reasons) or "This password is too easy to guess.")


def _bad_password(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, param="password")


def _not_connected() -> InvalidRequestError:
    return InvalidRequestError("It is not connected to this account.", param="connected")


def _bad_email() -> InvalidRequestError:
    return InvalidRequestError("This e-mail address cannot be used.", param="email")


_REFUSALS: dict[Call, Callable[[Answer], CreditcoreError]] = {
    Call.SIGN_UP: _sign_up,
    Call.SIGN_IN: _sign_in,
    Call.SEND_MAIL: _send_mail,
    Call.VERIFY: lambda _: LinkRefusedError(),
    Call.CONFIRM_EMAIL: lambda _: LinkRefusedError(),
    Call.EXCHANGE: lambda _: OAuthFailedError(OAuthFailure.EXPIRED),
    Call.FACTOR: _factor,
    Call.ADMIN: _admin,
}
