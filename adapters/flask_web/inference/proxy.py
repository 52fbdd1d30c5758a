"""The streaming API: a WSGI application in front of Flask's dispatch.

Bytes in, use case, bytes out. Everything under ``/v1`` is answered here, on the OpenAI
wire, or under ``/v1/messages`` on Anthropic's; everything else is the site's.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import orjson
from werkzeug.exceptions import TooManyRequests

from adapters.flask_web.inference.body_budget import BodyBudget, Share
from adapters.flask_web.inference.form_reader import MAX_UPLOADS_BYTES, FormReader, read_form
from adapters.flask_web.inference.idempotency_key import idempotency_key
from adapters.flask_web.inference.model_list import offered
from adapters.flask_web.inference.request_body import declared_length, has_arrived, read_body
from adapters.flask_web.settings import Settings
from adapters.flask_web.web.bearer import bearer_secret, either_secret
from adapters.flask_web.web.cors import ANSWER_HEADERS, preflight_headers
from adapters.flask_web.web.errors import Refusal, RefusedError, refusal, refusal_of
from adapters.flask_web.web.log_lines import CALL_ID
from adapters.flask_web.web.throttle import COUNTS_PER_KEY, Throttle
from adapters.flask_web.web.turns import Turns
from creditcore.domain.errors import (
    CallRunningError,
    CreditcoreError,
    LimitReachedError,
    ModelNotFoundError,
    UpstreamError,
)
from creditcore.domain.keys import ApiKey, KeySecret
from creditcore.domain.pricing import ModelPrice
from creditcore.domain.rates import standings_at
from creditcore.ports.inference import HeardWire, OfferedModel, TokenCounter, Wire
from creditcore.services import Services
from creditcore.usecases.calls.relayed_call import RelayedCall
from creditcore.usecases.calls.repeat_call import KeptAnswer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BODY_BYTES = 32 * 1024 * 1024
"""As large as providers take: prompts with images are megabytes."""

MAX_FORM_BYTES = 1024 * 1024
"""The site takes forms and webhooks."""

JSON = "application/json"
_SMALL_BYTES = 64 * 1024
_MODELS = "/v1/models"
_BILLING = "/v1/dashboard/billing/"
"""What balance widgets ask for: the account's, though its address is the inference API's."""
_CALL_ID = "creditcore.call_id"
"""Where a request that repeats another keeps the id of the call that it stands for."""
_PHRASES = {status.value: status.phrase for status in HTTPStatus}

# What is echoed in an answer must not be taken for a page.
_AS_SAID = ("x-content-type-options", "nosniff")

_log = logging.getLogger(__name__)

_Headers = list[tuple[str, str]]


class Proxy:
    """Answers ``/v1``; hands the rest on."""

    def __init__(
        self, services: Services, settings: Settings, *, throttle: Throttle, site: WSGIApplication
    ) -> None:
        self._services = services
        self._base_url = settings.base_url
        self._tariff = settings.tariff
        self._markup = settings.usage_markup
        self._throttle = throttle
        self._turns = Turns()
        self.budget = BodyBudget()
        self.uploads = BodyBudget(MAX_UPLOADS_BYTES)
        self._site = site

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        path = environ.get("PATH_INFO", "")
        if path not in self._services.wires:
            path = self._meant(path, environ)
        if path.startswith(_BILLING) or (path != "/v1" and not path.startswith("/v1/")):
            return self._serve_site(environ, start_response)
        if environ["REQUEST_METHOD"] == "OPTIONS":
            wanted = _header(environ, "access-control-request-headers")
            start_response("204 No Content", preflight_headers(wanted))
            return []
        call_id = self._services.calls.relay.new_call_id()
        CALL_ID.set(call_id)
        limits: _Headers = []
        try:
            return self._serve(path, environ, start_response, call_id)
        except RefusedError as error:
            answer = error.answer
        except CreditcoreError as error:
            limit_field = self._wire_at(path, environ).limit_field
            answer = refusal_of(error, base_url=self._base_url, limit_field=limit_field)
            self._keep(path, environ, answer, error.model, call_id)
            if isinstance(error, LimitReachedError):
                limits = self._wire_at(path, environ).limit_headers(standings_at(error))
        except Exception:  # noqa: BLE001 - the last resort; the log has it all
            _log.exception("call %s failed", call_id)
            message = f"Something went wrong on our side. Tell support the number {call_id}."
            answer = refusal(500, message, code="internal_error")
        wire = self._wire_at(path, environ)
        call_id = environ.get(_CALL_ID, call_id)
        headers = [*answer.headers, *limits, *ANSWER_HEADERS, *_names(wire, call_id)]
        body = wire.error_document(answer, call_id=call_id)
        document = _whole(start_response, answer.status, body, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else document

    def _meant(self, path: str, environ: WSGIEnvironment) -> str:
        """Return the path that a client means whose base URL has a part too few or too many."""
        plain = "/" + "/".join(filter(None, path.split("/")))
        while plain.startswith("/v1/v1/"):
            plain = plain.removeprefix("/v1")
        for meant in (plain, f"/v1{plain}"):
            if meant in self._services.wires or meant in self._services.token_counters:
                return meant
        # Of the site's own page nobody asks with a key.
        if plain == _MODELS or (f"/v1{plain}" == _MODELS and _header(environ, "authorization")):
            return _MODELS
        return path

    def _keep(
        self, path: str, environ: WSGIEnvironment, answer: Refusal, model: str, call_id: str
    ) -> None:
        """Keep a refused call for whoever has the key; a malformed one is nobody's."""
        wire = self._services.wires.get(path)
        if wire is None:
            return
        with suppress(CreditcoreError):
            self._services.calls.refusals.note(
                _secret(wire, environ),
                reference=call_id,
                model=model,
                endpoint=path,
                status=answer.status,
                code=answer.code or answer.kind,
                message=answer.message,
            )

    def _serve_site(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        try:
            environ = _in_time(environ)
        except RefusedError as error:
            answer = error.answer
            body = orjson.dumps(answer.body)
            headers = [*answer.headers, ("x-request-id", self._services.calls.relay.new_call_id())]
            return _whole(start_response, answer.status, body, headers)
        return self._site(environ, start_response)

    def _serve(
        self, path: str, environ: WSGIEnvironment, start_response: StartResponse, call_id: str
    ) -> Iterable[bytes]:
        if wire := self._services.wires.get(path):
            _only(environ, "POST")
            return self._call(wire, environ, start_response, call_id)
        wire = self._wire_at(path, environ)
        if _is_of_models(path):
            _only(environ, "GET")
            key = self._known_key(_secret(wire, environ), environ)
            document = self._models(wire, path, key, query=environ.get("QUERY_STRING", ""))
        elif counter := self._services.token_counters.get(path):
            _only(environ, "POST")
            document = self._count(counter, _secret(wire, environ), environ)
        else:
            message = f"There is no {path} here. See {self._base_url}/ for what there is."
            raise RefusedError(refusal(404, message, code="unknown_url"))
        headers = [*ANSWER_HEADERS, *_names(wire, call_id)]
        return _whole(start_response, 200, document, headers)

    def _known_key(self, secret: KeySecret, environ: WSGIEnvironment) -> ApiKey:
        key = self._services.keys.recognition.recognise(secret)
        key.check_address(environ.get("REMOTE_ADDR"))
        return key

    def _count(self, counter: TokenCounter, secret: KeySecret, environ: WSGIEnvironment) -> bytes:
        """Count a request, for nothing, and therefore not too often."""
        key = self._known_key(secret, environ)
        try:
            self._throttle.count(COUNTS_PER_KEY, "count_tokens", key.id)
        except TooManyRequests as error:
            headers = (("retry-after", str(COUNTS_PER_KEY.get_expiry())),)
            message = f"A key may have {COUNTS_PER_KEY.amount} requests a minute counted."
            raise RefusedError(
                refusal(429, message, code="rate_limit_exceeded", headers=headers)
            ) from error
        with self.budget.share() as share:
            count = counter.count(self._body(environ, secret, share))
        self._price(count.model, key)
        return counter.document(count)

    def _call(
        self, wire: Wire, environ: WSGIEnvironment, start_response: StartResponse, call_id: str
    ) -> Iterable[bytes]:
        secret = _secret(wire, environ)
        heard = wire.hearing(lambda name: _header(environ, name))
        # Until its answer begins, a call keeps its body, and all that was made of it.
        with self.budget.share() as share, ExitStack() as files:
            heard, body = self._received(heard, environ, secret, share, files)
            address = environ.get("REMOTE_ADDR")
            token = idempotency_key(_header(environ, "idempotency-key"))
            claim = None
            if token is not None:
                claim = self._claim(wire, body, secret, token, call_id)
                if claim.kept is not None:
                    return _replay(start_response, wire, heard, body, claim.kept)
                call_id = environ[_CALL_ID] = claim.call_id
            try:
                call = self._services.calls.relay.open(
                    heard, body, secret=secret, call_id=call_id, address=address
                )
            except CallRunningError:
                if claim is None:
                    raise
                kept = self._services.calls.repeats.answer(call_id, wallet_id=claim.wallet_id)
                return _replay(start_response, wire, heard, body, kept)
            except UpstreamError as error:
                self._keep_failure(wire, claim, error)
                raise
            del body
        limits = wire.limit_headers(call.standings)
        if call.streamed:
            stream = _Stream(call, self._turns)
            try:
                start_response(
                    "200 OK",
                    [
                        ("content-type", "text/event-stream; charset=utf-8"),
                        ("cache-control", "no-store"),
                        ("x-accel-buffering", "no"),
                        _AS_SAID,
                        *ANSWER_HEADERS,
                        *_names(wire, call_id),
                        *limits,
                    ],
                )
            except BaseException:
                # The server never gets it, and would never close it.
                stream.close()
                raise
            return stream
        try:
            document = call.document()
        except UpstreamError as error:
            self._keep_failure(wire, claim, error)
            raise
        finally:
            call.close()
        if claim is not None:
            self._services.calls.repeats.keep(call_id, status=200, body=document.body)
        headers = [
            *ANSWER_HEADERS,
            *_names(wire, call_id),
            *limits,
            ("x-credits-cost", str(document.cost)),
            ("x-credits-remaining", str(document.available)),
        ]
        return _whole(start_response, 200, document.body, headers, media_type=document.media_type)

    def _claim(
        self, wire: Wire, body: bytes, secret: KeySecret, token: str, call_id: str
    ) -> _Claim:
        """Return which call a token stands for."""
        key = self._services.keys.recognition.recognise(secret)
        claimed = self._services.calls.repeats.claim(
            key, token, endpoint=wire.endpoint, body=body, call_id=call_id
        )
        if isinstance(claimed, str):
            return _Claim(claimed, key.wallet_id)
        return _Claim(claimed.call_id, key.wallet_id, claimed)

    def _keep_failure(self, wire: Wire, claim: _Claim | None, error: UpstreamError) -> None:
        """Keep that a call failed upstream: a repeat must not go there again."""
        if claim is None:
            return
        answer = refusal_of(error, base_url=self._base_url, limit_field=wire.limit_field)
        body = wire.error_document(answer, call_id=claim.call_id)
        self._services.calls.repeats.keep_failure(
            claim.call_id, wallet_id=claim.wallet_id, status=answer.status, body=body
        )

    def _received(
        self,
        wire: HeardWire,
        environ: WSGIEnvironment,
        secret: KeySecret,
        share: Share,
        files: ExitStack,
    ) -> tuple[HeardWire, bytes]:
        """Return the body of a call; of a form its fields, and its wire with the file."""
        form = self._services.forms.get(wire.endpoint)
        if form is None:
            return wire, self._body(environ, secret, share)
        _unencoded(environ)
        self._services.keys.recognition.recognise(secret)
        reader = FormReader(environ.get("CONTENT_TYPE", ""))
        files.callback(reader.close)
        body = read_form(environ, reader, files.enter_context(self.uploads.share()))
        return form.holding(reader.file) if reader.file else wire, body

    def _body(self, environ: WSGIEnvironment, secret: KeySecret, share: Share) -> bytes:
        """Read the body of a call."""
        _unencoded(environ)
        length = declared_length(environ)
        if length is None or length > _SMALL_BYTES:
            # Holding credits would tell, but only after megabytes were read and understood.
            self._services.keys.recognition.recognise(secret)
        return read_body(environ, most=MAX_BODY_BYTES, share=share)

    def _wire_at(self, path: str, environ: WSGIEnvironment) -> Wire:
        """Return the protocol of a path: its own, that of the one it lies below, or the first.

        The list of models is of the protocol whose header of its version comes with the request.
        """
        wires = self._services.wires
        if wire := wires.get(path):
            return wire
        if _is_of_models(path):
            versions = ((wire.version_header, wire) for wire in wires.values())
            named = (wire for name, wire in versions if name and _header(environ, name))
            return next(named, next(iter(wires.values())))
        below = (wire for endpoint, wire in wires.items() if path.startswith(f"{endpoint}/"))
        return next(below, next(iter(wires.values())))

    def _models(self, wire: Wire, path: str, key: ApiKey, *, query: str) -> bytes:
        if path == _MODELS:
            prices = self._services.calls.prices.all()
            models = [self._offered(it) for it in prices if key.limits.permits_model(it.model)]
            return wire.model_list(models, query=query)
        # WSGI passes the bytes of a path on as if they were Latin-1.
        name = path.removeprefix(f"{_MODELS}/").encode("latin-1").decode(errors="replace")
        return wire.model_document(self._offered(self._price(name, key)))

    def _price(self, model: str, key: ApiKey) -> ModelPrice:
        price = self._services.calls.prices.find(model)
        if not key.limits.permits_model(price.model):
            raise ModelNotFoundError(model)
        return price

    def _offered(self, price: ModelPrice) -> OfferedModel:
        return offered(price, tariff=self._tariff, markup=self._markup)


class _Claim(NamedTuple):
    """What a caller's token stands for.

    Attributes:
        kept: What the call answered already.
    """

    call_id: str
    wallet_id: str
    kept: KeptAnswer | None = None


class _Stream:
    """A stream on its way to its client.

    The server writes each part before it asks for the next, and treats a client that stopped
    reading as one that has left: its call would stay open until the hold has expired, and it
    could read the rest for nothing.
    """

    def __init__(self, call: RelayedCall, turns: Turns) -> None:
        self._call = call
        self._turns = turns

    def __iter__(self) -> Iterator[bytes]:
        return self._turns.taken(self._call)

    def close(self) -> None:
        """End the call, also where the client has left."""
        self._call.close()


def _is_of_models(path: str) -> bool:
    return path == _MODELS or path.startswith(f"{_MODELS}/")


def _names(wire: Wire, call_id: str) -> _Headers:
    """Return the headers that name a call, as SDKs of its protocol look for them."""
    return [(name, call_id) for name in wire.id_headers]


def _secret(wire: Wire, environ: WSGIEnvironment) -> KeySecret:
    authorization = _header(environ, "authorization")
    if wire.key_header is None:
        return bearer_secret(authorization)
    return either_secret(authorization, _header(environ, wire.key_header))


def _header(environ: WSGIEnvironment, name: str) -> str | None:
    value: str | None = environ.get(_environ_key(name))
    return value


@functools.cache
def _environ_key(name: str) -> str:
    # The names are our wires' own: there are only a few.
    return f"HTTP_{name.upper().replace('-', '_')}"


def _unencoded(environ: WSGIEnvironment) -> None:
    if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        message = "Send the body as it is, without Content-Encoding."
        raise RefusedError(refusal(415, message, code="unsupported_encoding"))


def _only(environ: WSGIEnvironment, method: str) -> None:
    if environ["REQUEST_METHOD"] != method:
        message = f"Use {method} here, not {environ['REQUEST_METHOD']}."
        raise RefusedError(
            refusal(405, message, code="method_not_allowed", headers=(("allow", method),))
        )


def _in_time(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Return the same request with its body, which the site would wait for as long as it takes.

    One that is announced as too long is left alone: the site refuses it unread.
    """
    length = declared_length(environ)
    # Without a length, only some servers end the stream where the request ends.
    is_endless = length is None and not environ.get("wsgi.input_terminated")
    if is_endless or has_arrived(environ) or (length is not None and length > MAX_FORM_BYTES):
        return environ
    body = read_body(environ, most=MAX_FORM_BYTES)
    arrived = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    arrived.pop("HTTP_TRANSFER_ENCODING", None)
    return arrived


def _replay(
    start_response: StartResponse, wire: Wire, heard: HeardWire, body: bytes, kept: KeptAnswer
) -> Iterable[bytes]:
    """Answer as the first call with the same token was answered; nothing is charged again."""
    media_type = heard.media_type(heard.parse(body)) if kept.status == HTTPStatus.OK else JSON
    headers = [
        *ANSWER_HEADERS,
        *_names(wire, kept.call_id),
        ("idempotent-replayed", "true"),
        ("x-credits-cost", "0"),
    ]
    return _whole(start_response, kept.status, kept.body, headers, media_type=media_type)


def _whole(
    start_response: StartResponse,
    status: int,
    body: bytes,
    headers: _Headers,
    *,
    media_type: str = JSON,
) -> Iterable[bytes]:
    start_response(
        f"{status} {_PHRASES.get(status, 'Refused')}",
        [
            ("content-type", media_type),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
            _AS_SAID,
            *headers,
        ],
    )
    return [body]
