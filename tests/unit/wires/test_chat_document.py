"""A chat completion that comes in one piece."""

import orjson
import pytest

from adapters.flask_web.web.errors import refusal_of
from adapters.litellm.faults import failure_within
from adapters.wires.openai.chat_meter import ChatDocumentMeter
from creditcore.domain.errors import UpstreamFailedError
from creditcore.domain.pricing import Usage
from tests.unit.wires.chatting import USAGE
from tests.unit.wires.recordings import VERSIONS, body_of


def a_document(meter: ChatDocumentMeter, body: bytes) -> bytes:
    half = len(body) // 2
    held_back = meter.feed(body[:half]) + meter.feed(body[half:])
    assert held_back == b""
    return meter.finish()


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_document_passes_byte_for_byte(version: str) -> None:
    meter = ChatDocumentMeter(explain=failure_within)
    body = body_of(version, "chat")

    assert a_document(meter, body) == body
    assert meter.usage == Usage(prompt_tokens=19, completion_tokens=4)
    assert meter.delivered_tokens == 6
    assert meter.complete
    assert meter.error is None


def test_document_loses_its_cost_and_nothing_else() -> None:
    document = {
        "id": "c",
        "choices": [{"index": 0, "message": {"content": "hi"}, "provider_specific_fields": {}}],
        "usage": {**USAGE, "cost": 0.1, "cost_details": {"upstream_inference_cost": 0.1}},
        "_hidden_params": {"api_base": "http://10.0.0.7"},
        "system_fingerprint": "fp",
    }

    passed = orjson.loads(
        a_document(ChatDocumentMeter(explain=failure_within), orjson.dumps(document))
    )

    assert passed == {
        "id": "c",
        "choices": document["choices"],
        "usage": USAGE,
        "system_fingerprint": "fp",
    }


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"choices": null}'])
def test_unreadable_document_is_a_failure(body: bytes) -> None:
    meter = ChatDocumentMeter(explain=failure_within)

    passed = a_document(meter, body)

    assert passed == b""
    assert meter.error == "The answer cannot be read."
    assert isinstance(meter.failure, UpstreamFailedError)
    assert meter.failure.status == 502
    assert not meter.complete
    assert meter.usage is None


def test_error_within_an_answer_is_told_without_secrets() -> None:
    meter = ChatDocumentMeter(explain=failure_within)
    body = b'{"error": {"message": "litellm.Timeout Error: see http://10.0.0.7/x", "type": null}}'

    assert a_document(meter, body) == b""
    assert str(meter.failure) == "see [removed]"


def test_document_with_unreadable_usage_is_complete() -> None:
    meter = ChatDocumentMeter(explain=failure_within)
    document = {
        "choices": [{"message": {"content": "12345678"}}],
        "usage": {"prompt_tokens": "nine"},
    }

    a_document(meter, orjson.dumps(document))

    assert meter.complete
    assert (meter.usage, meter.error) == (None, None)
    assert meter.delivered_tokens == 2


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"message": "Provider returned error", "code": 502}, 502),
        ({"message": "no", "code": "503"}, 503),
        ({"message": "no", "status": 400}, 400),
        ({"message": "no", "code": 429}, 429),
        ({"message": "no", "type": "overloaded_error"}, 529),
        ({"message": "no"}, 502),
        ("no", 502),
    ],
)
def test_an_error_within_an_answer_has_a_status_of_its_own(error: object, status: int) -> None:
    meter = ChatDocumentMeter(explain=failure_within)

    a_document(meter, orjson.dumps({"error": error, "usage": {"prompt_tokens": 9}}))

    assert meter.failure is not None
    assert refusal_of(meter.failure, base_url="").status == status
    assert (meter.usage, meter.complete) == (None, False)


def with_an_error(content: str | None) -> bytes:
    error = {"code": 429, "message": "slow down at http://10.0.0.7"}
    choice = {"index": 0, "message": {"content": content}, "error": error}
    return orjson.dumps({"choices": [choice], "usage": USAGE})


@pytest.mark.parametrize("content", [None, ""])
def test_an_error_in_the_only_choice_is_the_answer(content: str | None) -> None:
    meter = ChatDocumentMeter(explain=failure_within)

    assert a_document(meter, with_an_error(content)) == b""
    assert meter.failure is not None
    assert meter.failure.status == 429


def test_what_was_written_before_an_error_in_its_choice_is_delivered() -> None:
    meter = ChatDocumentMeter(explain=failure_within)

    passed = a_document(meter, with_an_error("half an answer"))

    assert b"half an answer" in passed
    assert b"10.0.0.7" not in passed
    assert meter.failure is None
    assert meter.usage == Usage(prompt_tokens=9, completion_tokens=2)
