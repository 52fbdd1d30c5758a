"""Allow and settle calls that people make at the model server itself.

The gateway sees nothing of such a call but its request, before, and a report, after. So the
whole of what it may cost is held at once, the output limit that was held for is handed back to
be kept, and a report that never comes leaves the hold to its expiry.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from creditcore.domain.direct_calls import CallReport, check_call_id
from creditcore.domain.errors import (
    CreditcoreError,
    HoldNotFoundError,
    InvalidRequestError,
    ModelNotFoundError,
    ReferenceConflictError,
)
from creditcore.domain.holds import Basis, Call, Hold, Outcome
from creditcore.domain.keys import ApiKey, KeySecret
from creditcore.domain.money import Credits
from creditcore.domain.pricing import ModelPrice, Tariff, Usage
from creditcore.domain.reported_cost import picodollars
from creditcore.ports.call_traces import CallTrace, CallTraces, NoTraces, Part, Phase
from creditcore.ports.inference import HeardWire
from creditcore.ports.metrics import CallMetrics, NoMetrics
from creditcore.ports.store_ports import HasCalls, HasPrices
from creditcore.ports.transactions import Begins
from creditcore.usecases.calls.admit_call import admit_call
from creditcore.usecases.calls.call_gate import CallGate, Pass
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.calls.planned_call import bound_to_send, plan
from creditcore.usecases.calls.price_list import PriceList

MAX_REMEMBERED = 10_000
"""Calls whose tokens a minute this process corrects when they end; others keep their estimate."""

UsageReader = Callable[[object], Usage | None]
"""Reads token counts as the model server reports them; None where there are none."""


class DirectCallsTransaction(HasCalls, HasPrices, Protocol):
    """What charging a call made at LiteLLM reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedCall:
    """A call that may be made once.

    Attributes:
        key: Whose it is.
        hold: The most that it may cost, reserved.
        available: What the wallet can still reserve.
        body: The request as it is to be run: known fields only, its output within the hold.
        prompt_estimate: Tokens of its prompt, counted roughly, for a stream that breaks off.
        traceparent: What its report is to name as its parent (W3C); empty where it is not traced.
    """

    key: ApiKey
    hold: Hold
    available: Credits
    body: bytes
    prompt_estimate: int
    traceparent: str = ""


