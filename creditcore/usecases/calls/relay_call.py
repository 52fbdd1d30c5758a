"""Start an inference call: authorize it, then send it.

The hold is committed before anything is sent upstream. What follows is the
``RelayedCall``, which ends in exactly one settlement, whatever happens; what a dead
process leaves behind expires.
"""

from __future__ import annotations

from collections.abc import Callable

from creditcore.domain.decisions import Admission
from creditcore.domain.endings import INTERRUPTED
from creditcore.domain.errors import (
    CallRunningError,
    CreditcoreError,
    LimitReachedError,
    UpstreamError,
    UpstreamKeyRefusedError,
    UpstreamUnavailableError,
)
from creditcore.domain.holds import Outcome
from creditcore.domain.keys import KeySecret
from creditcore.domain.money import ZERO
from creditcore.domain.pricing import Tariff
from creditcore.ports.call_traces import CallTrace, CallTraces, NoTraces, Phase
from creditcore.ports.clock import MonotonicClock
from creditcore.ports.ids import Ids
from creditcore.ports.inference import HeardWire, InferenceRequest, Upstream, UpstreamAnswer
from creditcore.ports.journal import SettlementJournal
from creditcore.ports.metrics import CallMetrics, NoMetrics
from creditcore.usecases.calls.admit_call import admit_call
from creditcore.usecases.calls.call_gate import CallGate
from creditcore.usecases.calls.call_outcomes import milliseconds, outcome_of
from creditcore.usecases.calls.call_terms import Terms
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.calls.patience import Patience
from creditcore.usecases.calls.planned_call import PlannedCall, bound_to_send, plan
from creditcore.usecases.calls.price_list import PriceList
from creditcore.usecases.calls.relayed_call import RelayedCall
from creditcore.usecases.keys.upstream_keyring import UpstreamKeyring

_NO_KEY = b""
"""The hash of no key: it limits no call."""


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
        self._traces = traces or NoTraces()

    def new_call_id(self) -> str:
        """Return a name for a call: its reference, its request id, and the upstream's call id."""
        return self._ids.new_reference("call")

    def open(
        self,
        wire: HeardWire,
        body: bytes,
        *,
        secret: KeySecret,
        call_id: str,
        address: str | None = None,
    ) -> RelayedCall:
        """Authorize a call and start it.

        Args:
            wire: The protocol, as the headers of the request select it.
            body: The request.
            secret: The key that calls.
            call_id: Names the call, from ``new_call_id``.
            address: Where the call comes from, for keys that limit that.

        Raises:
            InvalidRequestError, ModelNotFoundError: Nothing was held.
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
                call_id=call_id,
                address=address,
            )

        return self._open(wire, body, call_id=call_id, key_hash=key_hash, admit=admit)

    def open_without_key(
        self,
        wire: HeardWire,
        body: bytes,
        *,
        wallet_id: str,
        call_id: str,
        member_id: str = "",
    ) -> RelayedCall:
        """Authorize a call of somebody who is signed in and has no key for it, and start it.

        Who may spend from the wallet is for the caller to know. Where it is unknown whether
        credits were held, they are free again once the hold has expired.

        Args:
            wire: The protocol.
            body: The request.
            wallet_id: Whose credits it spends.
            call_id: Names the call, from ``new_call_id``.
            member_id: Who calls, where the wallet is a team's and its members have limits.

        Raises:
            CreditcoreError: As ``open`` does, keys aside.
        """

        def admit(planned: PlannedCall) -> Admission:
            return self._charge.authorize(
                wallet_id,
                ceiling=planned.ceiling,
                reference=call_id,
                call=planned.call,
                member_id=member_id,
            )

        return self._open(wire, body, call_id=call_id, key_hash=_NO_KEY, admit=admit)

    def _open(
        self,
        wire: HeardWire,
        body: bytes,
        *,
        call_id: str,
        key_hash: bytes,
        admit: Callable[[PlannedCall], Admission],
    ) -> RelayedCall:
        trace = self._traces.begin(call_id)
        try:
            return self._start(
                wire, body, call_id=call_id, key_hash=key_hash, admit=admit, trace=trace
            )
        except BaseException as error:
            trace.failed(error)
            raise

    def _start(
        self,
        wire: HeardWire,
        body: bytes,
        *,
        call_id: str,
        key_hash: bytes,
        admit: Callable[[PlannedCall], Admission],
        trace: CallTrace,
    ) -> RelayedCall:
        planned = plan(wire, body, prices=self._prices, tariff=self._tariff)
        request, price, ceiling = planned.request, planned.price, planned.ceiling
        self._upstream.check()
        started = self._clock.monotonic()
        try:
            entered = self._gate.enter(request, key_hash)
        except CreditcoreError as error:
            error.model = request.model
            raise
        trace.enter(Phase.HOLD)
        try:
            admission = admit(planned)
        except BaseException:
            entered.cancel()
            raise
        if admission.repeated:
            # Its call is, or was, somebody else's: this one must not be made.
            entered.cancel()
            raise CallRunningError(call_id)
        # From here on the hold is nobody's but ours, until the call has it.
        answer: UpstreamAnswer | None = None
        try:
            self._gate.confirm(entered, key_hash, admission.key)
            self._gate.seat(entered, admission.hold.wallet_id)
            trace.enter(Phase.UPSTREAM)
            bound = bound_to_send(admission, request, price)
            key_id = None if admission.key is None else admission.key.id
            answer = self._send(wire, request, output_bound=bound, call_id=call_id, key_id=key_id)
            return RelayedCall(
                charge=self._charge,
                journal=self._journal,
                metrics=self._metrics,
                clock=self._clock,
                patience=self._patience,
                wire=wire,
                request=request,
                terms=Terms(price, planned.tariff, ceiling, admission),
                answer=answer,
                started=started,
                entered=entered,
                trace=trace,
            )
        except BaseException as error:
            entered.cancel()
            if answer is not None:
                answer.close()
            # Nobody gets anything, so nothing is charged.
            outcome = _failure(error, self._clock.monotonic() - started)
            if admission.hold.call is not None:
                self._metrics.ended(admission.hold.call, outcome, charged=ZERO)
            self._charge.release_later(admission.hold, outcome=outcome)
            raise

    def _send(
        self,
        wire: HeardWire,
        request: InferenceRequest,
        *,
        output_bound: int | None,
        call_id: str,
        key_id: str | None,
    ) -> UpstreamAnswer:
        body = wire.upstream_body(request, output_bound=output_bound)
        own = self._keyring.secret_for(key_id)
        try:
            answer = self._upstream.send(
                wire, body, model=request.model, stream=request.stream, call_id=call_id, key=own
            )
        except UpstreamKeyRefusedError:
            # The ledger has let this call pass, and nothing has run: a copy that was lost, or
            # whose budget lags behind, is no fault of the caller.
            self._keyring.distrust(key_id or "")
            answer = self._upstream.send(
                wire, body, model=request.model, stream=request.stream, call_id=call_id
            )
        if answer.streamed is not request.stream:
            answer.close()
            raise UpstreamUnavailableError
        return answer


def _failure(error: BaseException, elapsed_s: float) -> Outcome:
    if isinstance(error, LimitReachedError):
        return Outcome(status=429, error="limit_reached", latency_ms=milliseconds(elapsed_s))
    if not isinstance(error, UpstreamError):
        # Killed while waiting, or a bug.
        return Outcome(error=INTERRUPTED)
    status, word = outcome_of(error)
    return Outcome(status=status, error=word, latency_ms=milliseconds(elapsed_s))
