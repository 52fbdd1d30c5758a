"""One inference call: authorize, relay, settle.

Two short transactions, and none open in between. The hold is committed before
anything is sent upstream; whatever happens after that ends in exactly one settlement
or release, and what a dead process leaves behind expires.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from creditcore.domain.errors import (
    InvalidRequestError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from creditcore.domain.holds import Basis, Call, Hold, Outcome
from creditcore.domain.keys import KeySecret
from creditcore.domain.ledger import Admission
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Ceiling, ModelPrice, Tariff, Usage
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.inference import InferenceRequest, Upstream, UpstreamAnswer, Wire
from creditcore.usecases.charge_usage import ChargeUsage
from creditcore.usecases.price_list import PriceList

DEFAULT_OUTPUT_BOUND = 16_384
"""The longest answer of a model that does not say how long its answers get."""

CLIENT_LEFT = 499
"""The status of a call whose client went away first, as nginx writes it."""

_PING = b": ping\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call waits for what.

    Attributes:
        ping: Silence after which the client gets a comment, so that a client that
            has left is noticed: the second write after that fails.
        idle: Silence of the upstream after which it counts as broken.
        longest: The longest a call may take. Holds must live longer.
        drain: How long the upstream is read on after the client left, for its usage.
    """

    ping: timedelta = timedelta(seconds=4)
    idle: timedelta = timedelta(seconds=120)
    longest: timedelta = timedelta(seconds=600)
    drain: timedelta = timedelta(seconds=4)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole answer.

    Attributes:
        body: What the client gets.
        cost: What it was charged.
        available: What the wallet can spend after that.
    """

    body: bytes
    cost: Credits
    available: Credits


class RelayCall:
    """Carry calls to the model server and back, metered.

    Args:
        pepper: The server's secret under which keys are hashed.
    """

    def __init__(
        self,
        *,
        charge: ChargeUsage,
        prices: PriceList,
        upstream: Upstream,
        tariff: Tariff,
        pepper: bytes,
        clock: Clock,
        ids: Ids,
        patience: Patience = Patience(),
    ) -> None:
        self._charge = charge
        self._prices = prices
        self._upstream = upstream
        self._tariff = tariff
        self._pepper = pepper
        self._clock = clock
        self._ids = ids
        self._patience = patience

    def new_call_id(self) -> str:
        """Return a name for a call: its reference, its request id, and the upstream's call id."""
        return self._ids.new_reference("call")

    def open(self, wire: Wire, body: bytes, *, secret: KeySecret, call_id: str) -> RelayedCall:
        """Authorize a call and start it.

        Raises:
            InvalidRequestError, ModelNotFoundError: Nothing was held.
            KeyRefusedError, InsufficientCreditsError, StoreError: Nothing is known
                to be held, and nothing was sent upstream.
            UpstreamError: The hold is being released.
        """
        request = wire.parse(body)
        price = self._prices.find(request.model)
        ceiling = self._ceiling(request, price)
        started = self._clock.now()
        admission = self._charge.authorize_key(
            secret.hash(self._pepper),
            ceiling=ceiling,
            reference=call_id,
            call=Call(
                model=request.model,
                endpoint=wire.endpoint,
                stream=request.stream,
                prompt_bound=_prompt_bound(request, price),
                output_bound=ceiling.output_bound * request.choices,
            ),
        )
        bound = _bound_to_send(admission, request, price)
        try:
            answer = self._send(wire, request, output_bound=bound, call_id=call_id)
        except UpstreamError as error:
            self._charge.release_later(
                admission.hold, outcome=_failure(error, self._clock.now() - started)
            )
            raise
        except BaseException:
            # Killed while waiting, or a bug: nothing came back, so nothing is charged.
            self._charge.release_later(admission.hold, outcome=Outcome(error="interrupted"))
            raise
        return RelayedCall(
            charge=self._charge,
            clock=self._clock,
            tariff=self._tariff,
            patience=self._patience,
            wire=wire,
            request=request,
            price=price,
            admission=admission,
            answer=answer,
            started=started,
        )

    def _send(
        self, wire: Wire, request: InferenceRequest, *, output_bound: int | None, call_id: str
    ) -> UpstreamAnswer:
        body = wire.upstream_body(request, output_bound=output_bound)
        answer = self._upstream.send(wire, body, call_id=call_id)
        if answer.streamed is not request.stream:
            answer.close()
            raise UpstreamUnavailableError
        return answer

    def _ceiling(self, request: InferenceRequest, price: ModelPrice) -> Ceiling:
        longest = price.max_output_tokens or DEFAULT_OUTPUT_BOUND
        fixed = request.output_limit is not None
        return price.ceiling(
            prompt_bound=_prompt_bound(request, price),
            output_bound=request.output_limit if request.output_limit is not None else longest,
            choices=request.choices,
            tariff=self._tariff,
            fixed_output=fixed,
        )


def _prompt_bound(request: InferenceRequest, price: ModelPrice) -> int:
    """Tokens the prompt can never exceed: its bytes, and the model's context where that is less."""
    if request.prompt_bound is None:
        if price.max_input_tokens is None:
            raise InvalidRequestError(
                f"{price.model} takes text only: the cost of anything else has no known bound.",
                param="messages",
                code="unsupported_content",
            )
        return price.max_input_tokens
    if price.max_input_tokens is None or price.tiers:
        # Tiers mean that longer prompts than the stated context do get through.
        return request.prompt_bound
    return min(request.prompt_bound, price.max_input_tokens)


def _bound_to_send(
    admission: Admission, request: InferenceRequest, price: ModelPrice
) -> int | None:
    """Return the output limit that upstream must keep, or None where its own will do."""
    if request.output_limit is None and admission.output_bound == price.max_output_tokens:
        return None
    return admission.output_bound


