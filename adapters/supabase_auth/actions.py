"""What each answer of Supabase Auth means for the person who waits for it.

The table of the recorded facts, as one pure function. Rows that the table does not have (sign
in, change of the user, second factor, administration) follow the same thought: an error that
time may heal is never shown as the person's mistake, and never ends a session.
"""

from __future__ import annotations

from enum import StrEnum

from adapters.supabase_auth.answers import Answer


class Call(StrEnum):
    """A call, as far as its answers differ in meaning."""

    SIGN_UP = "sign up"
    SIGN_IN = "sign in"
    REFRESH = "refresh"
    READ_USER = "read user"
    CHANGE_USER = "change user"
    SEND_MAIL = "send mail"
    """Recovery, magic link and resend: their answers must not tell who has an account."""
    VERIFY = "verify"
    CONFIRM_EMAIL = "confirm a new address"
    EXCHANGE = "exchange"
    SIGN_OUT = "sign out"
    FACTOR = "factor"
    ADMIN = "admin"


class Action(StrEnum):
    """What to do."""

    PROCEED = "proceed"
    """It worked: read the body."""
    SHOW_AS_SUCCESS = "show as success"
    """Say what a success would have said: the difference would tell who has an account."""
    REFUSE = "refuse"
    """The person can do something about it, and is told."""
    SIGN_OUT = "sign out"
    """The session is over: forget it."""
    RETRY_LATER = "retry later"
    """Time may heal it: keep everything as it is."""
    RETRY_ONCE = "retry once"
    """Lost a race: the same request again gets the regular answer."""


_ENDS_REFRESH = frozenset(
    {
        "refresh_token_not_found",
        "refresh_token_already_used",
        "session_expired",
        "session_not_found",
        # A malformed token would be asked about for ever.
        "validation_failed",
        "bad_json",
        "user_banned",
        "user_not_found",
    }
)
_ENDS_SESSION = frozenset({"bad_jwt", "session_not_found", "user_not_found", "user_banned"})
_HOOK_FAILURES = ("hook_timeout", "hook_timeout_after_retry", "hook_payload_invalid_content_type")
_BLIND = frozenset({"over_email_send_rate_limit", "otp_disabled"})


def action_for(call: Call, answer: Answer) -> Action:
    """Return what an answer means."""
    if answer.is_success:
        return Action.PROCEED
    return _ACTIONS.get(call, _plain)(answer)


def _may_heal(answer: Answer) -> bool:
    """Whether nothing that the person did is at fault.

    A hook that fails answers 422 or 400, with a code; one that refuses, with the code
    ``unknown`` and a status of its choice: it may think otherwise next time. An error
    without a code comes from the gateway in front of Supabase Auth (a refused API key: 401) or
    from a proxy.
    """
    return (
        answer.status >= 500
        or answer.status in {408, 409, 413, 429}
        or answer.code in _HOOK_FAILURES
        or answer.code in {"", "unknown"}
    )


def _plain(answer: Answer) -> Action:
    return Action.RETRY_LATER if _may_heal(answer) else Action.REFUSE


def _refresh(answer: Answer) -> Action:
    if answer.status == 400 and answer.code in _ENDS_REFRESH:
        return Action.SIGN_OUT
    return Action.RETRY_LATER


def _with_user_token(answer: Answer) -> Action:
    """A call with the user's access token: it may say that the session is over.

    401 ``no_authorization`` counts too; a 401 without a code is the gateway's, which refuses our
    API key, and no reason to sign all persons out.
    """
    if answer.status in {400, 401, 403} and (
        answer.code in _ENDS_SESSION or answer.code == "no_authorization"
    ):
        return Action.SIGN_OUT
    return _plain(answer)


def _read_user(answer: Answer) -> Action:
    action = _with_user_token(answer)
    # Nothing else that is wrong with a mere question is the person's mistake.
    return action if action is Action.SIGN_OUT else Action.RETRY_LATER


def _sign_up(answer: Answer) -> Action:
    if answer.status == 500:
        # Two sign-ups of one address at once: the loser's second try is answered blindly.
        return Action.RETRY_ONCE
    if answer.code == "unknown":
        # The operator's own hook does not want this account, in words of its own.
        return Action.REFUSE
    if answer.code == "over_email_send_rate_limit" and answer.retry_after_s is not None:
        # The mail is on its way already. The project's quota, which has no seconds in its text,
        # is another matter: it undoes the sign-up.
        return Action.SHOW_AS_SUCCESS
    return _plain(answer)


def _send_mail(answer: Answer) -> Action:
    # Unknown addresses are answered with 200 even while the mail server is down.
    if answer.code in _BLIND or answer.status >= 500:
        return Action.SHOW_AS_SUCCESS
    return _plain(answer)


def _confirm_email(answer: Answer) -> Action:
    # Another person got the address meanwhile. While the database is down the header is missing.
    if answer.status == 500 and "x-sb-error-code" in answer.headers:
        return Action.REFUSE
    return _plain(answer)


def _sign_out(_answer: Answer) -> Action:
    # The server's answer does not matter: a person who asks to be signed out is.
    return Action.SIGN_OUT


_ACTIONS = {
    Call.SIGN_UP: _sign_up,
    Call.REFRESH: _refresh,
    Call.READ_USER: _read_user,
    Call.CHANGE_USER: _with_user_token,
    Call.FACTOR: _with_user_token,
    Call.SEND_MAIL: _send_mail,
    Call.CONFIRM_EMAIL: _confirm_email,
    Call.SIGN_OUT: _sign_out,
}
