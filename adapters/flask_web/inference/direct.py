"""What a LiteLLM proxy asks before a call that people make there, and tells after it.

``POST /api/litellm/authorize`` and ``POST /api/litellm/log-usage``, for the bearer of
``LITELLM_DIRECT_TOKEN``. Without that setting there is nothing here. A WSGI application in front
of the site: a request with images is megabytes, far above what the site takes.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.flask_web.inference.body_budget import BodyBudget
from adapters.flask_web.inference.request_body import read_body
from adapters.flask_web.settings import Settings
from adapters.flask_web.web.errors import RefusedError, refusal, refusal_of
from adapters.flask_web.web.log_lines import CALL_ID
from creditcore.domain.direct_calls import CallReport, check_call_id
from creditcore.domain.errors import CreditcoreError, InvalidRequestError
from creditcore.domain.keys import ApiKey, KeySecret
from creditcore.ports.inference import Wire
from creditcore.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/api/litellm/"
MAX_AUTHORIZE_BYTES = 33 * 1024 * 1024
"""A request as large as the gateway itself takes, and what goes around it."""

MAX_REPORT_BYTES = 64 * 1024

_MODELS = "/v1/models"
_BEARER = "bearer"
_TRACEPARENT = "HTTP_TRACEPARENT"
"""W3C's name of the trace that a request belongs to: https://www.w3.org/TR/trace-context/."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_NO_STORE = (("content-type", "application/json"), ("cache-control", "no-store"))

_log = logging.getLogger(__name__)

Shape = TypeVar("Shape", bound=BaseModel)


class _Asked(BaseModel):
    """A question whether a call may be made, apart from the request itself."""

    model_config = ConfigDict(extra="forbid", strict=True)

    call_id: str = Field(max_length=64)
    key: str = Field(max_length=500)
    endpoint: str = Field(max_length=100)
    address: str | None = Field(default=None, max_length=100)
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)


