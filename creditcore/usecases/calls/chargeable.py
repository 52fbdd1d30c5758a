"""What a call is charged by: what the provider counted, else what passed, else nothing."""

from __future__ import annotations

from creditcore.domain.holds import Basis, Hold
from creditcore.domain.money import MAX_INT64, Credits
from creditcore.domain.pricing import Cost, Usage
from creditcore.ports.inference import InferenceRequest, Meter
from creditcore.usecases.calls.believed_usage import filled
from creditcore.usecases.calls.call_terms import Terms


def chargeable(
    meter: Meter,
    request: InferenceRequest,
    terms: Terms,
    hold: Hold,
    *,
    delivered: int | None,
    left: bool,
) -> tuple[Basis, Usage | None, Cost]:
    """Return what to charge by, the tokens, and their cost.

    A client that leaves before the first text has had its prompt read all the same, which
    somebody could otherwise have for nothing as often as they like.

    Args:
        meter: What it knows by now.
        request: What was asked.
        terms: What the call was priced at.
        hold: The hold of the call.
        delivered: Output tokens that the client got, where that is not what passed the meter.
        left: Whether the client left before the end.
    """
    if meter.failure is not None:
        return Basis.NONE, None, Cost(0, 0)
    delivered = meter.delivered_tokens if delivered is None else delivered
    reported = meter.usage
    if reported is not None:
        usage = filled(reported, request, meter, delivered)
        cost = terms.cost(usage)
        if cost.can_be_stored:
            if usage == reported:
                return Basis.PROVIDER_USAGE, usage, cost
            if usage.prompt_tokens != reported.prompt_tokens:
                cost = _at_most(max(hold.amount, terms.most), cost)
            return Basis.COUNTED_OUTPUT, usage, cost
    # An answer that is never text, an embedding, has been delivered when it is complete.
    if delivered or (left and not meter.error) or (meter.complete and request.output_limit == 0):
        extent = request.extent
        counted = Usage(
            prompt_tokens=request.prompt_estimate,
            completion_tokens=delivered,
            units=0 if extent is None else extent.about,
        )
        # A rough count must not become a write-off.
        return Basis.COUNTED_OUTPUT, counted, _at_most(hold.amount, terms.cost(counted))
    return Basis.NONE, None, Cost(0, 0)


def _at_most(amount: Credits, cost: Cost) -> Cost:
    return Cost(min(cost.microcredits, amount.microcredits), min(cost.picodollars, MAX_INT64))
