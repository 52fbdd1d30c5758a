"""Errors in the shapes that providers, clouds and frameworks write them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_in_document, failure_within, refusal
from creditcore.domain.errors import (
    UpstreamError,
    UpstreamFailedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)

QUOTA = "You exceeded your current quota, please check your plan and billing details."
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "21.4s"}
FLAGGED = 'Your chosen model requires moderation. Your input was flagged for "violence".'


def refused(status: int, document: object) -> UpstreamError:
    return refusal(status, orjson.dumps(document), retry_after=None)


@pytest.mark.parametrize(
    "document",
    [
        {"error": ["Too odd.", "More."]},
        {"error": [{"message": "Too odd."}]},
        {"Message": "Too odd."},  # AWS
        {"error_message": "Too odd."},
        {
            "object": "error",
            "message": {"detail": [{"loc": ["body"], "msg": "Too odd."}]},
        },  # Mistral
        {"error": {"error": {"error": {"message": "Too odd."}}}},
    ],
)
def test_the_providers_sentence_is_found_in_every_shape(document: dict[str, Any]) -> None:
    error = refused(422, document)

    assert isinstance(error, UpstreamRejectedError)
    assert str(error) == "Too odd."


@pytest.mark.parametrize(
    ("error", "beside", "seconds"),
    [
        ({"retry_after_seconds": 9}, {}, 9),
        ({"retryAfter": 9}, {}, 9),
        ({"retry_after_ms": 1_500}, {}, 2),
        ({}, {"retry_after": 9}, 9),
        ({"details": [{"reason": "x"}, RETRY_INFO]}, {}, 22),
        ({"details": ["x"]}, {}, None),
        ({"retry_after": "soon"}, {}, None),
        ({"retry_after": "5m"}, {}, None),
        ({"message": "Usage limit reached. Resets in 45 seconds."}, {}, 45),
        ({"message": 'GeminiException - {"details": [{"retryDelay": "21.4s"}]}'}, {}, 22),
    ],
)
def test_the_wait_is_read_where_a_provider_writes_it(
    error: dict[str, Any], beside: dict[str, Any], seconds: int | None
) -> None:
    busy = refused(429, {"error": {"message": "Slow down.", **error}, **beside})

    assert isinstance(busy, UpstreamRejectedError)
    assert (busy.status, busy.retry_after_s) == (429, seconds)


def test_a_quota_that_is_there_again_in_a_while_is_a_rate() -> None:
    """Gemini says of each minute's quota what OpenAI says of an account without money."""
    gone = refused(429, {"error": {"message": QUOTA, "code": 429}})
    for_a_while = refused(
        429, {"error": {"message": f"{QUOTA} Please retry in 21.4s.", "code": 429}}
    )
    within = failure_within({"message": QUOTA, "code": 429, "details": [RETRY_INFO]})

    assert isinstance(gone, UpstreamUnavailableError)
    for busy in (for_a_while, within):
        assert isinstance(busy, UpstreamRejectedError)
        assert (busy.status, busy.code) == (429, "rate_limit_exceeded")
        assert busy.retry_after_s == 22


def test_an_account_without_money_is_the_operators_whatever_wait_is_named() -> None:
    """LiteLLM adds the wait of a deployment that it leaves alone for a while."""
    quoted = f"{{'message': '{QUOTA}', 'type': 'insufficient_quota'}}"
    message = f"OpenAIException - {quoted} No deployments available, try again in 60 seconds."

    assert isinstance(refused(429, {"error": {"message": message}}), UpstreamUnavailableError)


def test_a_key_that_expired_is_the_operators_whatever_wait_is_named() -> None:
    message = "API key expired. Please retry in 21s."

    assert isinstance(refused(429, {"error": {"message": message}}), UpstreamUnavailableError)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, {"message": FLAGGED, "code": 403}),
        (403, {"message": f"litellm.PermissionDeniedError: OpenrouterException - {FLAGGED}"}),
        (400, {"message": "Filtered due to Azure OpenAI's content management policy."}),
    ],
)
def test_a_prompt_that_a_filter_refused_is_the_clients(status: int, error: dict[str, Any]) -> None:
    rejected = refused(status, {"error": error})

    assert isinstance(rejected, UpstreamRejectedError)
    assert (rejected.status, rejected.code) == (400, "content_policy_violation")


@pytest.mark.parametrize("code", ["cyber_policy", "invalid_encrypted_content"])
def test_codes_that_clients_of_today_act_on_are_kept(code: str) -> None:
    error = refused(400, {"error": {"message": "No.", "code": code}})

    assert isinstance(error, UpstreamRejectedError)
    assert error.code == code


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"code": 503, "msg": "Died.", "data": None}, 503),
        ({"success": False, "message": "Died."}, 502),
        ({"detail": "Died."}, 502),
    ],
)
def test_a_stream_that_is_such_an_error_says_so_too(document: dict[str, Any], status: int) -> None:
    error = failure_in_document(orjson.dumps(document))

    assert isinstance(error, UpstreamFailedError)
    assert (error.status, str(error)) == (status, "Died.")


def test_a_document_of_another_kind_is_no_answer() -> None:
    assert isinstance(failure_in_document(b'{"id":"x"}'), UpstreamUnavailableError)
    assert failure_in_document(b'{"choices":[]}') is None
