"""Start an inference call: authorize it, then send it.

The hold is committed before anything is sent upstream. What follows is the
``RelayedCall``, which ends in exactly one settlement, whatever happens; what a dead
process leaves behind expires.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from creditcore.domain.callers import WithoutKey
from creditcore.domain.decisions import Admission
from creditcore.domain.endings import CLIENT_LEFT, INTERRUPTED
from creditcore.domain.errors import (
    CallRunningError,
    ClientLeftError,
    CreditcoreError,
    LimitReachedError,
    UpstreamError,
    UpstreamFailedError,
    UpstreamKeyRefusedError,
    UpstreamUnavailableError,
)
from creditcore.domain.holds import Outcome
from creditcore.domain.keys import KeySecret
from creditcore.domain.money import ZERO
from creditcore.domain.pricing import Tariff
from creditcore.ports.call_traces import CallTrace, CallTraces, NoTraces, Phase
from creditcore.ports.clients import UNSEEN, Client
from creditcore.ports.clock import MonotonicClock
from creditcore.ports.ids import Ids
from creditcore.ports.inference import HeardWire, InferenceRequest
from creditcore.ports.journal import SettlementJournal
from creditcore.ports.metrics import CallMetrics, NoMetrics
from creditcore.ports.outgoing import OutgoingBody
from creditcore.ports.upstream import Upstream, UpstreamAnswer
from creditcore.usecases.calls.admit_call import admit_call
from creditcore.usecases.calls.call_gate import CallGate
from creditcore.usecases.calls.call_outcomes import milliseconds, outcome_of
from creditcore.usecases.calls.call_terms import Terms
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.calls.count_prompt import CountPrompt
from creditcore.usecases.calls.patience import Patience
from creditcore.usecases.calls.planned_call import (
    OPENING_TOKENS,
    PlannedCall,
    bound_to_send,
    plan,
)
from creditcore.usecases.calls.price_list import PriceList
from creditcore.usecases.calls.relayed_call import RelayedCall
from creditcore.usecases.calls.unanswered import Unanswered
from creditcore.usecases.keys.upstream_keyring import UpstreamKeyring

_AGAIN = "The model server was not ready for a request of this size. Send it again."


class PreparedCall(NamedTuple):
    """A call that is understood and priced, and not authorized yet.

    Attributes:
        call_id: Its name.
        planned: What it asks for, and the most that it may cost.
        trace: Follows it.
    """

    call_id: str
    planned: PlannedCall
    trace: CallTrace


class RelayCall:
    """Carry calls to the model server and back, metered."""

    def __init__(
        self,
        *,
        charge: ChargeUsage,
        journal: SettlementJournal,
        keyring: UpstreamKeyring,
        prices: PriceList,
        upstream: Upstream,
        tariff: Tariff,
        pepper: bytes,
        clock: MonotonicClock,
        ids: Ids,
        patience: Patience | None = None,
        metrics: CallMetrics | None = None,
        gate: CallGate | None = None,
        counting: CountPrompt | None = None,
        traces: CallTraces | None = None,
    ) -> None:
        """Keep what every call needs.

        Args:
            charge: Holds and settles.
            journal: Keeps what is about to be charged, should this process die.
            keyring: Which of the model server's keys a call goes out with.
            prices: What each model costs.
            upstream: Where calls go.
            tariff: Turns provider cost into credits.
            pepper: The server's secret under which keys are hashed.
            clock: Measures how long calls take.
            ids: Names calls.
            patience: How long a call waits for what.
            metrics: Counts calls as they end.
            gate: Lets calls in; all of them if None.
            counting: Counts prompts where credits are short; none is counted if None.
            traces: Follows calls through their phases.
        """
        self._charge = charge
        self._journal = journal
        self._keyring = keyring
        self._prices = prices
        self._upstream = upstream
        self._tariff = tariff
        self._pepper = pepper
        self._clock = clock
        self._ids = ids
        self._patience = patience or Patience()
        self._metrics = metrics or NoMetrics()
        self._gate = gate or CallGate()
        self._counting = counting or CountPrompt()
        self._traces = traces or NoTraces()

    def new_call_id(self) -> str:
        """Return a name for a call: its reference, its request id, and the upstream's call id."""
        return self._ids.new_reference("call")

    def prepare(
        self, wire: HeardWire, body: bytes, *, call_id: str, request_id: str | None = None
    ) -> PreparedCall:
        """Understand and price a request, of which the caller need keep nothing more.

        Args:
            wire: The protocol, as the headers of the request select it.
            body: The request.
            call_id: Names the call, from ``new_call_id``.
            request_id: Names the request, where that may repeat the one which named the call.

        Raises:
            InvalidRequestError, ModelNotFoundError: It cannot be served.
        """
        trace = self._traces.begin(call_id)
        try:
            planned = plan(
                wire,
                body,
                prices=self._prices,
                tariff=self._tariff,
                least_output=OPENING_TOKENS,
            )
            if request_id not in (None, call_id):
                call = planned.call._replace(repeat_id=request_id)
                planned = planned._replace(call=call)
        except BaseException as error:
            trace.failed(error)
            raise
        return PreparedCall(call_id, planned, trace)

    def open(
        self,
        wire: HeardWire,
        prepared: PreparedCall,
        *,
        secret: KeySecret,
        address: str | None = None,
        client: Client = UNSEEN,
    ) -> RelayedCall:
        """Authorize a call and start it.

        Args:
            wire: The protocol that the call was prepared by.
            prepared: The call; what is long of it is gone once it is upstream.
            secret: The key that calls.
            address: Where the call comes from, for keys that limit that.
            client: Waits for the answer; a call whose client has left is given up and charged.

        Raises:
            ClientLeftError: The client left; the call is settled as one that was cancelled, or
                released where the model server never had the whole request.
            CallRunningError: The id of the call has a hold already; nothing more was held.
            LimitReachedError, NotPermittedError: The key may not, or not now; nothing was held.
            KeyRefusedError, InsufficientCreditsError, StoreError: Nothing is known
                to be held, and nothing was sent upstream.
            UpstreamError: Nothing was held, or the hold is being released.
        """
        key_hash = secret.hash(self._pepper)

        def admit(planned: PlannedCall) -> Admission:
            return admit_call(
                self._charge,
                key_hash,
                planned.ceiling,
                planned.call,
                call_id=prepared.call_id,
                address=address,
            )

        return self._open(wire, prepared, key_hash=key_hash, admit=admit, client=client)

    def open_without_key(
        self,
        wire: HeardWire,
        prepared: PreparedCall,
        *,
        caller: WithoutKey,
        client: Client = UNSEEN,
    ) -> RelayedCall:
        """Authorize a call of a person who is signed in and has no key for it, and start it.

        The call is held to what limits the account, as those of its keys are; who may spend from
        the wallet is for the caller to know. Where it is unknown whether credits were held, they
        are free again once the hold has expired.

        Args:
            wire: The protocol.
            prepared: The call.
            caller: Who calls, whose credits it spends, and what limits that.
            client: Waits for the answer.

        Raises:
            CreditcoreError: As ``open`` does, keys aside.
        """

        def admit(planned: PlannedCall) -> Admission:
            return self._charge.authorize(
                caller.wallet_id,
                ceiling=planned.ceiling,
                reference=prepared.call_id,
                call=planned.call,
                caller=caller,
            )

        # No key has this hash: those who call from one wallet share its places of streams.
        key_hash = caller.wallet_id.encode()
        return self._open(
            wire, prepared, key_hash=key_hash, admit=admit, client=client, caller=caller
        )

    def _open(
        self,
        wire: HeardWire,
        prepared: PreparedCall,
        *,
        key_hash: bytes,
        admit: Callable[[PlannedCall], Admission],
        client: Client,
        caller: WithoutKey | None = None,
    ) -> RelayedCall:
        try:
            return self._start(
                wire, prepared, key_hash=key_hash, admit=admit, client=client, caller=caller
            )
        except BaseException as error:
            # One that was sent is settled already, as a call that ended.
            if not (isinstance(error, ClientLeftError) and error.was_sent):
                prepared.trace.failed(error)
            raise

    def _start(
        self,
        wire: HeardWire,
        prepared: PreparedCall,
        *,
        key_hash: bytes,
        admit: Callable[[PlannedCall], Admission],
        client: Client,
        caller: WithoutKey | None,
    ) -> RelayedCall:
        call_id, planned, trace = prepared.call_id, prepared.planned, prepared.trace
        request, price = planned.request, planned.price
        self._upstream.check()
        started = self._clock.monotonic()
        try:
            entered = self._gate.enter(request, key_hash, caller)
        except CreditcoreError as error:
            error.model = request.model
            raise
        trace.enter(Phase.HOLD)
        try:
            planned, admission = self._counting.admit(wire, planned, admit)
        except BaseException:
            entered.cancel()
            raise
        if admission.repeated:
            # Its call is, or was, another request's: this one must not be made.
            entered.cancel()
            raise CallRunningError(call_id)
        # From here on the hold is ours alone, until the call has it.
        answer: UpstreamAnswer | None = None
        try:
            self._gate.confirm(entered, key_hash, admission.key)
            self._gate.seat(entered, admission.hold.wallet_id)
            trace.enter(Phase.UPSTREAM)
            bound = bound_to_send(admission, request, price)
            key_id = None if admission.key is None else admission.key.id
            try:
                answer = self._send(
                    wire, request, output_bound=bound, call_id=call_id, key_id=key_id, client=client
                )
            except ClientLeftError as error:
                if not error.was_sent:
                    raise
                answer = Unanswered(streamed=request.stream)
            call = RelayedCall(
                charge=self._charge,
                journal=self._journal,
                metrics=self._metrics,
                clock=self._clock,
                patience=self._patience,
                wire=wire,
                request=request,
                terms=Terms(price, planned.tariff, planned.ceiling, admission),
                answer=answer,
                started=started,
                entered=entered,
                trace=trace,
                client=client,
            )
        except BaseException as error:
            entered.cancel()
            if answer is not None:
                answer.close()
            # The client gets nothing, so nothing is charged.
            outcome = _failure(error, self._clock.monotonic() - started)
            if admission.hold.call is not None:
                self._metrics.ended(admission.hold.call, outcome, charged=ZERO)
            self._charge.release_later(admission.hold, outcome=outcome)
            raise
        if isinstance(answer, Unanswered):
            # The model was reading the prompt already, as with a stream that is closed early.
            call.close()
            raise ClientLeftError
        return call

    def _send(
        self,
        wire: HeardWire,
        request: InferenceRequest,
        *,
        output_bound: int | None,
        call_id: str,
        key_id: str | None,
        client: Client,
    ) -> UpstreamAnswer:
        body = OutgoingBody(wire.upstream_body(request, output_bound=output_bound))
        if body.is_long:
            request.forget_long_fields()
        model, stream = request.model, request.stream
        own = self._keyring.secret_for(key_id)
        try:
            answer = self._upstream.send(
                wire, body, model=model, stream=stream, call_id=call_id, key=own, client=client
            )
        except UpstreamKeyRefusedError:
            # The ledger has let this call pass, and nothing has run: a copy that was lost, or
            # whose budget lags behind, is no fault of the caller.
            self._keyring.distrust(key_id or "")
            if body.is_forgotten:
                raise UpstreamFailedError(_AGAIN, status=503, retry_after_s=1) from None
            answer = self._upstream.send(
                wire, body, model=model, stream=stream, call_id=call_id, client=client
            )
        if answer.streamed and not request.stream:
            answer.close()
            raise UpstreamUnavailableError
        return answer


def _failure(error: BaseException, elapsed_s: float) -> Outcome:
    if isinstance(error, LimitReachedError):
        return Outcome(status=429, error="limit_reached", latency_ms=milliseconds(elapsed_s))
    if isinstance(error, ClientLeftError):
        return Outcome(status=CLIENT_LEFT, error="client_left", latency_ms=milliseconds(elapsed_s))
    if not isinstance(error, UpstreamError):
        # Killed while waiting, or a bug.
        return Outcome(error=INTERRUPTED)
    status, word = outcome_of(error)
    return Outcome(status=status, error=word, latency_ms=milliseconds(elapsed_s))
