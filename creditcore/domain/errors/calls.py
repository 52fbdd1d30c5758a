"""Why the gateway does not make a call."""

from __future__ import annotations

from creditcore.domain.errors.root import CreditcoreError


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


class ClientLeftError(CreditcoreError):
    """The client of a call went away while the model server was silent.

    Attributes:
        was_sent: Whether the server had the whole request, so that a model may have run.
    """

    def __init__(self, *, was_sent: bool = True) -> None:
        self.was_sent = was_sent
        super().__init__("The client left before the answer.")


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
        whose: ``key`` or ``account``: the limit of all callers of one wallet together.
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
        who = "this API key" if whose == "key" else "this account, all its callers together,"
        super().__init__(f"The limit of {who} is reached: {most} {allowed}.")
