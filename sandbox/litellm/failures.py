"""Failures that a script orders."""

from __future__ import annotations

from http import HTTPStatus

from sandbox.litellm.calls import Call
from sandbox.litellm.completion import Completion
from sandbox.litellm.errors import of_anthropic, scripted
from sandbox.litellm.messages import Messages
from sandbox.litellm.protocol import EVENT_STREAM


def fail_if_scripted(completion: Completion, call: Call) -> None:
    """Refuse a call whose script says so, in the words of its status, provider and protocol.

    Raises:
        LiteLLMError: It says so.
    """
    script = completion.script
    status = script.status or (500 if script.error_after >= 0 and not call.stream else 0)
    if status:
        error = scripted(status, script.error, str(call.model))
        if _is_passed_on(completion, call, status):
            error = of_anthropic(status, str(call.model))
        if script.retry_after >= 0:
            error.retry_after_s = script.retry_after
        if script.sse:
            error.body = b"data: " + error.body + b"\n\ndata: [DONE]\n\n"
            error.content_type = EVENT_STREAM
        raise error


def _is_passed_on(completion: Completion, call: Call, status: int) -> bool:
    """Whether LiteLLM passes a failure on as Anthropic words it."""
    of_anthropics = completion.by_anthropic and call.path.endswith(Messages.path)
    is_failure = (
        status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )
    return of_anthropics and is_failure and not completion.script.error
