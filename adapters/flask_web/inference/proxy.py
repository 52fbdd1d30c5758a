"""The streaming API: a WSGI application in front of Flask's dispatch.

Bytes in, use case, bytes out. What is under ``/v1`` is answered here, on the OpenAI wire, or
under ``/v1/messages`` on Anthropic's, and so is what a client means that has another base URL
(``addresses.py``); the rest is the site's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import ExitStack, nullcontext, suppress
from typing import TYPE_CHECKING, NamedTuple

import orjson
from werkzeug.exceptions import TooManyRequests

from adapters.flask_web.inference.addresses import MODELS, Addresses, is_of_models
from adapters.flask_web.inference.body_budget import BodyBudget, Share
from adapters.flask_web.inference.exchange import (
    AS_SAID,
    Headers,
    header_of,
    id_headers,
    in_time,
    require_method,
    require_unencoded,
    secret_of,
    whole,
)
from adapters.flask_web.inference.form_reader import MAX_UPLOADS_BYTES, FormReader, read_form
from adapters.flask_web.inference.idempotency_key import idempotency_key
from adapters.flask_web.inference.model_list import offered
from adapters.flask_web.inference.relayed_stream import RelayedStream
from adapters.flask_web.inference.replay import replay
from adapters.flask_web.inference.request_body import declared_length, may_hold_pdf, read_body
from adapters.flask_web.settings import Settings
from adapters.flask_web.web.calling_client import CallingClient
from adapters.flask_web.web.cors import ANSWER_HEADERS, preflight_headers
from adapters.flask_web.web.errors import Refusal, RefusedError, refusal, refusal_of
from adapters.flask_web.web.log_lines import CALL_ID, redacted
from adapters.flask_web.web.throttle import COUNTS_PER_KEY, Throttle, counted_address
from adapters.flask_web.web.turns import Turns
from creditcore.domain.errors import (
    CallRunningError,
    ClientLeftError,
    CreditcoreError,
    LimitReachedError,
    ModelNotFoundError,
    UpstreamError,
)
from creditcore.domain.keys import ApiKey, KeySecret
from creditcore.domain.pricing import ModelPrice
from creditcore.domain.rates import standings_at
from creditcore.ports.inference import HeardWire, OfferedModel, Wire
from creditcore.ports.token_counters import TokenCounter
from creditcore.services import Services
from creditcore.usecases.calls.repeat_call import KeptAnswer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


MAX_BODY_BYTES = 32 * 1024 * 1024
"""As large as providers take: prompts with images are megabytes."""

_SMALL_BYTES = 64 * 1024

_NO_FILES = nullcontext()
"""What a call has to close that is no form."""

_CALL_ID = "creditcore.call_id"
"""Where a request that repeats another keeps the id of the call that it stands for."""

_log = logging.getLogger(__name__)


class Proxy:
    """Answers the API; hands the rest on."""

    def __init__(
        self, services: Services, settings: Settings, *, throttle: Throttle, site: WSGIApplication
    ) -> None:
        self._services = services
        self._base_url = settings.base_url
        self._addresses = Addresses(
            [*services.wires, *services.token_counters], base_url=settings.base_url
        )
        key_headers = [wire.key_header for wire in services.wires.values()]
        self._key_headers = frozenset(["authorization", *key_headers])
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
            method, has_key = environ["REQUEST_METHOD"], self._has_key(environ)
            path = self._addresses.meant(path, has_key=has_key)
            if not self._addresses.is_of_the_api(path, method, has_key=has_key):
                return self._serve_site(environ, start_response)
        if environ["REQUEST_METHOD"] == "OPTIONS":
            wanted = header_of(environ, "access-control-request-headers")
            start_response("204 No Content", preflight_headers(wanted))
            return []
        call_id = self._services.calls.relay.new_call_id()
        CALL_ID.set(call_id)
        limits: Headers = []
        model = ""
        try:
            return self._serve(path, environ, start_response, call_id)
        except RefusedError as error:
            answer = error.answer
        except ClientLeftError as error:
            # Its receipt says so; the client is gone and reads nothing.
            answer = refusal_of(error, base_url=self._base_url)
        except CreditcoreError as error:
            limit_field = self._wire_at(path, environ).limit_field
            answer = refusal_of(error, base_url=self._base_url, limit_field=limit_field)
            model = error.model
            if isinstance(error, LimitReachedError):
                limits = self._wire_at(path, environ).limit_headers(standings_at(error))
        except Exception:  # noqa: BLE001 - the last resort; the log has it all
            _log.exception("call %s failed", call_id)
            message = f"Something went wrong on our side. Tell support the number {call_id}."
            answer = refusal(500, message, code="internal_error")
        wire = self._wire_at(path, environ)
        call_id = environ.get(_CALL_ID, call_id)
        self._keep(wire, environ, answer, call_id, path=path, model=model)
        headers = [*answer.headers, *limits, *ANSWER_HEADERS, *id_headers(wire, call_id)]
        body = wire.error_document(answer, call_id=call_id)
        document = whole(start_response, answer.status, body, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else document

    def _has_key(self, environ: WSGIEnvironment) -> bool:
        """Whether a key comes with a request, or with the one that a browser asks about."""
        wanted = header_of(environ, "access-control-request-headers") or ""
        announced = {name.strip().lower() for name in wanted.split(",")}
        return not self._key_headers.isdisjoint(announced) or any(
            header_of(environ, name) is not None for name in self._key_headers
        )

    def _keep(
        self,
        wire: Wire,
        environ: WSGIEnvironment,
        answer: Refusal,
        call_id: str,
        *,
        path: str,
        model: str,
    ) -> None:
        """Keep a refused call for the key's owner, without keys in its address or its model."""
        with suppress(CreditcoreError):
            self._services.calls.refusals.note(
                secret_of(wire, environ),
                reference=call_id,
                model=redacted(model),
                endpoint=redacted(path),
                status=answer.status,
                code=answer.code or answer.kind,
                message=redacted(answer.message),
            )

    def _serve_site(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        try:
            environ = in_time(environ)
        except RefusedError as error:
            answer = error.answer
            body = orjson.dumps(answer.body)
            headers = [*answer.headers, ("x-request-id", self._services.calls.relay.new_call_id())]
            return whole(start_response, answer.status, body, headers)
        return self._site(environ, start_response)

    def _serve(
        self, path: str, environ: WSGIEnvironment, start_response: StartResponse, call_id: str
    ) -> Iterable[bytes]:
        if wire := self._services.wires.get(path):
            require_method(environ, "POST")
            return self._call(wire, environ, start_response, call_id)
        wire = self._wire_at(path, environ)
        if is_of_models(path):
            require_method(environ, "GET")
            key = self._known_key(secret_of(wire, environ), environ)
            document = self._models(wire, path, key, query=environ.get("QUERY_STRING", ""))
        elif counter := self._services.token_counters.get(path):
            require_method(environ, "POST")
            document = self._count(counter, secret_of(wire, environ), environ)
        else:
            raise RefusedError(refusal(404, self._addresses.advice(path), code="unknown_url"))
        headers = [*ANSWER_HEADERS, *id_headers(wire, call_id)]
        answer = whole(start_response, 200, document, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else answer

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
        with self.budget.share(key.wallet_id) as share:
            request = counter.read(self._body(environ, secret, share))
            self._price(request.model, key)
            tokens = self._services.calls.counts.tokens(key.wallet_id, request)
        return counter.document(tokens)

    def _call(
        self, wire: Wire, environ: WSGIEnvironment, start_response: StartResponse, call_id: str
    ) -> Iterable[bytes]:
        secret = secret_of(wire, environ)
        heard = wire.hearing(lambda name: header_of(environ, name))
        address = environ.get("REMOTE_ADDR")
        # Until its answer begins, a call keeps its body, and all that was made of it.
        with (
            self.budget.share(counted_address(address or "")) as share,
            ExitStack() if wire.endpoint in self._services.forms else _NO_FILES as files,
        ):
            heard, body = self._received(heard, environ, secret, share, files)
            token = idempotency_key(header_of(environ, "idempotency-key"))
            claim, request_id = None, call_id
            if token is not None:
                claim = self._claim(wire, body, secret, token, call_id)
                if claim.kept is not None:
                    request = heard.parse(body)
                    return replay(start_response, wire, heard, request, claim.kept)
                call_id = environ[_CALL_ID] = claim.call_id
                CALL_ID.set(call_id)
            prepared = self._services.calls.relay.prepare(
                heard, body, call_id=call_id, request_id=request_id
            )
            request = prepared.planned.request
            del body
            # The answer of a plain call with a name of its caller's is kept for a repeat.
            returns = claim is not None and not request.stream
            client = CallingClient(environ, request_sent=share.release, may_return=returns)
            try:
                call = self._services.calls.relay.open(
                    heard, prepared, secret=secret, address=address, client=client
                )
            except CallRunningError:
                if claim is None:
                    raise
                kept = self._services.calls.repeats.answer(call_id, wallet_id=claim.wallet_id)
                return replay(start_response, wire, heard, request, kept)
            except UpstreamError as error:
                self._keep_failure(wire, claim, error)
                raise
        limits = wire.limit_headers(call.standings)
        if call.streamed:
            stream = RelayedStream(call, self._turns)
            try:
                start_response(
                    "200 OK",
                    [
                        ("content-type", "text/event-stream; charset=utf-8"),
                        ("cache-control", "no-store"),
                        ("x-accel-buffering", "no"),
                        AS_SAID,
                        *ANSWER_HEADERS,
                        *id_headers(wire, call_id),
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
            *id_headers(wire, call_id),
            *limits,
            ("x-credits-cost", str(document.cost)),
            ("x-credits-remaining", str(document.available)),
        ]
        return whole(start_response, 200, document.body, headers, media_type=document.media_type)

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
        files: ExitStack | None,
    ) -> tuple[HeardWire, bytes]:
        """Return the body of a call; of a form its fields, and its wire with the file."""
        if files is None:
            return wire, self._body(environ, secret, share)
        form = self._services.forms[wire.endpoint]
        require_unencoded(environ)
        key = self._services.keys.recognition.recognise(secret)
        reader = FormReader(environ.get("CONTENT_TYPE", ""))
        files.callback(reader.close)
        body = read_form(environ, reader, files.enter_context(self.uploads.share(key.wallet_id)))
        return form.holding(reader.file) if reader.file else wire, body

    def _body(self, environ: WSGIEnvironment, secret: KeySecret, share: Share) -> bytes:
        """Read the body of a call."""
        require_unencoded(environ)
        length = declared_length(environ)
        if length is None or length > _SMALL_BYTES:
            # Holding credits would tell, but only after megabytes were read and understood.
            share.assign(self._services.keys.recognition.recognise(secret).wallet_id)
        body = read_body(environ, most=MAX_BODY_BYTES, share=share)
        if len(body) <= _SMALL_BYTES and may_hold_pdf(body):
            self._services.keys.recognition.recognise(secret)
        return body

    def _wire_at(self, path: str, environ: WSGIEnvironment) -> Wire:
        """Return the protocol of a path: that of the last endpoint within it, or the first.

        The list of models is of the protocol whose header of its version comes with the request.
        """
        wires = self._services.wires
        if wire := wires.get(path):
            return wire
        if is_of_models(path):
            versions = ((wire.version_header, wire) for wire in wires.values())
            named = (wire for name, wire in versions if name and header_of(environ, name))
            return next(named, next(iter(wires.values())))
        places = {each: f"{path}/".rfind(each.removeprefix("/v1") + "/") for each in wires}
        return wires[max(places, key=places.__getitem__)]

    def _models(self, wire: Wire, path: str, key: ApiKey, *, query: str) -> bytes:
        if path == MODELS:
            prices = self._services.calls.prices.all()
            models = [self._offered(it) for it in prices if key.limits.permits_model(it.model)]
            return wire.model_list(models, query=query)
        # WSGI passes the bytes of a path on as if they were Latin-1.
        name = path.removeprefix(f"{MODELS}/").encode("latin-1").decode(errors="replace")
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
