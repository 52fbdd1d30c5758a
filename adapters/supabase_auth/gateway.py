"""Calls to Supabase Auth whose answers are already acted upon."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from adapters.supabase_auth.actions import Action, Call, action_for
from adapters.supabase_auth.answers import Answer
from adapters.supabase_auth.client import GoTrueClient, NoAnswerError
from adapters.supabase_auth.refusals import not_now, refusal
from creditcore.domain.errors import (
    IdentityError,
    IdentityUnavailableError,
    SessionEndedError,
)
from creditcore.domain.identities import SignOutScope

_log = logging.getLogger(__name__)


class Gateway:
    """Asks, and turns what is no success into the core's errors."""

    def __init__(self, client: GoTrueClient) -> None:
        self.client = client

    def ask(
        self,
        call: Call,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        user_token: str | None = None,
        tolerate: frozenset[str] = frozenset(),
    ) -> Answer:
        """Return the answer, where it is one to go on with.

        Args:
            call: What the answer is judged as.
            method: The HTTP method.
            path: Below ``/auth/v1``.
            query: Parameters of the address.
            body: Sent as JSON.
            user_token: The access token of the person on whose behalf this is asked.
            tolerate: Codes of refusals that the caller acts upon: returned, not raised.

        Raises:
            CreditcoreError: See ``refusals``; ``SessionEndedError`` where the person has to sign
                in again, ``IdentityUnavailableError`` where the outcome is unknown.
        """
        for attempt in (1, 2):
            try:
                answer = self.client.ask(
                    method, path, query=query, body=body, user_token=user_token
                )
            except NoAnswerError as error:
                _log.warning("No answer to %s: %s", call.value, error.reason)
                raise IdentityUnavailableError from error
            action = action_for(call, answer)
            if action in {Action.PROCEED, Action.SHOW_AS_SUCCESS}:
                self._note(call, answer)
                return answer
            if action is Action.REFUSE and answer.code in tolerate:
                return answer
            if action is not Action.RETRY_ONCE or attempt == 2:
                break
        raise self._error(call, answer, action)

    def end_session(self, access_token: str, scope: SignOutScope = SignOutScope.THIS) -> None:
        """End a session at the server; where that cannot be told, it counts as done."""
        try:
            self.ask(
                Call.SIGN_OUT,
                "POST",
                "/logout",
                # Without it all sessions would end.
                query={"scope": scope.value},
                user_token=access_token,
            )
        except IdentityError as error:
            _log.info("Signing out upstream: %s", type(error).__name__)

    def _error(self, call: Call, answer: Answer, action: Action) -> Exception:
        if action is Action.SIGN_OUT:
            return SessionEndedError()
        if action is Action.REFUSE:
            return refusal(call, answer)
        self._note(call, answer)
        return not_now(answer)

    def _note(self, call: Call, answer: Answer) -> None:
        """Log what an operator should know. The text of an error names hosts and addresses."""
        if not answer.is_success:
            _log.warning("%s was answered %s %s", call.value, answer.status, answer.code or "-")