class _Told(BaseModel):
    """A report of a call that has ended."""

    model_config = ConfigDict(extra="forbid", strict=True)

    call_id: str = Field(max_length=64)
    status: Literal["success", "failure"]
    usage: dict[str, Any] | None = None
    counted: bool = False
    cost_usd: str | None = Field(default=None, max_length=64)
    http_status: int = Field(default=200, ge=0, le=599)
    error: str | None = Field(default=None, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")
    latency_ms: int = Field(default=0, ge=0, le=86_400_000)
    first_byte_ms: int | None = Field(default=None, ge=0, le=86_400_000)


class DirectMode:
    """Answers ``/api/litellm``; hands the rest on."""

    def __init__(self, services: Services, settings: Settings, *, site: WSGIApplication) -> None:
        self._services = services
        self._base_url = settings.base_url
        self._token = settings.litellm_direct_token.encode()
        self._budget = BodyBudget()
        self._site = site
        self._answers: Mapping[str, Callable[[WSGIEnvironment], dict[str, object]]] = {
            f"{PREFIX}authorize": self._authorize,
            f"{PREFIX}log-usage": self._log_usage,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        answer = self._answers.get(environ.get("PATH_INFO", ""))
        if answer is None:
            return self._site(environ, start_response)
        # A connection may have served another call before.
        CALL_ID.set("")
        try:
            self._check(environ)
            return _json(start_response, 200, answer(environ))
        except RefusedError as error:
            refused = error.answer
        except CreditcoreError as error:
            refused = refusal_of(error, base_url=self._base_url)
        except Exception:  # noqa: BLE001 - the last resort; the log has it all
            _log.exception("%s failed", environ.get("PATH_INFO"))
            refused = refusal(500, "Something went wrong on our side.", code="internal_error")
        return _json(start_response, refused.status, refused.body, refused.headers)

    def _check(self, environ: WSGIEnvironment) -> None:
        """Let in who has the token, before anything of the body is read."""
        scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        known = hmac.compare_digest(given.strip().encode(), self._token)
        if scheme.lower() != _BEARER or not known:
            message = "Send LITELLM_DIRECT_TOKEN as a bearer token."
            headers = (("www-authenticate", "Bearer"),)
            raise RefusedError(refusal(401, message, code="bad_token", headers=headers))
        if environ["REQUEST_METHOD"] != "POST":
            message = f"Use POST here, not {environ['REQUEST_METHOD']}."
            headers = (("allow", "POST"),)
            raise RefusedError(refusal(405, message, code="method_not_allowed", headers=headers))

    def _authorize(self, environ: WSGIEnvironment) -> dict[str, object]:
        with self._budget.share(None) as share:
            document = _object(read_body(environ, most=MAX_AUTHORIZE_BYTES, share=share))
            request = document.pop("request", None)
            asked = _read(_Asked, document)
            _name_lines(asked.call_id)
            secret = KeySecret.parse(asked.key)
            if asked.endpoint == _MODELS:
                return self._models(secret, asked)
            wire = self._services.wires.get(asked.endpoint)
            if wire is None or not isinstance(request, dict):
                endpoints = ", ".join([*self._services.wires, _MODELS])
                raise InvalidRequestError(
                    f"endpoint is one of {endpoints}, and request the JSON object that was sent.",
                    param="endpoint" if wire is None else "request",
                )
            traceparent = environ.get(_TRACEPARENT, "")
            return self._allow(wire, request, secret, asked, traceparent)

    def _allow(
        self,
        wire: Wire,
        request: dict[str, Any],
        secret: KeySecret,
        asked: _Asked,
        traceparent: str,
    ) -> dict[str, object]:
        heard = wire.hearing(asked.headers.get)
        try:
            allowed = self._services.calls.direct.authorize(
                heard,
                orjson.dumps(request),
                secret=secret,
                call_id=asked.call_id,
                address=asked.address,
                traceparent=traceparent,
            )
        except CreditcoreError as error:
            self._keep(wire, secret, asked.call_id, error)
            raise
        return {
            **_identity(allowed.key),
            "call_id": allowed.hold.reference,
            "held": str(allowed.hold.amount),
            "available": str(allowed.available),
            "expires_at": allowed.hold.expires_at.isoformat(),
            "prompt_estimate": allowed.prompt_estimate,
            "traceparent": allowed.traceparent or None,
            **_changes(request, orjson.loads(allowed.body)),
        }

    def _models(self, secret: KeySecret, asked: _Asked) -> dict[str, object]:
        """Recognise a key, for a list of the models that it may call; nothing is held."""
        key = self._services.keys.recognition.recognise(secret)
        key.check_address(asked.address)
        models = [price.model for price in self._services.calls.prices.all()]
        return {
            **_identity(key),
            "models": [model for model in models if key.limits.permits_model(model)],
        }

    def _keep(self, wire: Wire, secret: KeySecret, call_id: str, error: CreditcoreError) -> None:
        """Keep a refused call for its key's owner, under its own name."""
        with suppress(CreditcoreError):
            answer = refusal_of(error, base_url=self._base_url, limit_field=wire.limit_field)
            self._services.calls.refusals.note(
                secret,
                reference=check_call_id(call_id),
                model=error.model,
                endpoint=wire.endpoint,
                status=answer.status,
                code=answer.code or answer.kind,
                message=answer.message,
            )

    def _log_usage(self, environ: WSGIEnvironment) -> dict[str, object]:
        told = _read(_Told, _object(read_body(environ, most=MAX_REPORT_BYTES)))
        _name_lines(told.call_id)
        direct = self._services.calls.direct
        hold = direct.settle(
            told.call_id,
            CallReport(
                succeeded=told.status == "success",
                usage=None if told.usage is None else direct.read_usage(told.usage),
                counted=told.counted,
                reported_cost=told.cost_usd,
                status=told.http_status,
                error=told.error,
                latency_ms=told.latency_ms,
                first_byte_ms=told.first_byte_ms,
            ),
            traceparent=environ.get(_TRACEPARENT, ""),
        )
        return {
            "call_id": hold.reference,
            "state": str(hold.state),
            "charged": str(hold.charged),
            "written_off": str(hold.written_off),
            "basis": str(hold.outcome.basis),
        }


def _json(
    start_response: StartResponse,
    status: int,
    body: Mapping[str, object],
    headers: tuple[tuple[str, str], ...] = (),
) -> Iterable[bytes]:
    document = orjson.dumps(body)
    length = ("content-length", str(len(document)))
    status_line = f"{status} {_PHRASES.get(status, 'Refused')}"
    start_response(status_line, [*_NO_STORE, length, *headers])
    return [document]


def _name_lines(call_id: str) -> None:
    """Have what is logged from here on name the call, where its name can be one."""
    with suppress(InvalidRequestError):
        CALL_ID.set(check_call_id(call_id))


def _identity(key: ApiKey) -> dict[str, object]:
    return {"key_id": key.id, "key_name": key.name, "owner_id": key.owner_id}


def _changes(request: dict[str, Any], body: dict[str, Any]) -> dict[str, object]:
    """Return how a request is changed into the one that is to be run, field by field.

    What stays is not sent back: it may be megabytes.
    """
    return {
        "set": {
            name: value
            for name, value in body.items()
            if name not in request or request[name] != value
        },
        "remove": sorted(request.keys() - body.keys()),
    }


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError("The body is no JSON.") from error
    if not isinstance(document, dict):
        raise InvalidRequestError("The body is a JSON object.")
    return document


def _read(shape: type[Shape], document: dict[str, Any]) -> Shape:
    try:
        return shape.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        param = ".".join(str(part) for part in first["loc"])
        raise InvalidRequestError(f"{param}: {first['msg']}.", param=param) from None
