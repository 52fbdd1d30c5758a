"""A call whose answer has begun: relay it, metered and paid for, then settle it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial

from creditcore.domain.endings import (
    CLIENT_LEFT,
    CONTRADICTORY_USAGE,
    CREDITS_EXHAUSTED,
    INCREDIBLE_USAGE,
    INTERRUPTED,
)
from creditcore.domain.errors import (
    ClientLeftError,
    StoreError,
    UpstreamError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from creditcore.domain.holds import Basis, Hold, make_outcome
from creditcore.domain.money import ZERO, Credits, credits_of
from creditcore.domain.pricing import Usage
from creditcore.domain.rates import Standing
from creditcore.domain.reported_cost import picodollars
from creditcore.domain.settlements import Settlement, make_settlement
from creditcore.ports.call_traces import CallTrace, Phase
from creditcore.ports.clients import UNSEEN, Client
from creditcore.ports.clock import MonotonicClock
from creditcore.ports.inference import HeardWire, InferenceRequest
from creditcore.ports.journal import SettlementJournal
from creditcore.ports.metrics import CallMetrics
from creditcore.ports.upstream import UpstreamAnswer
from creditcore.usecases.calls.believed_usage import contradicts, filled
from creditcore.usecases.calls.call_gate import Pass
from creditcore.usecases.calls.call_outcomes import milliseconds, outcome_of
from creditcore.usecases.calls.call_terms import Terms
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.calls.chargeable import chargeable
from creditcore.usecases.calls.patience import Patience
from creditcore.usecases.calls.unanswered import Unanswered
from creditcore.usecases.calls.whole_document import Document

_PING = b": ping\n\n"
_LEAST_STEP = 1_024
_FAULTS = {
    True: (504, "upstream_timeout", "timeout"),
    False: (502, "upstream_unavailable", "upstream_error"),
}
"""Status, word and code for the end of a stream, by whether the upstream fell silent."""
NOTED_EVERY_S = 1.0
"""How old the evidence of a stream may get, should this process die."""
MAX_DRAINED_TOKENS = 110
"""What a model writes in the time of draining, roughly."""
WORTH = 5
"""How many times the output of draining the unknown part of a prompt must cost."""
_RAN_OUT = "The credits ran out; the answer ends here. Add credits to go on."


class RelayedCall:
    """A call whose answer has begun. Iterate it (a stream) or ask for its ``document``.

    ``close`` must be called in the end, whatever happened; more than once is fine. It
    is what notices that a client left.
    """

    def __init__(
        self,
        *,
        charge: ChargeUsage,
        journal: SettlementJournal,
        metrics: CallMetrics,
        clock: MonotonicClock,
        patience: Patience,
        wire: HeardWire,
        request: InferenceRequest,
        terms: Terms,
        answer: UpstreamAnswer,
        started: float,
        trace: CallTrace,
        entered: Pass | None = None,
        client: Client = UNSEEN,
    ) -> None:
        self._charge = charge
        self._journal = journal
        self._metrics = metrics
        self._clock = clock
        self._patience = patience
        self._wire = wire
        self._request = request
        self._terms = terms
        self._answer = answer
        self._started = started
        self._entered = entered
        self._trace = trace
        trace.enter(Phase.ANSWER)
        self._client = client
        self._ends_at = started + patience.longest.total_seconds()
        self._ping_s = patience.ping.total_seconds()
        self._heard = clock.monotonic()
        is_answered = not isinstance(answer, Unanswered)
        self._first_byte_ms = milliseconds(self._heard - started) if is_answered else None
        self._hold = terms.admission.hold
        self._available = terms.admission.available
        self._meter = wire.meter(request, receipt=self._receipt, explain=answer.explain)
        self._pay_for(terms.admission.paid_output)
        self._delivered: int | None = None
        self._now = self._noted_at = self._heard
        self._cost_told = False
        self._closed = False

    @property
    def streamed(self) -> bool:
        """Whether the answer is an event stream."""
        return self._request.stream

    @property
    def standings(self) -> Sequence[Standing]:
        """How the limits per minute of the key stood when the call was let in."""
        return self._entered.standings if self._entered else ()

    @property
    def hold(self) -> Hold:
        """The credits reserved for this call."""
        return self._hold

    def __iter__(self) -> Iterator[bytes]:
        """Yield the stream as the client may have it, nothing of it unpaid.

        A fault on the way ends it with an error event: the status has left already. If
        the credits run out, it ends as if the output limit had been reached.
        """
        try:
            while chunk := self._read():
                forward = _PING if chunk is _PING else self._meter.feed(chunk)
                if forward:
                    self._keep_evidence()
                    yield forward
                if self._meter.starved and not (yield from self._bought()):
                    break
            else:
                if forward := self._meter.finish():
                    self._keep_evidence()
                    yield forward
                yield from self._bought()
        except (UpstreamTimeoutError, UpstreamUnavailableError) as error:
            yield from self._broken_off(error)
        except ClientLeftError:
            # There is nothing to write any more; the server closes the call now.
            return
        else:
            if self._meter.starved:
                self._finish(200, CREDITS_EXHAUSTED)
                yield self._meter.cut_short(_RAN_OUT)
            self._finish(200, "upstream_error" if self._meter.error else None)

    def _broken_off(self, error: UpstreamError) -> Iterator[bytes]:
        if self._meter.complete:
            # It was whole, and an error behind it would have it asked for again.
            rest = self._meter.finish()
            self._finish(200, None)
            if rest:
                yield rest
            return
        status, word, code = _FAULTS[isinstance(error, UpstreamTimeoutError)]
        self._finish(status, word)
        yield self._wire.error_event(str(error), kind="server_error", code=code)

    def document(self) -> Document:
        """Return the whole answer, with what it costs. The charge commits right after.

        Raises:
            ClientLeftError: The client left while the upstream was silent; close the call.
            UpstreamError: It broke off, and what can be known of its cost is charged; or it is
                an error that came as an answer.
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
        if (failure := self._meter.failure) is not None:
            self._fail(failure)
            raise failure
        cost = self._finish(200, "upstream_error" if self._meter.error else None)
        available = self._available + self._hold.amount - cost
        return Document(b"".join(parts), cost, available, self._wire.media_type(self._request))

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
        chunk = self._answer.read(wait_s=self._ping_s)
        self._now = now = self._clock.monotonic()
        if now > self._ends_at:
            raise UpstreamTimeoutError("The answer took longer than a call may take.")
        if chunk is not None:
            self._heard = now
            return chunk
        if now - self._heard > self._patience.idle.total_seconds():
            raise UpstreamTimeoutError("The model fell silent.")
        if self._client.has_left():
            raise ClientLeftError
        return _PING

    def _bought(self) -> Generator[bytes, None, bool]:
        """Yield what is held back as long as the wallet can pay for more; whether it all left."""
        while self._meter.starved and self._pay_more():
            if forward := self._meter.feed(b""):
                self._keep_evidence()
                yield forward
        return not self._meter.starved

    def _pay_more(self) -> bool:
        """Grow the hold by a step, at least doubling what it pays for; whether that helped."""
        bound, paid = self._terms.admission.output_bound, self._paid_output
        if not self._terms.grows or paid >= bound:
            return False
        wanted = min(bound, max(paid * 2, paid + _LEAST_STEP))
        try:
            extension = self._charge.extend(
                self._hold, ceiling=self._terms.ceiling, output_bound=wanted
            )
        except StoreError:
            # Unknown whether it grew, so what would follow is not known to be paid for.
            return False
        self._hold, self._available = extension.hold, extension.available
        self._pay_for(extension.paid_output)
        return extension.paid_output > paid

    def _pay_for(self, output: int) -> None:
        """Let the meter pass as much as the hold pays for.

        Where everything that upstream may send is paid for, upstream keeps the limit: it
        knows its tokens, while the meter only counts roughly. An answer whose limit is ours,
        the model's or what the wallet affords, is cut all the same where it surely goes on
        beyond it. One that outruns its caller's own limit is the upstream's fault, and the
        rest is written off.
        """
        self._paid_output = output
        if not self._terms.grows:
            return
        total = output * self._request.choices
        bound = self._terms.admission.output_bound
        at_bound = output >= bound
        is_ours = self._request.output_limit is None or bound < self._terms.ceiling.output_bound
        self._meter.budget = None if at_bound else total
        self._meter.limit = total if at_bound and is_ours else None

    def _receipt(self, usage: Usage) -> Mapping[str, str]:
        """Say what an answer cost and what is left, as far as this call knows."""
        usage = filled(usage, self._request, self._meter, 0)
        cost = self._terms.cost(usage)
        if not cost.can_be_stored:
            return {}
        charged = min(Credits(cost.microcredits), max(self._hold.amount, self._terms.most))
        left = max(ZERO, self._available + self._hold.amount - charged)
        self._cost_told = True
        return {"cost": str(charged), "balance": str(left)}

    def _drain(self) -> None:
        """Read on for a moment, for the usage alone: what is read now is not delivered."""
        self._delivered = self._meter.delivered_tokens
        if not self._is_worth_draining():
            return
        self._meter.budget = self._meter.limit = None
        deadline = self._clock.monotonic() + self._patience.drain.total_seconds()
        # Not until it is complete: the usage comes after the end of the text.
        while self._meter.usage is None or self._meter.is_outdated:
            left_s = deadline - self._clock.monotonic()
            if left_s <= 0:
                return
            try:
                chunk = self._answer.read(wait_s=left_s)
            except UpstreamError:
                return
            if not chunk:
                return
            self._meter.feed(chunk)

    def _is_worth_draining(self) -> bool:
        """Whether the end is near, or the usage tells more than the output meanwhile costs."""
        admission = self._terms.admission
        output_bound = admission.output_bound * self._request.choices
        if self._meter.complete or output_bound - (self._delivered or 0) <= MAX_DRAINED_TOKENS:
            return True
        call = self._hold.call
        if self._meter.usage is not None or call is None:
            return False
        unknown = Usage(prompt_tokens=max(0, call.prompt_bound - self._request.prompt_estimate))
        written = Usage(completion_tokens=MAX_DRAINED_TOKENS * WORTH)
        return self._terms.price.cost_units(unknown) > self._terms.price.cost_units(written)

    def _fail(self, failure: UpstreamError) -> None:
        """Settle a call whose answer is an error: nothing is charged."""
        status, word = outcome_of(failure)
        self._finish(status, word)

    def _finish(self, status: int, error: str | None) -> Credits:
        """Close the upstream and hand the settlement over, once; return what is charged."""
        if self._closed:
            return ZERO
        self._closed = True
        self._answer.close()
        settlement = self._settlement(status, error)
        if self._entered is not None:
            self._entered.leave(settlement.outcome.usage)
        self._trace.enter(Phase.SETTLEMENT)
        if settlement.cost:
            # A whole document has not left yet, and a client that left early has its part.
            self._journal.note(settlement)
        charged = min(settlement.cost, self._hold.amount)
        self._charge.settle_later(
            self._hold,
            settlement.cost,
            outcome=settlement.outcome,
            most=settlement.most,
            then=partial(self._settled, settlement, charged),
        )
        if self._hold.call is not None:
            self._metrics.ended(self._hold.call, settlement.outcome, charged=charged)
        return charged

    def _settled(self, settlement: Settlement, charged: Credits) -> None:
        self._journal.forget(settlement.reference)
        self._trace.settled(self._hold.call, settlement.outcome, charged=charged)

    def _keep_evidence(self) -> None:
        """Note what is to be charged if this process dies now: before a cost is told, each second.

        What is about to leave counts as delivered.
        """
        if not self._cost_told and self._now - self._noted_at < NOTED_EVERY_S:
            return
        told, self._cost_told, self._noted_at = self._cost_told, False, self._now
        settlement = self._settlement(200, None) if told else self._settlement(502, INTERRUPTED)
        if settlement.cost:
            self._journal.note(settlement)

    def _settlement(self, status: int, error: str | None) -> Settlement:
        """Return how this call is to be settled, by what is known of it now."""
        basis, usage, cost, counted = chargeable(
            self._meter,
            self._request,
            self._terms,
            self._hold,
            delivered=self._delivered,
            left=status == CLIENT_LEFT,
        )
        if basis is not Basis.PROVIDER_USAGE and self._meter.usage is not None:
            error = error or INCREDIBLE_USAGE
        elif (
            basis is Basis.PROVIDER_USAGE
            and usage is not None
            and contradicts(usage, self._request, self._meter)
        ):
            error = error or CONTRADICTORY_USAGE
        charge = credits_of(cost.microcredits)
        outcome = make_outcome(
            basis=basis,
            usage=usage,
            counted=counted,
            provider_cost_picodollars=cost.picodollars,
            reported_cost_picodollars=self._reported_cost(),
            status=status,
            error=error,
            latency_ms=milliseconds(self._clock.monotonic() - self._started),
            first_byte_ms=self._first_byte_ms,
        )
        return make_settlement(
            reference=self._hold.reference,
            wallet_id=self._hold.wallet_id,
            cost=charge,
            outcome=outcome,
            most=self._terms.most if self._terms.grows else None,
        )

    def _reported_cost(self) -> int | None:
        """Return what the model server says that it cost, where it says so."""
        reported = self._answer.reported_cost or self._meter.reported_cost
        return None if reported is None else picodollars(reported)