def _failure(error: UpstreamError, elapsed: timedelta) -> Outcome:
    status, word = 502, "upstream_unavailable"
    if isinstance(error, UpstreamRejectedError):
        status, word = error.status, error.code or "upstream_rejected"
    elif isinstance(error, UpstreamTimeoutError):
        status, word = 504, "upstream_timeout"
    return Outcome(status=status, error=word, latency_ms=_ms(elapsed))


def _ms(elapsed: timedelta) -> int:
    return elapsed // timedelta(milliseconds=1)


class RelayedCall:
    """A call whose answer has begun. Iterate it (a stream) or ask for its ``document``.

    ``close`` must be called in the end, whatever happened; more than once is fine. It
    is what notices that a client left.
    """

    def __init__(
        self,
        *,
        charge: ChargeUsage,
        clock: Clock,
        tariff: Tariff,
        patience: Patience,
        wire: Wire,
        request: InferenceRequest,
        price: ModelPrice,
        admission: Admission,
        answer: UpstreamAnswer,
        started: datetime,
    ) -> None:
        self._charge = charge
        self._clock = clock
        self._tariff = tariff
        self._patience = patience
        self._wire = wire
        self._request = request
        self._price = price
        self._admission = admission
        self._answer = answer
        self._meter = wire.meter(request)
        self._started = started
        self._heard = clock.now()
        self._first_byte_ms = _ms(self._heard - started)
        self._closed = False

    @property
    def streamed(self) -> bool:
        """Whether the answer is an event stream."""
        return self._request.stream

    @property
    def hold(self) -> Hold:
        """The credits reserved for this call."""
        return self._admission.hold

    def __iter__(self) -> Iterator[bytes]:
        """Yield the stream as the client may have it.

        A fault on the way ends it with an error event: the status has left already.
        """
        try:
            while chunk := self._read():
                if forward := _PING if chunk is _PING else self._meter.feed(chunk):
                    yield forward
            if forward := self._meter.finish():
                yield forward
        except UpstreamTimeoutError as error:
            yield self._wire.error_event(str(error), kind="server_error", code="timeout")
            self._finish(504, "upstream_timeout")
        except UpstreamUnavailableError as error:
            yield self._wire.error_event(str(error), kind="server_error", code="upstream_error")
            self._finish(502, "upstream_unavailable")
        else:
            self._finish(200, self._meter.error)

    def document(self) -> Document:
        """Return the whole answer, with what it costs. The charge commits right after.

        Raises:
            UpstreamError: It broke off; what can be known of its cost is charged.
        """
        parts = []
        try:
            while chunk := self._read():
                if chunk is not _PING:
                    parts.append(self._meter.feed(chunk))
            parts.append(self._meter.finish())
        except UpstreamTimeoutError:
            self._finish(504, "upstream_timeout")
            raise
        except UpstreamUnavailableError:
            self._finish(502, "upstream_unavailable")
            raise
        cost = self._finish(200, self._meter.error)
        available = self._admission.available + self.hold.amount - cost
        return Document(b"".join(parts), cost, available)

    def close(self) -> None:
        """End the call. If its client left, look a little longer for the usage, then charge."""
        if self._closed:
            return
        try:
            self._drain()
        finally:
            self._finish(CLIENT_LEFT, "client_left")

    def _read(self) -> bytes:
        """Return the next bytes, ``b""`` at the end, or a ping after some silence."""
        chunk = self._answer.read(wait_s=self._patience.ping.total_seconds())
        now = self._clock.now()
        if now - self._started > self._patience.longest:
            raise UpstreamTimeoutError("The answer took longer than a call may take.")
        if chunk is not None:
            self._heard = now
            return chunk
        if now - self._heard > self._patience.idle:
            raise UpstreamTimeoutError("The model fell silent.")
        return _PING

    def _drain(self) -> None:
        deadline = self._clock.now() + self._patience.drain
        while not self._meter.complete and self._meter.usage is None:
            left_s = (deadline - self._clock.now()).total_seconds()
            if left_s <= 0:
                return
            try:
                chunk = self._answer.read(wait_s=left_s)
            except UpstreamError:
                return
            if not chunk:
                return
            self._meter.feed(chunk)

    def _finish(self, status: int, error: str | None) -> Credits:
        """Close the upstream and hand the settlement over, once; return what is charged."""
        if self._closed:
            return ZERO
        self._closed = True
        self._answer.close()
        cost, outcome = self._price_of(status, error)
        self._charge.settle_later(self.hold, cost, outcome=outcome)
        return min(cost, self.hold.amount)

    def _price_of(self, status: int, error: str | None) -> tuple[Credits, Outcome]:
        basis, usage = self._basis()
        cost = ZERO
        if usage is not None:
            cost = self._tariff.charge(self._price.cost_units(usage))
        if basis is Basis.COUNTED_OUTPUT:
            # A rough count must not become a write-off.
            cost = min(cost, self.hold.amount)
        return cost, Outcome(
            basis=basis,
            usage=usage,
            provider_cost_picodollars=self._price.cost_picodollars(usage) if usage else 0,
            status=status,
            error=error,
            latency_ms=_ms(self._clock.now() - self._started),
            first_byte_ms=self._first_byte_ms,
        )

    def _basis(self) -> tuple[Basis, Usage | None]:
        """Choose what to charge by: what the provider counted, else what passed, else nothing."""
        if self._meter.usage is not None:
            return Basis.PROVIDER_USAGE, self._meter.usage
        if self._meter.delivered_tokens:
            counted = Usage(
                prompt_tokens=self._request.prompt_estimate,
                completion_tokens=self._meter.delivered_tokens,
            )
            return Basis.COUNTED_OUTPUT, counted
        return Basis.NONE, None
