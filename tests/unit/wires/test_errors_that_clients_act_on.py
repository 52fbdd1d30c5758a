"""A provider's code and waiting time reach the client, on every wire, plain and streamed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from adapters.flask_web.web.errors import Refusal
from adapters.litellm.faults import failure_within
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.responses import Responses
from creditcore.domain.errors import UpstreamRejectedError
from creditcore.ports.inference import Meter, Wire

CODE = "context_length_exceeded"
TOO_LONG = {"message": "Your input exceeds the context window.", "code": CODE}
BUSY = {"message": "Rate limit reached.", "code": "429", "retry_after": 12}
HELLO = [{"role": "user", "content": "hello"}]
REQUESTS: list[tuple[Wire, dict[str, Any]]] = [
    (ChatCompletions(), {"messages": HELLO}),
    (Completions(), {"prompt": "hello"}),
    (Responses(), {"input": "hello"}),
    (Messages(), {"messages": HELLO, "max_tokens": 9}),
]
OPENAI = REQUESTS[:3]


def meter_of(wire: Wire, fields: dict[str, Any], *, stream: bool) -> Meter:
    request = wire.parse(orjson.dumps({"model": "m", "stream": stream, **fields}))
    return wire.meter(request, receipt=lambda _usage: {}, explain=failure_within)


def errors_in(stream: bytes) -> list[dict[str, Any]]:
    documents = [
        orjson.loads(line.removeprefix(b"data: "))
        for line in stream.splitlines()
        if line.startswith(b"data: {")
    ]
    return [
        document.get("response", document)["error"]
        for document in documents
        if document.get("response", document).get("error")
    ]


def streamed(wire: Wire, fields: dict[str, Any], error: dict[str, Any]) -> list[dict[str, Any]]:
    frame = b"data: " + orjson.dumps({"error": error}) + b"\n\n"
    return errors_in(meter_of(wire, fields, stream=True).feed(frame))


@pytest.mark.parametrize(("wire", "fields"), OPENAI)
def test_a_stream_keeps_the_code(wire: Wire, fields: dict[str, Any]) -> None:
    errors = streamed(wire, fields, TOO_LONG)

    assert errors
    assert all(error["code"] == CODE for error in errors)


@pytest.mark.parametrize(("wire", "fields"), REQUESTS)
def test_a_plain_answer_keeps_the_code(wire: Wire, fields: dict[str, Any]) -> None:
    meter = meter_of(wire, fields, stream=False)
    meter.feed(orjson.dumps({"error": {**TOO_LONG, "type": "invalid_request_error"}}))
    meter.finish()

    assert isinstance(meter.failure, UpstreamRejectedError)
    assert (meter.failure.status, meter.failure.code) == (400, CODE)


@pytest.mark.parametrize(("wire", "fields"), REQUESTS)
def test_a_stream_says_how_long_to_wait(wire: Wire, fields: dict[str, Any]) -> None:
    errors = streamed(wire, fields, BUSY)

    assert errors
    assert all("Try again in 12s." in error["message"] for error in errors)


def test_codex_reads_the_code_of_a_limited_rate() -> None:
    """It waits only where the failed response says this code (codex-api, sse/responses.rs)."""
    wire, fields = REQUESTS[2]

    assert streamed(wire, fields, BUSY)[-1]["code"] == "rate_limit_exceeded"


def test_claude_code_reads_that_the_prompt_is_too_long() -> None:
    wire, fields = REQUESTS[3]

    [error] = streamed(wire, fields, TOO_LONG)

    assert error["message"].startswith("prompt is too long: ")


REFUSED = Refusal(
    status=400,
    kind="invalid_request_error",
    code=CODE,
    message="Too long.",
    param="messages",
    details={"error_code": "x"},
)


@pytest.mark.parametrize("wire", [wire for wire, _ in OPENAI])
def test_openai_wires_refuse_as_openai_does(wire: Wire) -> None:
    assert orjson.loads(wire.error_document(REFUSED, call_id="call_1")) == {
        "error": {
            "message": "Too long.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": CODE,
        }
    }
    assert (wire.key_header, wire.id_headers) == ("api-key", ("x-request-id",))


def test_messages_refuses_as_anthropic_does() -> None:
    wire = Messages()

    assert orjson.loads(wire.error_document(REFUSED, call_id="call_1")) == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "prompt is too long: Too long.",
            "details": {"error_code": "x"},
        },
        "request_id": "call_1",
    }
    assert (wire.key_header, wire.id_headers) == ("x-api-key", ("x-request-id", "request-id"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
    ],
)
def test_each_status_has_its_kind_at_anthropic(status: int, kind: str) -> None:
    document = Messages().error_document(replace(REFUSED, status=status), call_id="call_1")

    assert orjson.loads(document)["error"]["type"] == kind
