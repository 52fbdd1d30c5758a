"""LiteLLM's HTTP API: inference, models and health."""

from __future__ import annotations

import hashlib
import hmac
import io
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any, Literal
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from werkzeug.formparser import parse_form_data
from werkzeug.wrappers import Request, Response

from sandbox.connection import Connection, ConnectionDropped
from sandbox.litellm.calls import Call, Calls
from sandbox.litellm.chunks import ChatCompletions, Completions
from sandbox.litellm.completion import Completion
from sandbox.litellm.embeddings import Embeddings
from sandbox.litellm.errors import (
    LiteLLMError,
    bad_json,
    bad_request,
    error_body,
    no_key,
    unknown_key,
    unknown_model,
)
from sandbox.litellm.failures import fail_if_scripted
from sandbox.litellm.keys import VirtualKey, VirtualKeys
from sandbox.litellm.media import Images, Moderations, Rerank, Speech, Transcriptions
from sandbox.litellm.messages import Messages
from sandbox.litellm.models import Models
from sandbox.litellm.protocol import EVENT_STREAM, InferenceProtocol
from sandbox.litellm.responses import Responses
from sandbox.litellm.script import Script
from sandbox.litellm.spend import SpendLog, SpendRow
from sandbox.litellm.stream import Stream
from sandbox.litellm.token_counter import MAX_BODY_BYTES, TokenCounter
from sandbox.routing import Router, json_answer, json_answer_with_exponents

Headers = list[tuple[str, str]]
Outage = Literal["", "drop", "503"]

VERSION = "1.91.5"
INFERENCE: tuple[InferenceProtocol, ...] = (
    ChatCompletions(),
    Completions(),
    Embeddings(),
    Messages(),
    Responses(),
    Images(),
    Speech(),
    Transcriptions(),
    Rerank(),
    Moderations(),
)
PROTOCOLS = {f"{root}{route.path}": route for root in ("/v1", "") for route in INFERENCE}

