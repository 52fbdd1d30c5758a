"""Errors as LiteLLM words them."""

from __future__ import annotations

from http import HTTPStatus

import orjson

# LiteLLM passes the provider's text on, with whatever secret it holds; a gateway must not.
LEAKED_KEY = "sk-secret-upstream-key"

STREAM_ERROR = (
    '{"error": {"message": "litellm.APIConnectionError: APIConnectionError: '
    'OpenAIException - provider died", "type": null, "param": null, "code": "500"}}'
)


class LiteLLMError(Exception):
    """A refused or failed call.

    Attributes:
        content_type: How the body is labelled.
        retry_after_s: How long it says to wait; None says nothing.
        from_provider: It came from behind the proxy, and carries the headers of a routed call.
    """

    retry_after_s: int | None

    def __init__(self, status: int, body: bytes, *, from_provider: bool = False) -> None:
        """Take the HTTP status and the exact body."""
        super().__init__(status)
        self.status = status
        self.body = body
        self.content_type = "application/json"
        self.retry_after_s = 7 if status == HTTPStatus.TOO_MANY_REQUESTS else None
        self.from_provider = from_provider

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What this error adds to the usual headers."""
        return [] if self.retry_after_s is None else [("retry-after", str(self.retry_after_s))]


def error_body(status: int, message: str, kind: str | None, param: str | None = None) -> bytes:
    """Return the normal error object; its code is the status as text."""
    return orjson.dumps(
        {"error": {"message": message, "type": kind, "param": param, "code": str(status)}}
    )


def no_key() -> LiteLLMError:
    """Return the answer to a call without a usable key."""
    return LiteLLMError(
        401, error_body(401, "Authentication Error, No api key passed in.", "auth_error", "None")
    )


def unknown_key(key_hash: str) -> LiteLLMError:
    """Return the answer to a well-formed key that is not in the database; it echoes the hash."""
    message = (
        "Authentication Error, Invalid proxy server token passed. Received API Key hash: "
        f"{key_hash}. Unable to find token in cache or `LiteLLM_VerificationTokenTable`"
    )
    return LiteLLMError(401, error_body(401, message, "token_not_found_in_db", "key"))


def bad_json(reason: str) -> LiteLLMError:
    """Return the answer to a body that cannot be read."""
    return LiteLLMError(
        400,
        error_body(400, f"Invalid JSON payload: {reason}", "invalid_request_error", "request_body"),
    )


def bad_request(message: str) -> LiteLLMError:
    """Return the answer to a body that lacks something or scripts something unknown."""
    return LiteLLMError(400, error_body(400, message, "invalid_request_error"))


def unknown_model(model: object) -> LiteLLMError:
    """Return the answer to a model without a deployment."""
    message = (
        f"/chat/completions: Invalid model name passed in model={model}. "
        "Call `/v1/models` to view available models for your key."
    )
    fields = {
        "message": message,
        "type": "None",
        "param": "None",
        "code": "400",
        "provider_specific_fields": {"error": message},
    }
    return LiteLLMError(400, orjson.dumps({"error": fields}))


def scripted(status: int, kind: str, model: str) -> LiteLLMError:
    """Return the failure that a script asks for, in the words of that status."""
    if kind == "budget":
        message = "Budget has been exceeded! Current cost: 10.000012, Max budget: 10.0"
        return LiteLLMError(
            status, error_body(status, message, "budget_exceeded"), from_provider=True
        )
    messages = {
        400: (
            "litellm.BadRequestError: litellm.ContextWindowExceededError: "
            "ContextWindowExceededError: OpenAIException - "
            "This model's maximum context length is 128000 tokens. "
            "However, your messages resulted in 128012 tokens. "
            "Please reduce the length of the messages."
        ),
        401: (
            "litellm.AuthenticationError: AuthenticationError: OpenAIException - "
            f"Authentication Error, Invalid proxy server token passed {LEAKED_KEY}."
        ),
        403: (
            "litellm.PermissionDeniedError: PermissionDeniedError: OpenAIException - "
            "This key is not allowed to use the model."
        ),
        429: (
            "litellm.RateLimitError: RateLimitError: OpenAIException - "
            "Rate limit reached for requests per min (RPM): Limit 500, Used 500, Requested 1."
        ),
        500: (
            "litellm.InternalServerError: InternalServerError: OpenAIException - upstream exploded."
        ),
    }
    message = messages.get(
        status, "litellm.APIError: APIError: OpenAIException - scripted failure."
    )
    message += f" Received Model Group={model}\nAvailable Model Group Fallbacks=None"
    error_type = "throttling_error" if status == HTTPStatus.TOO_MANY_REQUESTS else None
    return LiteLLMError(status, error_body(status, message, error_type), from_provider=True)


def of_anthropic(status: int, model: str) -> LiteLLMError:
    """Return the failure that a script asks for, as Anthropic's own: it is text, without a type."""
    kinds = {429: "rate_limit_error", 529: "overloaded_error"}
    said = {"type": kinds.get(status, "api_error"), "message": "scripted failure"}
    whole = orjson.dumps({"type": "error", "error": said}).decode()
    message = f"{whole}. Received Model Group={model}\nAvailable Model Group Fallbacks=None"
    return LiteLLMError(status, error_body(status, message, "None", "None"), from_provider=True)
