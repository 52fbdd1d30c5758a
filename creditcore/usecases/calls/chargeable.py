"""What a call is charged by: what the provider counted, else what passed, else nothing."""

from __future__ import annotations

from typing import NamedTuple

from creditcore.domain.counting import ALL_REPORTED, Because, Counted
from creditcore.domain.holds import Basis, Hold
from creditcore.domain.money import MAX_INT64, Credits
from creditcore.domain.pricing import Cost, Usage
from creditcore.ports.inference import InferenceRequest, Meter
from creditcore.usecases.calls.believed_usage import filled
from creditcore.usecases.calls.call_terms import Terms


class Chargeable(NamedTuple):
    """What a call is charged by.

    Attributes:
        usage: What was used; None where nothing is known.
        counted: Which of it is by our own count, and why.
    """

    basis: Basis
    usage: Usage | None
    cost: Cost
    counted: Counted = ALL_REPORTED


_NOTHING = Chargeable(Basis.NONE, None, Cost(0, 0))


def chargeable(
    meter: Meter,
    request: InferenceRequest,
    terms: Terms,
    hold: Hold,
    *,
    delivered: int | None,
    left: bool,
) -> Chargeable:
    """Return what to charge by, and what it comes to.

    A client that leaves before the first text has had its prompt read all the same, which
    a client could otherwise have for nothing as often as it likes.

    Args:
        meter: What it knows by now.
        request: What was asked.
        terms: What the call was priced at.
        hold: The hold of the call.
        delivered: Output tokens that the client got, where that is not what passed the meter.
        left: Whether the client left before the end.
    """
    if meter.failure is not None:
        return _NOTHING
    delivered = meter.delivered_tokens if delivered is None else delivered
    reported = meter.usage
    if reported is None:
        why = _why_nothing_came(meter, left=left)
    else:
        usage = filled(reported, request, meter, delivered)
        cost = terms.cost(usage)
        if cost.can_be_stored:
            if usage is reported:
                return Chargeable(Basis.PROVIDER_USAGE, usage, cost)
            if usage.prompt_tokens != reported.prompt_tokens:
                cost = _at_most(max(hold.amount, terms.most), cost)
            counted = _sides_filled(reported, usage, _why_nothing_came(meter, left=left))
            return Chargeable(Basis.COUNTED_OUTPUT, usage, cost, counted)
        why = Because.INCREDIBLE
    # An answer that is never text, an embedding, has been delivered when it is complete.
    if delivered or (left and not meter.error) or (meter.complete and request.output_limit == 0):
        extent = request.extent
        usage = Usage(
            prompt_tokens=request.prompt_estimate,
            completion_tokens=delivered,
            units=0 if extent is None else extent.about,
        )
        # A rough count must not become a write-off.
        cost = _at_most(hold.amount, terms.cost(usage))
        return Chargeable(Basis.COUNTED_OUTPUT, usage, cost, Counted(why, why))
    return _NOTHING


def _why_nothing_came(meter: Meter, *, left: bool) -> Because:
    if left:
        return Because.CLIENT_LEFT
    return Because.NOT_REPORTED if meter.complete else Because.CUT_OFF


def _sides_filled(reported: Usage, usage: Usage, why: Because) -> Counted:
    """Return why each side that the report lacked is by our own count."""
    output = None
    if usage.completion_tokens != reported.completion_tokens:
        # A count of zero is none; one that is too low has fallen behind, unless the client left.
        fell_behind = reported.completion_tokens > 0 and why is Because.NOT_REPORTED
        output = Because.FELL_BEHIND if fell_behind else why
    # Input is told with the first word, if it is told at all.
    is_counted = usage.prompt_tokens != reported.prompt_tokens
    return Counted(Because.NOT_REPORTED if is_counted else None, output)


def _at_most(amount: Credits, cost: Cost) -> Cost:
    return Cost(min(cost.microcredits, amount.microcredits), min(cost.picodollars, MAX_INT64))