SECURITY_HEADERS: Headers = [
    ("vary", "Origin"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
]
STREAM_HEADERS: Headers = [
    ("cache-control", "no-cache"),
    ("x-accel-buffering", "no"),
    ("content-type", EVENT_STREAM),
]


class LiteLLM:
    """The stand-in as a WSGI application, mounted under ``/litellm``.

    Attributes:
        outage: How everything fails at present: dropped connections or 503; empty in good health.
    """

    def __init__(self, *, master_key: str) -> None:
        """Start in good health, with the usual catalogue."""
        self.models = Models()
        self.calls = Calls()
        self.keys = VirtualKeys(master_key=master_key)
        self.spend = SpendLog()
        self.outage: Outage = ""
        self.counter = TokenCounter(self.models)
        self._master_key = master_key.encode()
        self._router = Router(
            [
                ("GET", "/model/info", self._model_info),
                ("GET", "/v1/model/info", self._model_info),
                ("GET", "/models", self._list_models),
                ("GET", "/v1/models", self._list_models),
                ("GET", "/health/liveliness", self._liveliness),
                ("GET", "/health/liveness", self._liveliness),
                ("GET", "/health/readiness", self._readiness),
                ("GET", "/spend/logs/v2", self._spend_logs),
                *(
                    (method, path, partial(self._with_key, answer))
                    for method, path, answer in self.counter.routes
                ),
                *self.keys.routes,
            ],
            error=lambda status, message: json_answer({"detail": message}, status),
            max_body_bytes=MAX_BODY_BYTES,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if self.outage == "drop":
            raise ConnectionDropped
        if self.outage:
            body = error_body(503, "Service Unavailable", "internal_server_error")
            return _answer(start_response, LiteLLMError(503, body), [])
        # Inference skips the router: it is what benchmarks call thousands of times a second.
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] in PROTOCOLS:
            protocol = PROTOCOLS[environ["PATH_INFO"]]
            return self._infer(protocol, environ, start_response)
        return self._router(environ, start_response)

    def reset(self) -> None:
        """Return to good health and the usual prices, and forget the calls."""
        self.models.reset()
        self.calls.clear()
        self.keys.clear()
        self.spend.clear()
        self.outage = ""
        self.counter.reset()

    def _model_info(self, request: Request) -> Response:
        return self._guarded(
            request, lambda: json_answer_with_exponents(self.models.as_model_info())
        )

    def _list_models(self, request: Request) -> Response:
        return self._guarded(request, lambda: json_answer(self.models.as_list()))

    def _liveliness(self, _request: Request) -> Response:
        return json_answer("I'm alive!")

    def _readiness(self, _request: Request) -> Response:
        if self.keys.database_down:
            return json_answer({"status": "healthy", "db": "disconnected"}, 503)
        return json_answer({"status": "healthy", "db": "connected"})

    def _spend_logs(self, request: Request) -> Response:
        return self._guarded(request, lambda: self.spend.page(request))

    def _with_key(self, answer: Callable[[Request], Response], request: Request) -> Response:
        return self._guarded(request, lambda: answer(request))

    def _guarded(self, request: Request, answer: Callable[[], Response]) -> Response:
        try:
            self._check_key(request.environ)
            return answer()
        except LiteLLMError as error:
            return Response(error.body, status=error.status, content_type="application/json")

    def _check_key(self, environ: WSGIEnvironment) -> None:
        # Anthropic's header, in which it is sent its key as a provider.
        key = environ.get("HTTP_X_API_KEY") or _bearer(environ)
        if not hmac.compare_digest(key.encode(), self._master_key):
            raise unknown_key(hashlib.sha256(key.encode()).hexdigest())

    def _infer(
        self, protocol: InferenceProtocol, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer an inference call, and keep a record of it until the last byte."""
        call = Call(
            call_id=environ.get("HTTP_X_LITELLM_CALL_ID") or str(uuid.uuid4()),
            path=environ["PATH_INFO"],
            headers=_request_headers(environ),
            body=(data := environ["wsgi.input"].read()),
        )
        self.calls.begin(call)  # of a long body it keeps nothing
        connection = Connection.of(environ)
        try:
            key = _bearer(environ)
            body = _body(data, call.headers.get("content-type", ""))
            virtual_key = self.keys.check(key, model=body.get("model"))
            call.stream = body.get("stream") is True
            call.model = self._routed_model(body)
            completion = protocol.answer(body, self.models.info(call.model))
            _wait_before_headers(completion.script, call, connection)
            fail_if_scripted(completion, call)
        except LiteLLMError as error:
            call.status = error.status
            call.finished = True
            self.calls.end(call)
            return _answer(start_response, error, _error_headers(call, error))
        except BaseException:
            self.calls.end(call)
            raise
        call.status = 200
        headers = _headers(call, self.models.info(call.model)["id"], completion)
        if call.stream:
            events = protocol.events(completion, body)
            parts = Stream(events, completion, call, connection).written()
            headers += STREAM_HEADERS
        else:
            text = protocol.document(completion, body)
            parts = _plain(text, completion, call, connection)
            headers += [("content-length", str(len(text))), ("content-type", protocol.media_type)]
        start_response("200 OK", headers + SECURITY_HEADERS)
        return self._recorded(call, parts, completion, virtual_key)

    def _routed_model(self, body: dict[str, Any]) -> str:
        model = body.get("model")
        if not isinstance(model, str) or model not in self.models:
            raise unknown_model(model)
        return model

    def _recorded(
        self,
        call: Call,
        parts: Iterator[bytes],
        completion: Completion,
        virtual_key: VirtualKey | None,
    ) -> Iterator[bytes]:
        """Pass the parts on, notice how the answer ended, and log what it cost."""
        try:
            yield from parts
        except GeneratorExit:
            # The server stops asking for parts when it cannot write any more.
            call.closed_by_client = True
            raise
        else:
            call.finished = True
        finally:
            self.calls.end(call)
            self._log_spend(call, completion, virtual_key)

    def _log_spend(
        self, call: Call, completion: Completion, virtual_key: VirtualKey | None
    ) -> None:
        # Even of a client that left: the provider was asked for all of it.
        if virtual_key is not None:
            virtual_key.spend += completion.cost
        usage = completion.usage or {}
        self.spend.add(
            SpendRow(
                call_id=call.call_id,
                api_key=virtual_key.token if virtual_key else "litellm_proxy_master_key",
                model=completion.model,
                spend=completion.cost,
                prompt_tokens=_tokens(usage, "prompt_tokens"),
                completion_tokens=_tokens(usage, "completion_tokens"),
                started_at=call.started_at,
            )
        )


def _bearer(environ: WSGIEnvironment) -> str:
    scheme, _, key = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key.startswith("sk-"):
        raise no_key()
    return key


def _tokens(usage: dict[str, Any], name: str) -> int:
    count = usage.get(name)
    return count if isinstance(count, int) else 0


def _plain(
    text: bytes, completion: Completion, call: Call, connection: Connection
) -> Iterator[bytes]:
    script = completion.script
    if script.cut_after >= 0 or script.hang_after >= 0:
        yield text[: len(text) // 2]
        if script.hang_after >= 0:
            connection.wait_until_closed()
            call.closed_by_client = True
        raise ConnectionDropped
    step = script.drip_bytes or len(text)
    for start in range(0, len(text), step):
        yield text[start : start + step]
    call.tokens_sent = len(completion.pieces) * completion.choices


def _wait_before_headers(script: Script, call: Call, connection: Connection) -> None:
    if script.hang:
        connection.wait_until_closed()
        call.closed_by_client = True
        raise ConnectionDropped
    pause_ms = script.first_ms
    if not call.stream:
        # A plain answer takes as long as all its tokens would.
        pause_ms += script.delay_ms * max(0, script.tokens)
    if pause_ms and connection.closes_within(pause_ms / 1000):
        call.closed_by_client = True
        raise ConnectionDropped


def _body(data: bytes, content_type: str) -> dict[str, Any]:
    if content_type.startswith("multipart/form-data"):
        return _form(data, content_type)
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise bad_json(str(error)) from error
    if not isinstance(body, dict):
        raise bad_request("The request body must be an object")
    return body


def _form(data: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields of a form, lists without their brackets, and the bytes of its file."""
    environ = {
        "REQUEST_METHOD": "POST",
        "wsgi.input": io.BytesIO(data),
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(data)),
    }
    _, fields, files = parse_form_data(environ)
    if "file" not in files:
        raise bad_request("the form has no file")
    body: dict[str, Any] = {
        name.removesuffix("[]"): values if name.endswith("[]") else values[0]
        for name, values in fields.lists()
    }
    return {**body, "file": files["file"].read()}


def _request_headers(environ: WSGIEnvironment) -> dict[str, str]:
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if name in environ:
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers


def _answer(start_response: StartResponse, error: LiteLLMError, headers: Headers) -> list[bytes]:
    headers = [
        *headers,
        *error.headers,
        ("content-length", str(len(error.body))),
        ("content-type", error.content_type),
        *SECURITY_HEADERS,
    ]
    start_response(error.status_line, headers)
    return [error.body]


def _error_headers(call: Call, error: LiteLLMError) -> Headers:
    headers = [("server", "uvicorn")]
    if call.model is None and error.status != HTTPStatus.BAD_REQUEST:
        return headers
    headers += [
        ("x-litellm-call-id", call.call_id),
        ("x-litellm-response-cost", "0"),
        ("x-litellm-key-spend", "0.0"),
    ]
    if error.from_provider:
        headers.append(("x-litellm-timeout", "6000.0"))
    return headers


def _headers(call: Call, model_id: str, completion: Completion) -> Headers:
    """Return what a real proxy says of itself, provider and cost; clients should see none of it."""
    cost = completion.cost
    spend = "0.0" if call.stream else repr(cost)
    duration_ms = (time.time() - call.started_at) * 1000
    headers = [
        ("server", "uvicorn"),
        ("x-litellm-call-id", call.call_id),
        ("x-litellm-model-id", model_id),
        ("x-litellm-model-api-base", "http://127.0.0.1:9101/v1"),
        ("x-litellm-version", VERSION),
        ("x-litellm-response-cost-original", spend),
        ("x-litellm-response-cost-discount-amount", "0.0"),
        ("x-litellm-response-cost-margin-amount", "0.0"),
        ("x-litellm-response-cost-margin-percent", "0.0"),
        ("x-litellm-key-spend", spend),
        ("x-litellm-response-duration-ms", f"{duration_ms:.3f}"),
        ("x-litellm-overhead-duration-ms", f"{duration_ms:.3f}"),
        ("x-litellm-callback-duration-ms", "0.0"),
        ("llm_provider-content-type", "text/event-stream" if call.stream else "application/json"),
        ("llm_provider-server", "sandbox-provider"),
        ("llm_provider-openai-organization", "org-sandbox"),
        ("llm_provider-x-request-id", f"req_{completion.id}"),
        ("x-litellm-model-group", completion.model),
        ("x-litellm-attempted-retries", "0"),
        ("x-litellm-attempted-fallbacks", "0"),
    ]
    # Streams leave before their cost is known, and a cost of nothing is left out.
    if cost and not call.stream:
        headers.append(("x-litellm-response-cost", repr(cost)))
    return headers