@dataclass(slots=True)
class _Passes:
    """Passes of calls that run, the oldest of which give way."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    kept: OrderedDict[str, Pass] = field(default_factory=OrderedDict)

    def keep(self, call_id: str, entered: Pass) -> None:
        with self.guard:
            self.kept[call_id] = entered
            if len(self.kept) > MAX_REMEMBERED:
                self.kept.popitem(last=False)

    def leave(self, call_id: str, usage: Usage | None) -> None:
        with self.guard:
            entered = self.kept.pop(call_id, None)
        if entered is not None:
            entered.leave(usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectCalls:
    """What the model server asks before a call, and tells after it.

    Attributes:
        tariff: Turns provider cost into credits, for calls that begin now.
        pepper: The server's secret under which keys are hashed.
        read_usage: Reads the model server's reports.
        gate: Counts requests and tokens per minute.
    """

    charge: ChargeUsage
    transactions: Begins[DirectCallsTransaction]
    prices: PriceList
    tariff: Tariff
    pepper: bytes
    read_usage: UsageReader
    gate: CallGate = field(default_factory=CallGate)
    metrics: CallMetrics = field(default_factory=NoMetrics)
    traces: CallTraces = field(default_factory=NoTraces)
    passes: _Passes = field(default_factory=_Passes)

    def authorize(
        self,
        wire: HeardWire,
        body: bytes,
        *,
        secret: KeySecret,
        call_id: str,
        address: str | None = None,
        traceparent: str = "",
    ) -> AllowedCall:
        """Hold the most that a call may cost.

        Asking again under the same id for the same call returns the first hold, as long as it
        is open: its call may be made once.

        Args:
            wire: The protocol, as the headers of the request select it.
            body: The request.
            secret: The key that calls.
            call_id: Names the call: ``call-direct-`` and 32 hexadecimal digits.
            address: Where the call comes from, for keys that limit that.
            traceparent: The trace that the call belongs to (W3C), if it has one.

        Raises:
            InvalidRequestError, ModelNotFoundError: Nothing was held.
            LimitReachedError, NotPermittedError: The key may not, or not now.
            KeyRefusedError, InsufficientCreditsError: Nothing was held.
            ReferenceConflictError: The id is another call's, or that of one that has ended.
            StoreError: Nothing is known to be held; do not make the call.
        """
        check_call_id(call_id)
        trace = self.traces.begin(call_id, part=Part.AUTHORIZE, parent=traceparent)
        try:
            allowed = self._allow(
                wire,
                body,
                key_hash=secret.hash(self.pepper),
                call_id=call_id,
                address=address,
                trace=trace,
            )
        except BaseException as error:
            trace.failed(error)
            raise
        call = allowed.hold.call
        return allowed if call is None else replace(allowed, traceparent=trace.allowed(call))

    def _allow(
        self,
        wire: HeardWire,
        body: bytes,
        *,
        key_hash: bytes,
        call_id: str,
        address: str | None,
        trace: CallTrace,
    ) -> AllowedCall:
        planned = plan(wire, body, prices=self.prices, tariff=self.tariff, can_grow=False)
        request = planned.request
        if request.sold_by is not None:
            raise InvalidRequestError(
                f"{request.model} is sold by the {request.sold_by}, which reports of the model"
                " server do not count. Call it through the gateway.",
                param="model",
                code="unsupported_model",
            )
        try:
            # The stream is not ours: it takes no place here.
            entered = self.gate.enter(replace(request, stream=False), key_hash)
        except CreditcoreError as error:
            error.model = request.model
            raise
        trace.enter(Phase.HOLD)
        try:
            admission = admit_call(
                self.charge,
                key_hash,
                planned.ceiling,
                planned.call,
                call_id=call_id,
                address=address,
            )
            if admission.repeated:
                entered.cancel()
                _check_same(admission.hold, planned.call)
            else:
                self._count(entered, key_hash, admission.hold, admission.key)
        except BaseException:
            entered.cancel()
            raise
        assert admission.key is not None  # noqa: S101 - a key has asked
        bound = bound_to_send(admission, request, planned.price)
        return AllowedCall(
            key=admission.key,
            hold=admission.hold,
            available=admission.available,
            body=wire.upstream_body(request, output_bound=bound),
            prompt_estimate=request.prompt_estimate,
        )

    def settle(self, call_id: str, report: CallReport, *, traceparent: str = "") -> Hold:
        """Charge what a call cost, by the model server's report, and free the rest of its hold.

        A repeat changes nothing, whatever it reports: the first report counts. One that comes
        after the hold has expired is written off, once.

        Args:
            call_id: The call, as it was allowed.
            report: What became of it.
            traceparent: What allowing it named (W3C); a repeat is not followed.

        Raises:
            HoldNotFoundError: No such call was allowed.
            InvalidRequestError: It succeeded, and there are no counts to charge it by. Its hold
                stays open until it expires.
            StoreError: Unknown whether it was settled; tell it again.
        """
        check_call_id(call_id)
        trace = self.traces.begin(call_id, part=Part.LOG_USAGE, parent=traceparent)
        try:
            was_open, closed = self._settle(call_id, report)
        except BaseException as error:
            trace.failed(error)
            raise
        if was_open and closed.outcome is not None:
            trace.settled(closed.call, closed.outcome, charged=closed.charged)
        return closed

    def _settle(self, call_id: str, report: CallReport) -> tuple[bool, Hold]:
        """Return whether the call was still open, and how it is closed."""
        with self.transactions.begin() as tx:
            hold = tx.calls.find_all([call_id]).get(call_id)
        if hold is None or hold.call is None:
            raise HoldNotFoundError(call_id)
        usage = report.usage
        if usage is None and report.succeeded:
            raise InvalidRequestError(
                f"Call {call_id} succeeded, but its report has no token counts.", param="usage"
            )
        was_open = hold.is_open
        closed = self._close(hold, hold.call, usage, report)
        if was_open:
            self.passes.leave(call_id, usage)
            self.metrics.ended(hold.call, closed.outcome, charged=closed.charged)
        return was_open, closed

    def _count(self, entered: Pass, key_hash: bytes, hold: Hold, key: ApiKey | None) -> None:
        try:
            self.gate.confirm(entered, key_hash, key)
        except BaseException:
            self.charge.release_later(hold, outcome=Outcome(status=429, error="limit_reached"))
            raise
        self.passes.keep(hold.reference, entered)

    def _close(self, hold: Hold, call: Call, usage: Usage | None, report: CallReport) -> Hold:
        if usage is None:
            return self.charge.release(hold, outcome=_outcome(report, Basis.NONE))
        price = self._price_of(call)
        tariff = price.tariff(self.tariff)
        if tariff.multiplier != call.multiplier:
            # The markup of the moment when the call began, whatever it is by now.
            tariff = Tariff.parse(credits_per_usd=call.multiplier, markup="1")
        cost = price.cost(usage, tariff)
        if not cost.can_be_stored:
            raise InvalidRequestError("These counts cannot be true.", param="usage")
        basis, charge = Basis.PROVIDER_USAGE, Credits(cost.microcredits)
        if report.counted:
            # A rough count must not become a write-off.
            basis, charge = Basis.COUNTED_OUTPUT, min(charge, hold.amount)
        outcome = _outcome(report, basis, usage=usage, provider_cost_picodollars=cost.picodollars)
        return self.charge.settle(hold, charge, outcome=outcome)

    def _price_of(self, call: Call) -> ModelPrice:
        """Return the price that a call began at; the list may have another one now."""
        try:
            price = self.prices.find(call.model)
        except ModelNotFoundError:
            price = None
        if price is not None and price.snapshot == call.price_snapshot:
            return price
        with self.transactions.begin() as tx:
            kept = tx.prices.find_snapshot(call.price_snapshot or "")
        if kept is None:
            raise ModelNotFoundError(call.model)
        return kept


def _check_same(hold: Hold, call: Call) -> None:
    """Check that an earlier hold is for this very call, which has not ended.

    Raises:
        ReferenceConflictError: It is not.
    """
    earlier = hold.call
    if earlier is None or not hold.is_open:
        raise ReferenceConflictError(hold.reference)
    asked = (call.endpoint, call.stream, call.prompt_bound, call.price_snapshot)
    held = (earlier.endpoint, earlier.stream, earlier.prompt_bound, earlier.price_snapshot)
    if asked != held:
        raise ReferenceConflictError(hold.reference)


def _outcome(
    report: CallReport,
    basis: Basis,
    *,
    usage: Usage | None = None,
    provider_cost_picodollars: int = 0,
) -> Outcome:
    reported = report.reported_cost
    return Outcome(
        basis=basis,
        usage=usage,
        provider_cost_picodollars=provider_cost_picodollars,
        reported_cost_picodollars=None if reported is None else picodollars(reported),
        status=report.status,
        error=report.error,
        latency_ms=report.latency_ms,
        first_byte_ms=report.first_byte_ms,
    )
