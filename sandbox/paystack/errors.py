"""Errors in Paystack's words."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Response

from sandbox.routing import json_answer


class PaystackError(Exception):
    """A refused API call."""

    def __init__(self, status: int, message: str, **details: Any) -> None:
        """Take the HTTP status, the message, and what else the body carries."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"status": False, "message": message, **details}

    def answer(self) -> Response:
        """Return the error as an HTTP answer."""
        headers = {"retry-after": "1"} if self.status == HTTPStatus.TOO_MANY_REQUESTS else {}
        return json_answer(self.body, self.status, headers)


def invalid(message: str, code: str = "invalid_params") -> PaystackError:
    """Return a refused value."""
    step = "Ensure that the value(s) you're passing are valid"
    return PaystackError(400, message, meta={"nextStep": step}, type="validation_error", code=code)


def invalid_key() -> PaystackError:
    """Return the answer to a missing or wrong secret key."""
    step = "Ensure that you provide the correct authorization key for the request"
    return PaystackError(
        401, "Invalid key", meta={"nextStep": step}, type="validation_error", code="invalid_Key"
    )


def duplicate_reference() -> PaystackError:
    """Return the answer to a reference that was used before, whatever became of it."""
    return PaystackError(
        400,
        "Duplicate Transaction Reference",
        meta={"nextStep": "Try and create the Transaction or Charge with a new reference"},
        type="validation_error",
        code="duplicate_reference",
        errorCodeMappingNotFound=False,
    )


def unknown_reference() -> PaystackError:
    """Return the answer to verifying a reference that was never used."""
    return PaystackError(
        400,
        "Transaction reference not found.",
        meta={
            "nextStep": (
                "Ensure that you're passing the reference of a transaction "
                "that exists on this integration"
            )
        },
        type="validation_error",
        code="transaction_not_found",
    )


def unknown_charge() -> PaystackError:
    """Return the answer to asking about a charge that was never made."""
    return PaystackError(400, "Transaction reference is invalid")


def unknown_transaction() -> PaystackError:
    """Return the answer to fetching an id that does not exist."""
    return PaystackError(404, "Transaction not found")


def failure(status: int) -> PaystackError:
    """Return a rate limit or a fault of the service itself."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        step = "Wait a few minutes and try the API call again"
        return PaystackError(
            429,
            "Rate limit exceeded!",
            meta={"nextStep": step},
            type="api_error",
            code="rate_limited",
        )
    return PaystackError(status, "An error occurred", type="api_error", code="unknown")
